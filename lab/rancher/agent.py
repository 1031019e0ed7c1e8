"""The permanent agent of a machine: the container that stays connected to the server.

It knows the server only through HTTP, as the real one does.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl

import aiohttp

from lab.rancher import timings
from lab.rancher.machine import MachineFacts, Network, basic_auth, remembered
from lab.rancher.rows import new_uuid
from lab.rancher.settings import AGENT_IMAGE
from lab.world import World

UNAUTHORIZED: Final = 401
EVENTS: Final = {"eventNames": "ping"}
ENFORCE: Final = {"X-ENFORCE-AUTHENTICATION": "true"}
"""Agents want to be refused when their keys are bad, even while access control is off.

cattle: AdminAuthLookUp.java
"""


class Agent:
    """One agent.

    Args:
        world: the lab.
        machine: whose agent it is.
        environment: the container's variables, as its launcher makes them.
        network: the machine's.
        say: takes the lines of its log.

    """

    def __init__(
        self,
        world: World,
        machine: MachineFacts,
        environment: Mapping[str, str],
        network: Network,
        say: Callable[[str], None],
    ) -> None:
        self._world = world
        self._machine = machine
        self._environment = environment
        self._network = network
        self._say = say
        self._silent_until = 0.0

    def partition(self, seconds: float) -> None:
        """Be silent for some real seconds: the machine lives, its network does not."""
        self._silent_until = self._world.loop.time() + seconds

    async def run(self) -> None:
        """Stay connected, until cancelled."""
        await self._pause(timings.AGENT_START)
        async with self._network.session() as session:
            while True:
                if not self._is_silent:
                    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                        await self._converse(session)
                await self._pause(timings.AGENT_RETRY)

    async def _converse(self, session: aiohttp.ClientSession) -> None:
        environment = self._environment
        keys = basic_auth(environment["CATTLE_ACCESS_KEY"], environment["CATTLE_SECRET_KEY"])
        headers = {**keys, **ENFORCE}
        url = f"{environment['CATTLE_URL']}/subscribe"
        try:
            async with session.ws_connect(url, headers=headers, params=EVENTS) as socket:
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.TEXT and not self._is_silent:
                        await socket.send_str(json.dumps(self._answer(json.loads(message.data))))
        except aiohttp.WSServerHandshakeError as error:
            if error.status == UNAUTHORIZED:
                self._say("the credentials of this agent are no longer valid")
            raise

    @property
    def _is_silent(self) -> bool:
        return self._world.loop.time() < self._silent_until

    def _answer(self, ping: Mapping[str, object]) -> dict[str, object]:
        answer: dict[str, object] = {"name": "ping.reply", "previousIds": [ping["id"]]}
        data = ping.get("data")
        if isinstance(data, dict) and data.get("options", {}).get("resources"):
            answer["resources"] = self._resources()
        return answer

    def _resources(self) -> dict[str, object]:
        """Return what the machine is and has.

        rancher: host-api hostinfo collectors
        """
        environment = self._environment
        labels = dict(parse_qsl(environment.get("CATTLE_HOST_LABELS", ""), keep_blank_values=True))
        return {
            "uuid": environment.get("CATTLE_DOCKER_UUID")
            or remembered(self._machine, ".docker_uuid", new_uuid),
            "physicalHostUuid": environment.get("CATTLE_PHYSICAL_HOST_UUID")
            or remembered(self._machine, ".physical_host_uuid", new_uuid),
            "hostname": environment.get("CATTLE_HOSTNAME", self._machine.hostname),
            "agentIp": environment.get("CATTLE_AGENT_IP", self._machine.private_ip),
            "labels": {
                "io.rancher.host.agent_image": AGENT_IMAGE,
                "io.rancher.host.docker_version": "17.06",
                "io.rancher.host.linux_kernel_version": "4.4",
                "io.rancher.host.os": "linux",
            },
            "createLabels": labels,
            "info": {
                "cpuInfo": {"count": 2, "mhz": 2300.0, "modelName": "Intel(R) Xeon(R)"},
                "memoryInfo": {"memTotal": 3790.1, "memFree": 2000.0},
                "osInfo": {
                    "dockerVersion": "Docker version 17.06",
                    "kernelVersion": "4.4",
                    "operatingSystem": "Ubuntu 16.04",
                },
            },
            "memory": 3975000000,
            "milli_cpu": 2000,
            "local_storage_mb": 50000,
        }

    async def _pause(self, real_s: float) -> None:
        await asyncio.sleep(self._world.seconds(real_s))
