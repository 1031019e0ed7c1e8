"""The launcher of an agent: the container that registers a machine and then ends.

It knows the server only through HTTP, as the real one does.
"""

import asyncio
import contextlib
import ipaddress
import re
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from lab.rancher import timings
from lab.rancher.machine import MachineFacts, Network, basic_auth, remembered
from lab.world import World

LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1"})
OK: Final = 200
UNAUTHORIZED: Final = 401


class RegistrationError(Exception):
    """The launcher gives up: its exit code is not 0."""


class Launcher:
    """Gets a machine its keys.

    rancher: agent/run.sh, agent/register.py

    Args:
        world: the lab.
        machine: which is to become a host.
        environment: the container's variables, such as CATTLE_AGENT_IP.
        registration_url: what it is told to register at, with the token in it.
        network: the machine's.

    """

    def __init__(
        self,
        world: World,
        machine: MachineFacts,
        environment: Mapping[str, str],
        registration_url: str,
        network: Network,
    ) -> None:
        self._world = world
        self._machine = machine
        self._environment = environment
        self._registration_url = registration_url
        self._network = network

    async def register(self) -> dict[str, str]:
        """Return the variables of the permanent agent: those given, the server's URL, its keys.

        Raises:
            RegistrationError: nothing came of it.

        """
        self._check_environment()
        async with self._network.session() as session:
            script = await self._fetch_script(session)
            keys = await self._get_keys(session, script)
        return {**self._environment, **keys}

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
                async with session.get(self._registration_url) as answer:
                    if answer.status == OK:
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

    async def _get_keys(
        self, session: aiohttp.ClientSession, script: Mapping[str, str]
    ) -> dict[str, str]:
        """Ask for keys in the name of the key on this machine's disk, and wait for them."""
        url = self._environment.get("CATTLE_URL_OVERRIDE", script["CATTLE_URL"]).rstrip("/")
        auth = basic_auth(
            script["CATTLE_REGISTRATION_ACCESS_KEY"], script["CATTLE_REGISTRATION_SECRET_KEY"]
        )
        key = remembered(self._machine, ".registration_token", lambda: secrets.token_hex(64))
        waited = 0.0
        while waited < timings.REGISTER_WAIT:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                register = await self._look_up(session, url, auth, key)
                if register is None:
                    await self._ask(session, url, auth, key)
                elif register.get("accessKey"):
                    return {
                        "CATTLE_URL": url,
                        "CATTLE_ACCESS_KEY": str(register["accessKey"]),
                        "CATTLE_SECRET_KEY": str(register["secretKey"]),
                    }
            await self._pause(timings.REGISTER_PAUSE)
            waited += timings.REGISTER_PAUSE
        raise RegistrationError(f"{url} gave no keys")

    async def _look_up(
        self, session: aiohttp.ClientSession, url: str, auth: Mapping[str, str], key: str
    ) -> dict[str, object] | None:
        async with session.get(f"{url}/registers", headers=auth, params={"key": key}) as answer:
            if answer.status == UNAUTHORIZED:
                raise RegistrationError("the registration token is not valid")
            answer.raise_for_status()
            found = (await answer.json())["data"]
            return found[0] if found else None

    async def _ask(
        self, session: aiohttp.ClientSession, url: str, auth: Mapping[str, str], key: str
    ) -> None:
        async with session.post(f"{url}/registers", headers=auth, json={"key": key}) as answer:
            answer.raise_for_status()

    async def _pause(self, real_s: float) -> None:
        await asyncio.sleep(self._world.seconds(real_s))
