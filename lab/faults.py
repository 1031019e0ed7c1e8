"""What was asked of the lab and what it is told to answer wrongly: the journal and the faults.

Both are safe to use from any thread: moto answers in threads of its own, everything else on the
event loop.
"""

import asyncio
import itertools
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TARGETS = ("aws", "rancher", "alerts")
EFFECTS = ("status", "delay_s", "reset", "body")
HTTP_STATUSES = range(200, 600)
RESET_STATUS = 0
"""What the journal shows as status of a call whose connection was cut by a fault."""


class FaultRuleError(ValueError):
    """A fault rule says something that the lab does not understand."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a fault does to one call: wait first, then cut it, or answer instead of the target."""

    status: int | None = None
    delay_s: float = 0.0
    reset: bool = False
    body: Any = None

    @property
    def answers(self) -> bool:
        """Say whether the call gets the fault's answer instead of the target's own."""
        return self.status is not None or self.body is not None


@dataclass(slots=True)
class _Rule:
    id: str
    target: str
    match: dict[str, Any]
    effect: Effect
    times: int | None

    def fits(self, target: str, facts: Mapping[str, Any]) -> bool:
        return self.target == target and all(
            facts.get(key) == wanted for key, wanted in self.match.items()
        )


def _read_effect(raw: object) -> Effect:
    if not isinstance(raw, dict) or not raw or set(raw) - set(EFFECTS):
        raise FaultRuleError(f"effect has to be an object with one or more of {', '.join(EFFECTS)}")
    status = raw.get("status")
    if status is not None and (type(status) is not int or status not in HTTP_STATUSES):
        raise FaultRuleError(f"effect.status has to be an HTTP status, not {status!r}")
    delay_s = raw.get("delay_s", 0.0)
    if isinstance(delay_s, bool) or not isinstance(delay_s, int | float) or delay_s < 0:
        raise FaultRuleError(f"effect.delay_s has to be a number of seconds, not {delay_s!r}")
    return Effect(status, float(delay_s), bool(raw.get("reset")), raw.get("body"))


def _read_rule(rule_id: str, raw: Mapping[str, Any]) -> _Rule:
    unknown = set(raw) - {"target", "match", "effect", "times"}
    if unknown:
        raise FaultRuleError(f"a fault has no field {', '.join(sorted(unknown))}")
    if raw.get("target") not in TARGETS:
        raise FaultRuleError(f"target has to be one of {', '.join(TARGETS)}")
    match = raw.get("match") or {}
    if not isinstance(match, dict):
        raise FaultRuleError('match has to be an object, such as {"operation": "RunInstances"}')
    times = raw.get("times")
    if times is not None and (type(times) is not int or times < 1):
        raise FaultRuleError(f"times has to be a positive number or null, not {times!r}")
    return _Rule(rule_id, raw["target"], dict(match), _read_effect(raw.get("effect")), times)


class Faults:
    """The rules that make the lab answer wrongly, in the order in which they were added."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: dict[str, _Rule] = {}
        self._ids = itertools.count(1)

    def add(self, rule: Mapping[str, Any]) -> str:
        """Take one rule as posted to the lever and return its id.

        Raises:
            FaultRuleError: the rule has a field or value that means nothing here.

        """
        with self._lock:
            rule_id = f"f{next(self._ids)}"
            self._rules[rule_id] = _read_rule(rule_id, rule)
        return rule_id

    def clear(self) -> None:
        """Forget every rule."""
        with self._lock:
            self._rules.clear()

    def take(
        self, target: str, operation: str, attributes: Mapping[str, Any] | None = None
    ) -> Effect | None:
        """Return what the first rule that fits does to this call, and count it down."""
        facts = {**(attributes or {}), "operation": operation}
        with self._lock:
            rule = next((rule for rule in self._rules.values() if rule.fits(target, facts)), None)
            if rule is None:
                return None
            if rule.times is not None:
                rule.times -= 1
                if rule.times == 0:
                    del self._rules[rule.id]
            return rule.effect


@dataclass(slots=True)
class Journal:
    """Every call that the lab received: how often which operation got which answer."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _counts: dict[tuple[str, str, int], int] = field(default_factory=dict)
    _bodies: list[dict[str, Any]] = field(default_factory=list)

    def record(self, target: str, operation: str, status: int, body: object = None) -> None:
        """Note one call. One with a body (an alert) is kept by itself, the others are counted."""
        with self._lock:
            if body is not None:
                row = {"target": target, "operation": operation, "status": status}
                self._bodies.append({**row, "count": 1, "body": body})
                return
            key = (target, operation, status)
            self._counts[key] = self._counts.get(key, 0) + 1

    def rows(self) -> list[dict[str, Any]]:
        """Return the calls in the order of their first appearance, then those with a body."""
        with self._lock:
            counted = [
                {"target": target, "operation": operation, "status": status, "count": count}
                for (target, operation, status), count in self._counts.items()
            ]
            return counted + [dict(row) for row in self._bodies]

    def clear(self) -> None:
        """Forget every call."""
        with self._lock:
            self._counts.clear()
            self._bodies.clear()


def cut(connection: socket.socket) -> None:
    """Make the next close of this connection a reset (RST), as a crashed peer's would be."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def plain_error(status: int) -> web.Response:
    """Answer a bare status, for targets that have no error shape of their own."""
    return web.json_response({"status": status}, status=status)


async def apply_effect(
    effect: Effect,
    request: web.Request,
    error: Callable[[int], web.Response] = plain_error,
) -> web.Response | None:
    """Do to an aiohttp request what the effect says.

    `delay_s` is real time and not divided by the lab's scale: whoever sets it has the time-outs of
    real clients in mind.

    Args:
        effect: what `Faults.take` returned.
        request: the call.
        error: makes the target's own error answer for a status without a body.

    Returns:
        The answer to give, or None when the call goes on as if nothing had happened.

    """
    await asyncio.sleep(effect.delay_s)
    if effect.reset:
        if request.transport is not None:
            cut(request.transport.get_extra_info("socket"))
            request.transport.abort()
        return web.Response(status=500)
    if not effect.answers:
        return None
    status = effect.status or web.HTTPOk.status_code
    if effect.body is None:
        return error(status)
    if isinstance(effect.body, str):
        return web.Response(text=effect.body, status=status)
    return web.json_response(effect.body, status=status)
