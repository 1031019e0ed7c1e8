"""Reads systemd's unit files: as much of them as the lab's machines obey."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

SPAN_UNITS = {
    "us": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0,
    "m": 60.0, "min": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "hours": 3600.0, "d": 86400.0, "day": 86400.0,
}  # fmt: skip
SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")


class UnitError(ValueError):
    """A unit file says something that the lab's systemd does not understand."""


def parse_span(text: str) -> float:
    """Return a time span in seconds, as `1h 30min`; a bare number is seconds.

    Source: systemd.time(7), "Parsing time spans".
    """
    if text == "infinity":
        return inf
    if not text or SPAN.sub("", text).strip():
        raise UnitError(f"{text!r} is no time span")
    try:
        return sum(float(count) * SPAN_UNITS[unit or "s"] for count, unit in SPAN.findall(text))
    except KeyError as error:
        raise UnitError(f"{text!r} is no time span: unknown unit {error}") from error


@dataclass(frozen=True, slots=True)
class Unit:
    """One service."""

    name: str
    type: str
    exec_start: tuple[tuple[str, ...], ...]
    exec_stop: tuple[tuple[str, ...], ...]
    environment: Mapping[str, str]
    remain_after_exit: bool
    restart: str
    restart_s: float
    restart_prevent: frozenset[int]
    start_timeout_s: float
    stop_timeout_s: float
    start_limit_interval_s: float
    start_limit_burst: int
    condition_paths: tuple[str, ...]
    wants: tuple[str, ...]
    after: tuple[str, ...]
    before: tuple[str, ...]
    state_directories: tuple[str, ...]
    wanted_by: tuple[str, ...]

    @property
    def is_oneshot(self) -> bool:
        """Say whether the unit is started only when its program has ended."""
        return self.type == "oneshot"

    def starts_before(self, other: "Unit") -> bool:
        """Say whether this unit is started before another, and so stopped after it.

        Source: systemd.unit(5), `Before=`, `After=`.
        """
        return other.name in self.before or self.name in other.after

    def restarts_after(self, exit_code: int) -> bool:
        """Say whether a program that ended like this is started again.

        Source: systemd.service(5), the table at `Restart=`. A negative code is a signal.
        """
        if exit_code in self.restart_prevent:
            return False
        return self.restart == "always" or (self.restart == "on-failure" and exit_code != 0)


class _Settings:
    """All assignments of a file, in order: a setting may be given several times."""

    def __init__(self, text: str) -> None:
        self._values: dict[tuple[str, str], list[str]] = {}
        section = ""
        for line in text.replace("\\\n", " ").splitlines():
            stripped = line.strip()
            if not stripped or stripped[0] in "#;":
                continue
            if stripped.startswith("["):
                section = stripped.strip("[]")
                continue
            name, separator, value = stripped.partition("=")
            if not separator:
                raise UnitError(f"{stripped!r} is no assignment")
            self._add(section, name.strip(), value.strip())

    def _add(self, section: str, name: str, value: str) -> None:
        values = self._values.setdefault((section, name), [])
        if value:
            values.append(value)
        else:
            values.clear()  # an empty assignment takes back the earlier ones

    def every(self, section: str, name: str) -> list[str]:
        return self._values.get((section, name), [])

    def last(self, section: str, name: str, default: str) -> str:
        return next(reversed(self.every(section, name)), default)


def parse_unit(name: str, text: str) -> Unit:
    """Return what a unit file says, with systemd's own defaults for what it does not say.

    Source: systemd.service(5), systemd.unit(5), systemd-system.conf(5).
    """
    settings = _Settings(text)
    kind = settings.last("Service", "Type", "simple")
    return Unit(
        name=name,
        type=kind,
        exec_start=_commands(settings.every("Service", "ExecStart")),
        exec_stop=_commands(settings.every("Service", "ExecStop")),
        environment=_environment(settings.every("Service", "Environment")),
        remain_after_exit=settings.last("Service", "RemainAfterExit", "no") in ("yes", "true"),
        restart=settings.last("Service", "Restart", "no"),
        restart_s=parse_span(settings.last("Service", "RestartSec", "100ms")),
        restart_prevent=frozenset(
            map(int, " ".join(settings.every("Service", "RestartPreventExitStatus")).split())
        ),
        start_timeout_s=parse_span(
            settings.last("Service", "TimeoutStartSec", "infinity" if kind == "oneshot" else "90s")
        ),
        stop_timeout_s=parse_span(settings.last("Service", "TimeoutStopSec", "90s")),
        start_limit_interval_s=parse_span(settings.last("Unit", "StartLimitIntervalSec", "10s")),
        start_limit_burst=int(settings.last("Unit", "StartLimitBurst", "5")),
        condition_paths=tuple(settings.every("Unit", "ConditionPathExists")),
        wants=_names(settings.every("Unit", "Wants")),
        after=_names(settings.every("Unit", "After")),
        before=_names(settings.every("Unit", "Before")),
        state_directories=_names(settings.every("Service", "StateDirectory")),
        wanted_by=_names(settings.every("Install", "WantedBy")),
    )


def _names(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(" ".join(lines).split())


def _commands(lines: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    commands = tuple(tuple(shlex.split(line)) for line in lines)
    for command in commands:
        if not command[0].startswith("/"):
            raise UnitError(f"{command[0]!r} has to be an absolute path without a prefix")
    return commands


def _environment(lines: Sequence[str]) -> dict[str, str]:
    assignments = [word for line in lines for word in shlex.split(line)]
    return dict(word.split("=", 1) for word in assignments if "=" in word)
