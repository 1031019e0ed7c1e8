"""A stand-in for systemd on one machine: enables, starts and stops services by real unit files."""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

from lab.machines.services import Say, Service
from lab.machines.units import Unit, parse_unit

UNIT_FOLDERS = ("etc/systemd/system", "lib/systemd/system")


class UnknownUnitError(LookupError):
    """No unit file of this name is on the machine."""


class Systemd:
    """The services of one machine; what is enabled starts again at the next boot.

    Args:
        root: The machine's file system; paths in unit files are below it.
        environment: What every program on this machine has.
        logs: Folder for the programs' output, one file a unit.
        speed: So many of systemd's seconds pass in one.
        say: Takes lines for the machine's console.
    """

    def __init__(
        self, root: Path, environment: Mapping[str, str], logs: Path, speed: float, say: Say
    ) -> None:
        self._root = root
        self._environment = environment
        self._logs = logs
        self._speed = speed
        self._say = say
        self._enabled: list[str] = []
        self._services: dict[str, Service] = {}

    def enable(self, name: str) -> None:
        """Have a unit started at every boot."""
        unit = self._load(name)
        if unit.wanted_by and name not in self._enabled:
            self._enabled.append(name)
            self._say(f"systemd: {name} enabled")

    def start(self, name: str) -> None:
        """Start a unit with those it wants, in their order; do not wait, as `--no-block` says."""
        services = [self._service(unit) for unit in self._with_wanted(self._load(name))]
        for service in services:
            earlier = [one for one in services if one.unit.starts_before(service.unit)]
            service.start(after=earlier)

    def boot(self) -> None:
        """Start all enabled units."""
        for name in self._enabled:
            self.start(name)

    def state(self, name: str) -> str:
        """Return a unit's state: inactive, activating, active or failed."""
        service = self._services.get(name)
        return service.state if service else "inactive"

    async def stop(self) -> None:
        """Stop all units as at shutdown: what was started first is stopped last."""
        services = self._services.values()
        order = TopologicalSorter(
            {
                one.unit.name: [
                    other.unit.name for other in services if one.unit.starts_before(other.unit)
                ]
                for one in services
            }
        )
        order.prepare()
        while order.is_active():
            names = order.get_ready()
            await asyncio.gather(*(self._services[name].stop() for name in names))
            order.done(*names)
        self._services.clear()

    async def kill(self) -> None:
        """Let all programs die at once."""
        await asyncio.gather(*(service.kill() for service in self._services.values()))
        self._services.clear()

    def _service(self, unit: Unit) -> Service:
        if unit.name not in self._services:
            self._services[unit.name] = Service(
                unit, self._root, self._environment, self._logs, self._speed, self._say
            )
        return self._services[unit.name]

    def _with_wanted(self, unit: Unit) -> Iterator[Unit]:
        """Yield a unit and what it wants; what is not on the machine is passed over.

        Source: systemd.unit(5), `Wants=`.
        """
        yield unit
        for name in unit.wants:
            with contextlib.suppress(UnknownUnitError):
                yield from self._with_wanted(self._load(name))

    def _load(self, name: str) -> Unit:
        for folder in UNIT_FOLDERS:
            path = self._root / folder / name
            if path.exists():
                return parse_unit(name, path.read_text(encoding="utf-8"))
        raise UnknownUnitError(f"Unit file {name} does not exist.")
