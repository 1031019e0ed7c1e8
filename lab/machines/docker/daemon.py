"""The Docker daemon of one machine: keeps containers and images, survives its clients."""

import asyncio
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from lab.machines.docker.containers import Container
from lab.machines.docker.registry import PULL_S, ImageNotFoundError, repository_of
from lab.machines.docker.workload import Spec, Start

VERSION = "19.03.15"
"""Within what Rancher 1.6 supports. Source: its setting `supported.docker.range`."""

RUN_FAILED = 125
FAILED = 1

Tell = Callable[[str, str], Awaitable[None]]
"""Sends a line to the client: stream, text."""

Request = dict[str, Any]


class DaemonError(Exception):
    """A command failed; the text is what Docker says."""


class Daemon:
    """Docker on one machine.

    Args:
        seconds: Turns real seconds into the lab's.
    """

    def __init__(self, seconds: Callable[[float], float]) -> None:
        self._seconds = seconds
        self._workloads: dict[str, Start] = {}
        self._pulled: set[str] = set()
        self._containers: dict[str, Container] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self._commands: dict[str, Callable[[Request, Tell], Awaitable[int]]] = {
            "run": self._run,
            "ps": self._ps,
            "images": self._images,
            "pull": self._pull,
            "inspect": self._inspect,
            "start": self._start,
            "stop": self._stop,
            "rm": self._rm,
            "logs": self._logs,
            "version": self._version,
        }

    def application(self) -> web.Application:
        """Return the daemon's API; it is the lab's own, not Docker's."""
        application = web.Application()
        application.router.add_post("/command", self._answer)
        return application

    def offer(self, images: Mapping[str, Start]) -> None:
        """Say what a container of each repository does."""
        self._workloads.update(images)

    def find(self, name: str) -> Container | None:
        """Return the container of this name or (part of an) id."""
        for container in self._containers.values():
            if container.name == name or container.id.startswith(name):
                return container
        return None

    def boot(self) -> None:
        """Start what a restart policy brings back."""
        for container in self._containers.values():
            if container.comes_back:
                container.start()

    async def stop(self) -> None:
        """Stop all containers as at shutdown; restart policies will bring them back."""
        await asyncio.gather(*(one.stop(by_hand=False) for one in self._containers.values()))

    async def kill(self) -> None:
        """Let all containers die without a word."""
        await asyncio.gather(*(one.kill() for one in self._containers.values()))

    def create(self, name: str, spec: Spec) -> Container:
        """Make a container of a pulled image.

        Raises:
            DaemonError: The name is taken.
        """
        taken = self._containers.get(name)
        if taken is not None:
            raise DaemonError(
                f'Conflict. The container name "/{name}" is already in use by container '
                f'"{taken.id}". You have to remove (or rename) that container to be able to reuse '
                "that name."
            )
        workload = self._workloads[repository_of(spec.image)]
        container = Container(name, spec, workload, self._seconds)
        self._containers[name] = container
        return container

    async def remove(self, container: Container) -> None:
        """End a container if it runs, and forget it."""
        await container.stop(by_hand=True)
        self._containers.pop(container.name, None)

    def replace(self, name: str, spec: Spec) -> Container:
        """Make and start a container; one that has its name already is removed."""
        before = self._containers.pop(name, None)
        if before is not None:
            ending = asyncio.get_running_loop().create_task(before.stop(by_hand=True))
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)
        container = self.create(name, spec)
        container.start()
        return container

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        command: Request = await request.json()
        answer = web.StreamResponse()
        await answer.prepare(request)

        async def send(event: Mapping[str, object]) -> None:
            await answer.write(json.dumps(event).encode() + b"\n")

        async def tell(stream: str, text: str) -> None:
            await send({"stream": stream, "text": text})

        await send({"exit": await self._obey(command, tell)})
        await answer.write_eof()
        return answer

    async def _obey(self, command: Request, tell: Tell) -> int:
        is_run = command["command"] == "run"
        try:
            return await self._commands[command["command"]](command, tell)
        except (DaemonError, ImageNotFoundError) as error:
            prefix = "docker: " if is_run else ""
            await tell("stderr", f"{prefix}Error response from daemon: {error}")
            return RUN_FAILED if is_run else FAILED

    async def _run(self, command: Request, tell: Tell) -> int:
        if command["rm"] and command["restart"] != "no":
            await tell("stderr", "docker: Conflicting options: --restart and --rm.")
            return RUN_FAILED
        await self._have_image(command["image"], tell)
        name = command["name"] or f"unnamed_{secrets.token_hex(4)}"
        container = self.create(name, _read_spec(command))
        container.start()
        if command["detach"]:
            await tell("stdout", container.id)
            return 0
        # The container goes on if the client dies, so it is not this request that waits for it.
        ending = asyncio.get_running_loop().create_task(self._end_foreground(container, command))
        exit_code = await asyncio.shield(ending)
        for line in container.log:
            await tell("stdout" if exit_code == 0 else "stderr", line)
        return exit_code

    async def _end_foreground(self, container: Container, command: Request) -> int:
        exit_code = await container.wait()
        if command["rm"]:
            await self.remove(container)
        return exit_code

    async def _have_image(self, image: str, tell: Tell) -> None:
        if image in self._pulled:
            return
        await tell("stderr", f"Unable to find image '{image}' locally")
        await self._fetch(image)
        await tell("stderr", f"Status: Downloaded newer image for {image}")

    async def _fetch(self, image: str) -> None:
        await asyncio.sleep(self._seconds(PULL_S[repository_of(image)]))
        self._pulled.add(image)

    async def _ps(self, command: Request, tell: Tell) -> int:
        patterns = [
            re.compile(value)
            for name, _, value in (entry.partition("=") for entry in command["filters"])
            if name == "name"
        ]
        for container in self._containers.values():
            # Docker matches a name with and without its slash.
            names = (container.name, f"/{container.name}")
            fits = all(any(map(pattern.search, names)) for pattern in patterns)
            if fits and (command["all"] or container.is_running):
                await tell("stdout", _list_entry(container, command))
        return 0

    async def _images(self, command: Request, tell: Tell) -> int:
        for image in sorted(self._pulled):
            if command["image"] in ("", image):
                await tell("stdout", secrets.token_hex(6) if command["quiet"] else image)
        return 0

    async def _pull(self, command: Request, tell: Tell) -> int:
        image = command["image"]
        await self._fetch(image)
        await tell("stdout", image if command["quiet"] else f"Status: Image is up to date: {image}")
        return 0

    async def _inspect(self, command: Request, tell: Tell) -> int:
        found = [self.find(name) for name in command["names"]]
        known = [container.describe() for container in found if container]
        await tell("stdout", json.dumps(known, indent=4))
        missing = [
            name for name, container in zip(command["names"], found, strict=True) if not container
        ]
        for name in missing:
            await tell("stderr", f"Error: No such object: {name}")
        return FAILED if missing else 0

    async def _start(self, command: Request, tell: Tell) -> int:
        for name in command["names"]:
            self._demand(name).start()
            await tell("stdout", name)
        return 0

    async def _stop(self, command: Request, tell: Tell) -> int:
        for name in command["names"]:
            await self._demand(name).stop(by_hand=True)
            await tell("stdout", name)
        return 0

    async def _rm(self, command: Request, tell: Tell) -> int:
        for name in command["names"]:
            container = self._demand(name)
            if container.is_running and not command["force"]:
                raise DaemonError(
                    f"You cannot remove a running container {container.id}. Stop the container "
                    "before attempting removal or force remove"
                )
            await self.remove(container)
            await tell("stdout", name)
        return 0

    async def _logs(self, command: Request, tell: Tell) -> int:
        for line in self._demand(command["names"][0]).log:
            await tell("stdout", line)
        return 0

    async def _version(self, _command: Request, tell: Tell) -> int:
        await tell("stdout", f"Client version: {VERSION}\nServer version: {VERSION}")
        return 0

    def _demand(self, name: str) -> Container:
        container = self.find(name)
        if container is None:
            raise DaemonError(f"No such container: {name}")
        return container


def _read_spec(command: Request) -> Spec:
    return Spec(
        image=command["image"],
        arguments=tuple(command["arguments"]),
        environment=command["environment"],
        restart=command["restart"],
        ports=tuple(command["ports"]),
        privileged=command["privileged"],
    )


def _list_entry(container: Container, command: Request) -> str:
    shown = container.id if command["no_trunc"] else container.id[:12]
    if command["quiet"]:
        return shown
    return f"{shown}  {container.spec.image}  {container.state}  {container.name}"
