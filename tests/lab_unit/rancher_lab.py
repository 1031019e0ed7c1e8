"""A Rancher for tests: its loop runs in a thread, so that blocking clients can drive it."""

import asyncio
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import cattle
import requests

from lab.rancher import AgentContainer, Network, RancherCluster, RancherServer
from lab.world import World

NAME = "rancher.corral.test"
PATIENCE_S = 10


@dataclass(frozen=True)
class Machine:
    """A machine with a disk."""

    instance_id: str
    private_ip: str
    hostname: str
    root: Path


class RancherLab:
    """One database, and the servers that a test starts on it."""

    def __init__(self, root, scale=500.0):
        self.root = root
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.world = World(scale, root, self.loop)
        self.cluster = self.call(RancherCluster, self.world, "database")
        self.servers = []
        self.agents = {}
        self._joining = []

    def call(self, function, *args):
        async def called():
            return function(*args)

        return self.run(called())

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE_S)

    def start_server(self, address="10.77.0.1", *, wait=True, **options):
        listen = self.world.addresses.of(address, 8080)
        options = {"advertise": address, **options}
        server = self.call(lambda: RancherServer(self.cluster, listen, **options))
        self.servers.append(server)
        self.run(server.start())
        if wait:
            self.run(asyncio.wait_for(server.is_up.wait(), PATIENCE_S))
        return server

    def url(self, path="", server=0):
        host, port = self.servers[server].listen
        return f"http://{host}:{port}{path}"

    def request(self, method, path, *, server=0, **options):
        return requests.request(method, self.url(path, server), timeout=PATIENCE_S, **options)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, json=body or {}, **options)

    def client(self, path="/v2-beta", key=None):
        access_key, secret_key = key or ("", "")
        return cattle.Client(access_key=access_key, secret_key=secret_key, url=self.url(path))

    def project_client(self, project="1a5", version="v2-beta"):
        return self.client(f"/{version}/projects/{project}/schemas")

    def environment_key(self, project="1a5"):
        """Make a key of an environment and wait until it may be used."""
        client = self.client()
        key = client.create_apiKey(accountId=project)
        client.wait_success(key)
        return key.publicValue, key.secretValue

    def registration_url(self):
        """Return where machines register: by name, as an agent refuses 127.0.0.1."""
        client = self.project_client()
        token = client.wait_success(client.create_registrationToken()).token
        return f"http://{NAME}/v1/scripts/{token}"

    def machine(self, name, address="10.77.1.1"):
        return Machine(name, address, f"ip-{address.replace('.', '-')}", self.root / name)

    def join(self, machine, labels=None, url=None, **variables):
        """Run the launcher on a machine and keep what it launches; return its exit code."""
        environment = {"CATTLE_HOST_LABELS": urlencode(labels or {}), **variables}
        lines = []

        def container(variables, arguments):
            network = Network(self.locate)
            return AgentContainer(self.world, machine, network, launch, variables, arguments)

        def launch(variables):
            agent = container(variables, ["run"])
            task = self.loop.create_task(agent.run(lines.append))
            self.agents[machine.instance_id] = (agent, task)

        launcher = container(environment, [url or self.registration_url()])
        code = self.run(launcher.run(lines.append))
        return code, lines

    async def locate(self, host, port):
        """Return where a name is: all names are at the first server that is up."""
        del host, port
        up = [server for server in self.servers if server.is_up.is_set()]
        return up[0].listen if up else None

    def crash_agent(self, machine):
        self.call(self.agents.pop(machine.instance_id)[1].cancel)

    def host(self, machine):
        """Return the newest row of a machine's host as stored."""
        rows = self.call(self.cluster.stored_hosts)
        label = machine.instance_id
        found = [row for row in rows if row["labels"].get("aws.instance_id") == label]
        return found[-1] if found else None

    def wait_for(self, probe, what="it"):
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            found = probe()
            if found:
                return found
            time.sleep(0.005)
        raise TimeoutError(f"{what} did not come within {PATIENCE_S} s")

    def close(self):
        for machine_id in list(self.agents):
            self.call(self.agents.pop(machine_id)[1].cancel)
        for server in self.servers:
            self.run(server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE_S)
        self.loop.close()
