"""What this machine remembers from one run of the program to the next, and over a stop.

systemd gives the folder (`StateDirectory=`). No secret is written: a channel is known by a digest.
"""

import json
import logging
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from corral_node.errors import NodeError

log = logging.getLogger(__name__)

FOLDER_VARIABLE = "STATE_DIRECTORY"
DEFAULT_FOLDER = Path("/var/lib/corral-node")
FILE = "memory.json"


@dataclass(frozen=True, slots=True)
class Remembered:
    """The whole of it."""

    parked_host: str = ""
    """Id of the host that `leave` took out of service because its machine was stopping."""

    told: dict[str, list[str]] = field(default_factory=dict)
    """Who heard of an open problem: digests of channels, by the problem's key."""


class Memory:
    """One small file, read and written as a whole."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    @classmethod
    def of_machine(cls) -> "Memory":
        """Return the memory in the folder that systemd made."""
        return cls(Path(os.environ.get(FOLDER_VARIABLE) or DEFAULT_FOLDER))

    @property
    def parked_host(self) -> str:
        """Return the id of the host to be put into service again, or nothing."""
        return self._read().parked_host

    def park(self, host_id: str) -> None:
        """Remember that this host goes out of service only for as long as its machine is off.

        Raises:
            NodeError: It cannot be written down.
        """
        self._write(replace(self._read(), parked_host=host_id))

    def unpark(self) -> None:
        """Forget the host that was to be put into service again.

        Raises:
            NodeError: It cannot be written down.
        """
        if self.parked_host:
            self._write(replace(self._read(), parked_host=""))

    @property
    def told(self) -> dict[str, frozenset[str]]:
        """Return who heard of the problems that are open, by their keys."""
        return {key: frozenset(channels) for key, channels in self._read().told.items()}

    def note_told(self, key: str, channels: Iterable[str]) -> None:
        """Remember who has heard of a problem; nobody means that it is over.

        Raises:
            NodeError: It cannot be written down.
        """
        remembered = self._read()
        told = {**remembered.told, key: sorted(channels)}
        self._write(replace(remembered, told={one: who for one, who in told.items() if who}))

    def _read(self) -> Remembered:
        try:
            return _parse(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Remembered()
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            log.warning("%s is not as it was written, so it counts as empty: %s", self._path, error)
            return Remembered()

    def _write(self, remembered: Remembered) -> None:
        part = self._path.with_suffix(".part")
        try:
            part.write_text(json.dumps(asdict(remembered)), encoding="utf-8")
            part.replace(self._path)
        except OSError as error:
            raise NodeError(
                f"{self._path} cannot be written: {error.strerror}. Look at the disk, and at "
                "StateDirectory= of the unit"
            ) from error


def _parse(text: str) -> Remembered:
    raw = json.loads(text)
    told = {str(key): list(map(str, channels)) for key, channels in raw["told"].items()}
    return Remembered(parked_host=str(raw["parked_host"]), told=told)
