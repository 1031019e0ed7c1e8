"""Drives the machine's Docker through its command line.

Values for containers travel in the environment of the client (`--env NAME`): on a command line
everybody on the machine could read them.
"""

import json
import logging
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corral_node.errors import NodeError, NotYetError

log = logging.getLogger(__name__)

COMMAND_TIMEOUT_S = 60.0
TELLING = 400
"""So many characters from the end of what Docker printed go into an error."""


@dataclass(frozen=True, slots=True)
class Container:
    """A container as Docker describes it."""

    id: str
    image: str
    command: tuple[str, ...]
    environment: dict[str, str]
    state: str

    @property
    def is_running(self) -> bool:
        """Say whether Docker runs it, or is about to run it again."""
        return self.state in ("running", "restarting")


def find(name: str) -> Container | None:
    """Return the container of this name, or None."""
    listed = _docker(
        ["ps", "--all", "--quiet", "--no-trunc", "--filter", f"name=^/{name}$"],
    )
    if not listed.strip():
        return None
    return _read_container(_docker(["inspect", "--type", "container", listed.split()[0]]))


def _read_container(text: str) -> Container:
    try:
        raw: dict[str, Any] = json.loads(text)[0]
        return Container(
            id=raw["Id"],
            image=raw["Config"]["Image"],
            command=tuple(raw["Config"]["Cmd"] or ()),
            environment=dict(entry.split("=", 1) for entry in raw["Config"]["Env"] or ()),
            state=raw["State"]["Status"],
        )
    except (ValueError, LookupError, TypeError) as error:
        # no "from": the description holds the container's environment
        raise NotYetError(
            f"docker describes a container in an unknown form ({type(error).__name__})"
        ) from None


def pull_if_missing(image: str, timeout_s: float) -> None:
    """Have the image on this machine.

    Args:
        image: With its tag.
        timeout_s: How long the pull may take.

    Raises:
        NotYetError: The registry did not give it.
    """
    if _docker(["images", "--quiet", image]).strip():
        return
    log.info("pulling %s", image)
    _docker(["pull", "--quiet", image], timeout_s=timeout_s)


def run(arguments: Sequence[str], environment: Mapping[str, str], timeout_s: float) -> None:
    """Run a container.

    Args:
        arguments: What follows `docker run`; the environment's names are put before it.
        environment: Handed to the container by name; no value appears in a command line or an
            error.
        timeout_s: How long Docker's client may take.

    Raises:
        NotYetError: Docker, or a container in the foreground, ended with anything but success.
    """
    names = [word for name in sorted(environment) for word in ("--env", name)]
    _docker(["run", *names, *arguments], environment=environment, timeout_s=timeout_s)


def start(container: Container) -> None:
    """Start a container that was stopped."""
    _docker(["start", container.id])


def remove(container: Container) -> None:
    """Remove a container, running or not."""
    _docker(["rm", "--force", container.id])


def _docker(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    timeout_s: float = COMMAND_TIMEOUT_S,
) -> str:
    hidden = environment or {}
    try:
        done = subprocess.run(
            ["docker", *arguments],
            env={**os.environ, **hidden},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise NodeError("docker is not on this machine. Use an image that has it") from error
    except subprocess.TimeoutExpired:
        raise NotYetError(f"docker {arguments[0]} took longer than {timeout_s:.0f} s") from None
    if done.returncode:
        told = _telling(done.stderr or done.stdout, hidden)
        raise NotYetError(f"docker {arguments[0]} ended with {done.returncode}: {told}")
    return done.stdout


def _telling(text: str, hidden: Mapping[str, str]) -> str:
    for value in sorted(filter(None, hidden.values()), key=len, reverse=True):
        text = text.replace(value, "***")
    return " ".join(text.split())[-TELLING:]
