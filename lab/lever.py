"""The lab's own lever: faults, crashes, partitions, herds, and what was seen. JSON over HTTP."""

import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol

from aiohttp import web

from lab.faults import FaultRuleError
from lab.world import World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Power(Protocol):
    """Takes machines down."""

    async def crash(self, instance_id: str) -> None:
        """Let an instance die without a word.

        Raises:
            LookupError: there is no such instance, or it is dead already.

        """
        ...

    async def partition(self, instance_id: str, seconds: float) -> None:
        """Silence an instance's agent for some real seconds.

        Raises:
            LookupError: there is no agent on such an instance.

        """
        ...

    async def interrupt(self, instance_id: str) -> None:
        """Give an instance the two minutes' notice of a spot interruption, then end it.

        Raises:
            LookupError: there is no such instance, or it does not run.

        """
        ...

    async def forget(self, instance_id: str) -> None:
        """Let EC2 forget a terminated instance now, and not after an hour.

        Raises:
            LookupError: there is no such instance, or it is not terminated.

        """
        ...

    async def restart_servers(self) -> list[str]:
        """Restart the containers of Rancher's servers where they are; return their instances.

        Raises:
            LookupError: none runs.

        """
        ...

    async def back_up(self, identifier: str) -> str:
        """Take an automated snapshot of a database now and return its name.

        Raises:
            LookupError: there is no such database, or it keeps no backups.

        """
        ...


class Herd(Protocol):
    """Knows every host row."""

    async def seed(self, hosts: int, phantoms: int, environment: str) -> Mapping[str, Any]:
        """Make a herd at once and say what was made.

        Raises:
            LookupError: there is no such environment, or no Rancher yet.

        """
        ...

    def serve(self, name: str, scale: int, environment: str) -> None:
        """Make a service of so many containers on the hosts of an environment.

        Raises:
            LookupError: there is no such environment, or no Rancher yet.

        """
        ...

    def hosts(self) -> list[dict[str, Any]]:
        """Return every host row as stored, removed ones too."""
        ...


class _RefusedError(Exception):
    """A request that the lever does not understand."""


@web.middleware
async def _speak_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (_RefusedError, FaultRuleError) as error:
        return _error(HTTPStatus.BAD_REQUEST, str(error))
    except LookupError as error:
        return _error(HTTPStatus.NOT_FOUND, str(error.args[0] if error.args else error))
    except web.HTTPError as error:
        return _error(error.status, error.reason)


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)


async def _body(request: web.Request, *known: str) -> dict[str, Any]:
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise _RefusedError(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise _RefusedError("the body has to be a JSON object")
    unknown = set(body) - set(known)
    if known and unknown:
        raise _RefusedError(f"no field {', '.join(sorted(unknown))}; known are {', '.join(known)}")
    return body


def _number(body: Mapping[str, Any], name: str, default: float | None = None) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise _RefusedError(f"{name} has to be a number that is not negative, not {value!r}")
    return value


def _text(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or not value:
        raise _RefusedError(f"{name} has to be a name, not {value!r}")
    return value


class Lever:
    """The control URL's handlers."""

    def __init__(self, world: World, power: Power, herd: Herd) -> None:
        self._world = world
        self._power = power
        self._herd = herd

    def application(self) -> web.Application:
        """Return the lever as a web application."""
        lever = web.Application(middlewares=[_speak_json])
        lever.add_routes(
            [
                web.post("/faults", self._add_fault),
                web.delete("/faults", self._clear_faults),
                web.post("/instances/{id}/crash", self._crash),
                web.post("/instances/{id}/partition", self._partition),
                web.post("/instances/{id}/interrupt", self._interrupt),
                web.post("/instances/{id}/forget", self._forget),
                web.post("/servers/restart", self._restart_servers),
                web.post("/databases/{id}/backup", self._back_up),
                web.post("/herd", self._seed_herd),
                web.post("/services", self._serve),
                web.post("/github/codes", self._make_code),
                web.get("/hosts", self._list_hosts),
                web.get("/journal", self._read_journal),
                web.delete("/journal", self._clear_journal),
            ]
        )
        return lever

    async def _add_fault(self, request: web.Request) -> web.Response:
        fault_id = self._world.faults.add(await _body(request))
        return web.json_response({"id": fault_id}, status=HTTPStatus.CREATED)

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self._world.faults.clear()
        return web.json_response({})

    async def _crash(self, request: web.Request) -> web.Response:
        instance_id = request.match_info["id"]
        await self._power.crash(instance_id)
        return web.json_response({"id": instance_id, "state": "terminated"})

    async def _partition(self, request: web.Request) -> web.Response:
        instance_id = request.match_info["id"]
        seconds = _number(await _body(request, "seconds"), "seconds")
        await self._power.partition(instance_id, seconds)
        return web.json_response({"id": instance_id, "seconds": seconds})

    async def _interrupt(self, request: web.Request) -> web.Response:
        instance_id = request.match_info["id"]
        await self._power.interrupt(instance_id)
        return web.json_response({"id": instance_id, "action": "terminate"})

    async def _forget(self, request: web.Request) -> web.Response:
        instance_id = request.match_info["id"]
        await self._power.forget(instance_id)
        return web.json_response({"id": instance_id})

    async def _restart_servers(self, request: web.Request) -> web.Response:
        await _body(request)
        return web.json_response({"instances": await self._power.restart_servers()})

    async def _back_up(self, request: web.Request) -> web.Response:
        snapshot = await self._power.back_up(request.match_info["id"])
        return web.json_response({"snapshot": snapshot}, status=HTTPStatus.CREATED)

    async def _serve(self, request: web.Request) -> web.Response:
        body = await _body(request, "name", "scale", "environment")
        name, environment = _text(body, "name"), _text(body, "environment", "Default")
        scale = int(_number(body, "scale", 1))
        self._herd.serve(name, scale, environment)
        made = {"name": name, "scale": scale, "environment": environment}
        return web.json_response(made, status=HTTPStatus.CREATED)

    async def _seed_herd(self, request: web.Request) -> web.Response:
        body = await _body(request, "hosts", "phantoms", "environment")
        environment = _text(body, "environment", "Default")
        hosts, phantoms = int(_number(body, "hosts", 0)), int(_number(body, "phantoms", 0))
        made = await self._herd.seed(hosts, phantoms, environment)
        return web.json_response(dict(made), status=HTTPStatus.CREATED)

    async def _make_code(self, request: web.Request) -> web.Response:
        """Play the person in the browser who lets Rancher look at their GitHub account."""
        body = await _body(request, "user", "expired")
        expired = body.get("expired", False)
        if not isinstance(expired, bool):
            raise _RefusedError(f"expired has to be true or false, not {expired!r}")
        code = self._world.github.authorize(_text(body, "user"), expired=expired)
        return web.json_response({"code": code}, status=HTTPStatus.CREATED)

    async def _list_hosts(self, _: web.Request) -> web.Response:
        return web.json_response(self._herd.hosts())

    async def _read_journal(self, _: web.Request) -> web.Response:
        return web.json_response(self._world.journal.rows())

    async def _clear_journal(self, _: web.Request) -> web.Response:
        self._world.journal.clear()
        return web.json_response({})
