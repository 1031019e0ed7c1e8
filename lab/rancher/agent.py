"""The machine's side of an agent: the container of the image rancher/agent.

It knows the server only through HTTP, as the real one does.
"""

import asyncio
import contextlib
import ipaddress
import json
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import aiohttp

from lab.rancher import timings
from lab.rancher.rows import new_uuid
from lab.rancher.settings import AGENT_IMAGE
from lab.world import World

LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1"})
STATE: Final = Path("var/lib/rancher/state")
UNAUTHORIZED: Final = 401
GOOD: Final = 200
CREATED: Final = 201

log = logging.getLogger(__name__)


class RegistrationError(Exception):
    """The launcher gave up: its exit code is not 0."""


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What an agent finds out about its machine."""

    instance_id: str
    private_ip: str
    hostname: str
    root: Path
    """The machine's disk: what is on it outlives the containers."""


@dataclass(frozen=True, slots=True)
class _Server:
    """Where the API is: its address as the script says it, and the agent's keys."""

    url: str
    access_key: str = ""
    secret_key: str = ""


class Agent:
    """One agent, from its launcher's start on.

    Args:
        world: the lab.
        machine: whose agent it is.
        environment: the container's variables, such as CATTLE_AGENT_IP.
        registration_url: what the launcher is told, with the token in it.
        resolve: turns an address on the network into one on loopback.

    """

    def __init__(
        self,
        world: World,
        machine: MachineFacts,
        environment: Mapping[str, str],
        registration_url: str,
        resolve: Callable[[str], str],
    ) -> None:
        self._world = world
        self._machine = machine
        self._environment = environment
        self._registration_url = registration_url
        self._resolve = resolve
        self._silent_until = 0.0
        self._life: asyncio.Task[None] | None = None
        self.lines: list[str] = []

    # Life

    async def register(self) -> None:
        """Do the launcher's part: get keys, start the permanent agent, come back.

        rancher: agent/run.sh, agent/register.py

        Raises:
            RegistrationError: nothing came of it.

        """
        self._check_environment()
        async with self._session() as session:
            script = await self._fetch_script(session)
            server = await self._get_keys(session, script)
        self._life = asyncio.create_task(self._live(server))

    def partition(self, seconds: float) -> None:
        """Be silent for some seconds of the lab: the machine lives, its network does not."""
        self._silent_until = self._world.loop.time() + seconds

    def crash(self) -> None:
        """End without a word."""
        if self._life is not None:
            self._life.cancel()

    async def stop(self) -> None:
        """End, and wait until it has."""
        self.crash()
        if self._life is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._life

    # The launcher

    def _check_environment(self) -> None:
        """Refuse what the launcher refuses.

        rancher: agent/run.sh (CATTLE_AGENT_IP, localhost)
        """
        if urlsplit(self._registration_url).hostname in LOCAL_NAMES:
            raise RegistrationError(f"{self._registration_url} is the agent itself")
        address = self._environment.get("CATTLE_AGENT_IP")
        if address is None:
            return
        try:
            is_loopback = ipaddress.IPv4Address(address).is_loopback
        except ValueError as error:
            raise RegistrationError(f"CATTLE_AGENT_IP {address!r} is no IPv4 address") from error
        if is_loopback:
            raise RegistrationError(f"CATTLE_AGENT_IP {address} is a loopback address")

    async def _fetch_script(self, session: aiohttp.ClientSession) -> dict[str, str]:
        """Return the variables that the registration script exports."""
        for _ in range(timings.SCRIPT_TRIES):
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with self._request(session, "GET", self._registration_url) as answer:
                    if answer.status == GOOD:
                        return self._read_script(await answer.text())
            await self._pause(timings.SCRIPT_PAUSE)
        raise RegistrationError(f"{self._registration_url} is not accessible")

    def _read_script(self, text: str) -> dict[str, str]:
        variables = dict(re.findall(r'^export (\w+)="([^"]*)"$', text, re.MULTILINE))
        told = urlsplit(self._registration_url).netloc
        configured = urlsplit(variables["CATTLE_URL"]).netloc
        if told != configured and "CATTLE_URL_OVERRIDE" not in self._environment:
            raise RegistrationError(f"told to register at {told}, but configured is {configured}")
        return variables

    async def _get_keys(self, session: aiohttp.ClientSession, script: Mapping[str, str]) -> _Server:
        """Ask for keys in the name of the key on this machine's disk, and wait for them."""
        url = self._environment.get("CATTLE_URL_OVERRIDE", script["CATTLE_URL"]).rstrip("/")
        auth = aiohttp.BasicAuth(
            script["CATTLE_REGISTRATION_ACCESS_KEY"], script["CATTLE_REGISTRATION_SECRET_KEY"]
        )
        key = self._on_disk(".registration_token", lambda: secrets.token_hex(64))
        waited = 0.0
        while waited < timings.REGISTER_WAIT:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                register = await self._look_up(session, url, auth, key)
                if register is None:
                    await self._ask(session, url, auth, key)
                elif register.get("accessKey"):
                    return _Server(url, str(register["accessKey"]), str(register["secretKey"]))
            await self._pause(timings.REGISTER_PAUSE)
            waited += timings.REGISTER_PAUSE
        raise RegistrationError(f"{url} gave no keys")

    async def _look_up(
        self, session: aiohttp.ClientSession, url: str, auth: aiohttp.BasicAuth, key: str
    ) -> dict[str, object] | None:
        async with self._request(
            session, "GET", f"{url}/registers", auth=auth, params={"key": key}
        ) as answer:
            if answer.status == UNAUTHORIZED:
                raise RegistrationError("the registration token is not valid")
            answer.raise_for_status()
            found = (await answer.json())["data"]
            return found[0] if found else None

    async def _ask(
        self, session: aiohttp.ClientSession, url: str, auth: aiohttp.BasicAuth, key: str
    ) -> None:
        async with self._request(
            session, "POST", f"{url}/registers", auth=auth, json={"key": key}
        ) as answer:
            answer.raise_for_status()

    def _on_disk(self, name: str, make: Callable[[], str]) -> str:
        """Return what the machine's disk remembers, and make it remember if it does not."""
        path = self._machine.root / STATE / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(make())
        return path.read_text()

    # The permanent agent

    async def _live(self, server: _Server) -> None:
        """Stay connected for ever: the container restarts always."""
        await self._pause(timings.AGENT_START)
        async with self._session() as session:
            while True:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    await self._converse(session, server)
                await self._pause(timings.AGENT_RETRY)

    async def _converse(self, session: aiohttp.ClientSession, server: _Server) -> None:
        if self._is_silent:
            return
        url, headers = self._reached(f"{server.url}/subscribe")
        auth = aiohttp.BasicAuth(server.access_key, server.secret_key)
        try:
            async with session.ws_connect(
                url, headers=headers, auth=auth, params={"eventNames": "ping"}
            ) as socket:
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
            or self._on_disk(".docker_uuid", new_uuid),
            "physicalHostUuid": environment.get("CATTLE_PHYSICAL_HOST_UUID")
            or self._on_disk(".physical_host_uuid", new_uuid),
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

    # The wire

    @staticmethod
    def _session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_connect=5))

    def _reached(self, url: str) -> tuple[str, dict[str, str]]:
        """Return where an address is on loopback, with the name for whoever listens there."""
        return self._resolve(url), {"Host": urlsplit(url).netloc}

    def _request(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: str,
        *,
        auth: aiohttp.BasicAuth | None = None,
        params: Mapping[str, str] | None = None,
        json: object = None,
    ) -> "aiohttp.client._RequestContextManager":
        reached, headers = self._reached(url)
        return session.request(
            method, reached, headers=headers, auth=auth, params=params, json=json
        )

    async def _pause(self, real_s: float) -> None:
        await asyncio.sleep(self._world.seconds(real_s))

    def _say(self, line: str) -> None:
        log.info("%s %s", self._machine.instance_id, line)
        self.lines.append(line)
