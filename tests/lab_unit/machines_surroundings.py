"""What a machine finds around itself in these tests: small stand-ins for AWS and Rancher."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiohttp import web

from lab.aws.views import DatabaseView, InstanceView, SnapshotView
from lab.machines.docker.workload import Spec
from lab.world import World

RANCHER = "rancher.corral.test"
BALANCER = "lab-1.us-east-1.elb.amazonaws.com"
DATABASE = "rancher-db.corral.test"
ENDPOINT = "lab.abc.us-east-1.rds.amazonaws.com"

SERVE = {
    "region": "us-east-1",
    "image": "rancher/server:v1.6.30",
    "database": {
        "host": DATABASE, "port": 3306, "name": "cattle", "username": "cattle",
        "secret_id": "lab/database",
    },
}  # fmt: skip
JOIN = {
    "region": "us-east-1",
    "rancher_url": f"https://{RANCHER}",
    "secret_id": "lab/environments/default",
    "environment": "default",
    "labels": {"role": "web"},
    "deadline_s": 600,
}
PAGERDUTY = f"pagerduty://{'a' * 32}@{'b' * 20}/corral"
SECRETS = {
    "lab/database": {"username": "cattle", "password": "pa55-database"},
    "lab/environments/default": {
        "url": f"https://{RANCHER}", "project_id": "1a5",
        "access_key": "key", "secret_key": "pa55-environment", "alerts": PAGERDUTY,
    },
}  # fmt: skip


def user_data(config: dict, unit: str) -> str:
    files = [
        {"path": "/etc/corral/node.json", "content": json.dumps(config), "permissions": "0644"}
    ]
    commands = [["systemctl", "enable", "--now", "--no-block", unit]]
    return "#cloud-config\n" + json.dumps({"write_files": files, "runcmd": commands})


def make_instance(**changes) -> InstanceView:
    instance = InstanceView(
        id="i-0abc0000000000001", state="running", private_ip="10.42.16.5",
        private_dns="ip-10-42-16-5.ec2.internal", subnet_id="subnet-1", zone="us-east-1a",
        image_id="ami-1", instance_type="t3.medium", profile="lab-control", user_data="", tags={},
    )  # fmt: skip
    return replace(instance, **changes)


@dataclass
class FakeAws:
    """Instances whose states a test sets, one database, two names."""

    instances: dict[str, InstanceView] = field(default_factory=dict)
    database_status: str = "available"
    password: str = "pa55-database"
    refuses_plain: bool = False
    callbacks: list[Callable] = field(default_factory=list)
    power: dict[str, bool] = field(default_factory=dict)

    def launch(self, instance: InstanceView) -> None:
        self.instances[instance.id] = instance
        self.change(instance.id, "running")

    def change(self, instance_id: str, state: str) -> None:
        for callback in self.callbacks:
            callback(instance_id, None, state)

    def instance(self, instance_id: str) -> InstanceView | None:
        return self.instances.get(instance_id)

    def subscribe(self, on_change: Callable) -> None:
        self.callbacks.append(on_change)

    def set_power(self, instance_id: str, *, on: bool) -> None:
        self.power[instance_id] = on

    def resolve(self, name: str) -> str | None:
        return {RANCHER: BALANCER, DATABASE: ENDPOINT}.get(name)

    def names_of(self, address: str) -> list[str]:
        return [DATABASE] if address == ENDPOINT else []

    def databases(self) -> list[DatabaseView]:
        return [
            DatabaseView(
                "lab", self.database_status, ENDPOINT, 3306, "cattle", "cattle", self.password,
                "db-LAB", "5.7.44", self.refuses_plain,
            )
        ]  # fmt: skip

    def snapshots(self) -> list[SnapshotView]:
        return []

    def database_by_endpoint(self, host: str) -> DatabaseView | None:
        return self.databases()[0] if host in (ENDPOINT, DATABASE) else None


@dataclass
class FakeBalancers:
    """One load balancer in front of one place."""

    place: tuple[str, int] | None = None

    def place_of(self, dns_name: str, port: int) -> tuple[str, int] | None:
        return self.place if (dns_name, port) == (BALANCER, 443) else None


class FakeWorkload:
    """Runs until it is ended, or ends at once with a code."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.environment = spec.environment
        self.arguments = spec.arguments
        self.exit_code: int | None = None
        self.ended: list[str] = []
        self.before: Callable[[], Awaitable[None]] | None = None

    async def run(self, say: Callable[[str], None]) -> int:
        say("it runs")
        if self.before:
            await self.before()
        if self.exit_code is not None:
            return self.exit_code
        await asyncio.Event().wait()
        raise AssertionError

    async def end(self, *, orderly: bool) -> None:
        self.ended.append("stopped" if orderly else "died")


@dataclass
class Images:
    """Makes workloads of both repositories; a launcher leaves an agent and a host row behind."""

    on_register: Callable[[FakeWorkload], None] = lambda _: None
    started: list[FakeWorkload] = field(default_factory=list)
    launch_exit_code: int = 0

    def on(self, _facts, docker) -> dict:
        def start_server(spec: Spec) -> FakeWorkload:
            self.started.append(FakeWorkload(spec))
            return self.started[-1]

        def start_agent(spec: Spec) -> FakeWorkload:
            workload = start_server(spec)
            if "register" in spec.arguments:
                workload.exit_code = self.launch_exit_code
                workload.before = lambda: self._leave_agent(workload, docker)
            return workload

        return {"rancher/server": start_server, "rancher/agent": start_agent}

    async def _leave_agent(self, launcher: FakeWorkload, docker) -> None:
        if not self.launch_exit_code:
            spec = Spec("rancher/agent:v1.2.11", environment=launcher.environment, restart="always")
            docker.create("rancher-agent", spec).start()
            self.on_register(launcher)


@dataclass
class FakeServices:
    """Secrets Manager, Rancher's API and PagerDuty on three ports of loopback."""

    secrets: dict[str, dict] = field(default_factory=lambda: dict(SECRETS))
    tokens: list[dict] = field(default_factory=list)
    hosts: list[dict] = field(default_factory=list)
    rancher_status: int = 200
    alerts: list[tuple[str, str]] = field(default_factory=list)
    runners: list[web.AppRunner] = field(default_factory=list)

    async def start_aws(self) -> str:
        application = web.Application()
        application.router.add_post("/", self._secret)
        host, port = await self._listen(application)
        return f"http://{host}:{port}"

    async def start_rancher(self) -> tuple[str, int]:
        application = web.Application()
        application.router.add_get("/v2-beta/projects/1a5/hosts", self._list_hosts)
        application.router.add_get("/v2-beta/projects/1a5/registrationtokens", self._list_tokens)
        application.router.add_post("/v2-beta/projects/1a5/registrationtokens", self._make_token)
        return await self._listen(application)

    async def start_pagerduty(self) -> str:
        application = web.Application()
        application.router.add_post("/v2/enqueue", self._take_event)
        host, port = await self._listen(application)
        return f"http://{host}:{port}"

    async def stop(self) -> None:
        for runner in self.runners:
            await runner.cleanup()

    async def _listen(self, application: web.Application) -> tuple[str, int]:
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.runners.append(runner)
        return runner.addresses[0][:2]

    async def _secret(self, request: web.Request) -> web.Response:
        secret_id = json.loads(await request.text())["SecretId"]
        if secret_id not in self.secrets:
            body = {"__type": "ResourceNotFoundException", "message": "no such secret"}
            return web.json_response(body, status=400)
        text = json.dumps(self.secrets[secret_id])
        return web.json_response({"Name": secret_id, "SecretString": text})

    async def _take_event(self, request: web.Request) -> web.Response:
        event = await request.json()
        self.alerts.append((event["event_action"], event["dedup_key"]))
        return web.json_response({"status": "success"}, status=202)

    async def _list_hosts(self, _request: web.Request) -> web.Response:
        return self._collection(self.hosts)

    async def _list_tokens(self, _request: web.Request) -> web.Response:
        return self._collection(self.tokens)

    async def _make_token(self, _request: web.Request) -> web.Response:
        token = {"state": "active", "image": "rancher/agent:v1.2.11"}
        self.tokens.append({**token, "registrationUrl": f"https://{RANCHER}/v1/scripts/pa55-token"})
        return web.json_response(self.tokens[-1], status=201)

    def _collection(self, rows: list[dict]) -> web.Response:
        body = {"type": "collection", "data": rows, "pagination": {"next": None}}
        return web.json_response(body, status=self.rancher_status)


def make_world(root: Path, scale: float = 50.0) -> World:
    return World(scale=scale, root=root, loop=asyncio.get_running_loop())


async def until(holds: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Wait until something holds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not holds():
        if loop.time() > end:
            raise AssertionError(f"{what} did not come within {seconds} s")
        await asyncio.sleep(0.02)
