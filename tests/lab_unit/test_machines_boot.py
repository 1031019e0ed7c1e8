"""Whole machines: user data in, the real node program in the middle, containers out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

import psutil
import pytest
from machines_surroundings import (
    JOIN,
    SECRETS,
    SERVE,
    FakeAws,
    FakeBalancers,
    FakeServices,
    Images,
    make_instance,
    make_world,
    until,
    user_data,
)

from lab.machines import Machines, Names, NoMachineError


@dataclass
class Lab:
    aws: FakeAws
    services: FakeServices
    images: Images
    machines: Machines
    root: Path

    def console(self, instance_id: str) -> str:
        path = self.root / "machines" / instance_id / "console.log"
        return path.read_text() if path.exists() else ""

    def output(self, instance_id: str, unit: str) -> str:
        return (self.root / "machines" / instance_id / f"{unit}.log").read_text()

    def container(self, instance_id: str, name: str):
        with contextlib.suppress(NoMachineError):
            return self.machines.find(instance_id).docker.find(name)
        return None


@contextlib.asynccontextmanager
async def a_lab(root: Path, scale: float = 50.0) -> AsyncIterator[Lab]:
    world = make_world(root, scale)
    services, aws, images = FakeServices(), FakeAws(), Images()
    world.aws_endpoint = await services.start_aws()
    world.alerts_url = await services.start_pagerduty()
    balancers = FakeBalancers(await services.start_rancher())
    machines = Machines(world, aws, Names(world, aws, balancers, root / "tls"), images.on)
    await machines.start()
    try:
        yield Lab(aws, services, images, machines, root)
    finally:
        await machines.stop()
        await services.stop()
        world.addresses.close()


def a_control_node():
    return make_instance(user_data=user_data(SERVE, "corral-serve.service"))


def a_host():
    return make_instance(user_data=user_data(JOIN, "corral-join.service"), profile="lab-web")


def register_host(services: FakeServices):
    """Have a launcher's labels appear as a host row, as an agent's first report does."""

    def register(launcher) -> None:
        labels = parse_qs(launcher.environment["CATTLE_HOST_LABELS"])
        row = {
            "id": "1h1",
            "state": "active",
            "agentIpAddress": launcher.environment["CATTLE_AGENT_IP"],
            "labels": {name: values[0] for name, values in labels.items()},
        }
        services.hosts.append(row)

    return register


ELDERS: list[psutil.Process] = []


@pytest.fixture(autouse=True)
def _know_the_elders() -> None:
    ELDERS[:] = psutil.Process().children(recursive=True)


def test_a_control_node_starts_the_server_with_its_address_and_the_secret(tmp_path):
    async def scenario() -> None:
        async with a_lab(tmp_path) as lab:
            node = a_control_node()
            lab.aws.launch(node)
            await until(lambda: lab.images.started, "the server")

            server = lab.images.started[0]
            assert server.arguments == ("--advertise-address", "10.42.16.5")
            assert server.environment["CATTLE_DB_CATTLE_MYSQL_HOST"] == "rancher-db.corral.test"
            assert server.environment["CATTLE_DB_CATTLE_PASSWORD"] == "pa55-database"
            container = lab.container(node.id, "rancher-server")
            assert container.spec.restart == "unless-stopped"
            assert container.spec.ports == ("8080:8080", "9345:9345")
            await until(
                lambda: "corral-node ended with 0" in lab.console(node.id), "the end of serve"
            )

    asyncio.run(scenario())


def test_a_host_registers_over_tls_with_all_its_labels(tmp_path):
    async def scenario() -> None:
        async with a_lab(tmp_path) as lab:
            lab.images.on_register = register_host(lab.services)
            node = a_host()
            lab.aws.launch(node)
            await until(lambda: "ended with 0" in lab.console(node.id), "the end of join")

            assert lab.services.hosts[0]["labels"] == {
                "role": "web",
                "env": "default",
                "aws.instance_id": node.id,
                "aws.account_id": "123456789012",
                "aws.region": "us-east-1",
            }
            launcher = lab.images.started[0]
            assert launcher.environment["CATTLE_AGENT_IP"] == "10.42.16.5"
            assert lab.container(node.id, "rancher-agent").is_running
            assert lab.container(node.id, "corral-join") is None

    asyncio.run(scenario())


def test_a_host_waits_for_everything_that_comes_late(tmp_path):
    async def scenario() -> None:
        async with a_lab(tmp_path) as lab:
            lab.images.on_register = register_host(lab.services)
            secret = lab.services.secrets.pop("lab/environments/default")
            lab.services.rancher_status = 503
            node = a_host()
            lab.aws.launch(node)
            log = tmp_path / "machines" / node.id / "corral-join.service.log"
            await until(
                lambda: log.exists() and "ResourceNotFoundException" in log.read_text(), "1st wait"
            )
            lab.services.secrets["lab/environments/default"] = secret
            await until(lambda: "answered 503" in log.read_text(), "2nd wait")
            lab.services.rancher_status = 200
            await until(lambda: "ended with 0" in lab.console(node.id), "the end of join")

    asyncio.run(scenario())


def test_a_host_that_never_joins_tries_again_and_tells_people_once(tmp_path):
    async def scenario() -> None:
        async with a_lab(tmp_path, scale=200.0) as lab:
            lab.services.rancher_status = 503
            node = a_host()
            lab.aws.launch(node)
            await until(
                lambda: lab.console(node.id).count("ended with 75") == 2, "two deadlines", 60
            )

            output = lab.output(node.id, "corral-join.service")
            assert "ERROR join failed: gave up on host" in output
            assert "answered 503" in output
            assert lab.services.alerts == [("trigger", f"corral/default/join/{node.id}")]

    asyncio.run(scenario())


def test_people_hear_when_a_host_joins_after_all(tmp_path):
    async def scenario() -> None:
        async with a_lab(tmp_path, scale=60.0) as lab:
            lab.images.on_register = register_host(lab.services)
            lab.services.rancher_status = 503
            node = a_host()
            lab.aws.launch(node)
            await until(lambda: "ended with 75" in lab.console(node.id), "the deadline", 60)
            lab.services.rancher_status = 200
            await until(lambda: "ended with 0" in lab.console(node.id), "the end of join", 60)

            key = f"corral/default/join/{node.id}"
            assert lab.services.alerts == [("trigger", key), ("resolve", key)]

    asyncio.run(scenario())


def test_the_same_machine_comes_back_after_a_stop(tmp_path):
    async def scenario() -> None:
        async with a_lab(tmp_path) as lab:
            node = a_control_node()
            lab.aws.launch(node)
            await until(lambda: "ended with 0" in lab.console(node.id), "the first boot")
            container = lab.container(node.id, "rancher-server")

            lab.aws.change(node.id, "stopping")
            await until(lambda: not lab.aws.power[node.id], "the stop")
            assert "power off" in lab.console(node.id)
            assert lab.images.started[0].ended == ["stopped"]
            lab.aws.change(node.id, "stopped")
            lab.aws.change(node.id, "running")
            assert lab.aws.power[node.id]
            await until(
                lambda: "left alone" in lab.output(node.id, "corral-serve.service"), "the reboot"
            )

            assert lab.container(node.id, "rancher-server") is container
            assert container.is_running

    asyncio.run(scenario())


def test_a_crash_kills_everything_at_once(tmp_path):
    async def scenario() -> None:
        async with a_lab(tmp_path) as lab:
            lab.services.rancher_status = 503
            node = a_host()
            lab.aws.launch(node)
            await until(children, "the program")

            await lab.machines.crash(node.id)
            assert not children()
            assert "lost power" in lab.console(node.id)
            assert not lab.aws.power[node.id]
            with pytest.raises(NoMachineError, match="no machine is switched on"):
                lab.machines.find(node.id)

    asyncio.run(scenario())


def test_a_terminated_instance_is_shut_down_in_order(tmp_path):
    async def scenario() -> None:
        async with a_lab(tmp_path) as lab:
            node = a_control_node()
            lab.aws.launch(node)
            await until(lambda: lab.images.started, "the server")
            lab.aws.change(node.id, "shutting-down")
            await until(lambda: not lab.aws.power[node.id], "the end")
            lab.aws.change(node.id, "terminated")

            assert lab.images.started[0].ended == ["stopped"]
            assert "power off" in lab.console(node.id)
        assert "lost power" not in lab.console(node.id)

    asyncio.run(scenario())


def test_a_machine_that_takes_too_long_to_shut_down_is_switched_off(tmp_path):
    async def scenario() -> None:
        async with a_lab(tmp_path) as lab:
            lab.images.on_register = register_host(lab.services)
            node = a_host()
            lab.aws.launch(node)
            await until(lambda: "join.service" in lab.console(node.id), "the boot")
            await until(lambda: "node ended with 0" in lab.console(node.id), "the end of join")
            lab.services.rancher_status = 503
            lab.aws.change(node.id, "shutting-down")
            await until(children, "the farewell")
            assert lab.aws.power[node.id]

            lab.aws.change(node.id, "terminated")
            await until(lambda: not lab.aws.power[node.id], "the end")
            assert not children()
            assert "lost power" in lab.console(node.id)
            assert "power off" not in lab.console(node.id)

    asyncio.run(scenario())


def test_machines_of_one_address_in_two_labs_never_meet(tmp_path):
    async def scenario() -> None:
        async with a_lab(tmp_path / "one") as one, a_lab(tmp_path / "other") as other:
            launched = [(one, "i-0abc0000000000001"), (other, "i-0abc0000000000002")]
            for lab, instance_id in launched:
                lab.aws.launch(make_instance(id=instance_id, user_data=a_control_node().user_data))
            for lab, instance_id in launched:
                await until(
                    lambda lab=lab, name=instance_id: "ended with 0" in lab.console(name), "serve"
                )
                assert lab.container(instance_id, "rancher-server").is_running
                assert len(lab.images.started) == 1

    asyncio.run(scenario())


def test_nothing_is_left_when_the_lab_ends(tmp_path):
    async def scenario() -> None:
        async with a_lab(tmp_path) as lab:
            lab.services.rancher_status = 503
            lab.aws.launch(a_host())
            await until(children, "the program")

        assert not children()

    asyncio.run(scenario())


def test_no_secret_is_on_a_command_line_or_on_a_disk(tmp_path):
    secrets = [SECRETS["lab/database"]["password"], "pa55-environment", "pa55-token", "a" * 32]

    async def scenario() -> set[str]:
        seen: set[str] = set()
        async with a_lab(tmp_path) as lab:
            lab.images.on_register = register_host(lab.services)
            node, host = a_control_node(), a_host()
            host = make_instance(
                id="i-0abc0000000000002", private_ip="10.42.16.6", user_data=host.user_data
            )
            lab.aws.launch(node)
            lab.aws.launch(host)

            def both_ended() -> bool:
                seen.update(command_lines())
                consoles = (lab.console(node.id), lab.console(host.id))
                return all("ended with 0" in console for console in consoles)

            await until(both_ended, "both machines")
        return seen

    seen = asyncio.run(scenario())
    written = "".join(
        path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()
    )
    assert any("docker" in line for line in seen)
    assert not [secret for secret in secrets if any(secret in line for line in seen)]
    assert not [secret for secret in secrets if secret in written]


def children() -> list[psutil.Process]:
    """Return the processes that this test has started; others belong to the whole run."""
    return [child for child in psutil.Process().children(recursive=True) if child not in ELDERS]


def command_lines() -> set[str]:
    lines = set()
    for child in children():
        with contextlib.suppress(psutil.Error):
            lines.add(" ".join(child.cmdline()))
    return lines
