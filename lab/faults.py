"""What the lab is told to answer wrongly: rules, and what each does to a call.

Safe to use from any thread: moto answers in threads of its own, everything else on the event loop.
`effects.py` plays an effect on HTTP.
"""

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

TARGETS: Final = ("aws", "rancher", "alerts", "github")
HTTP_STATUSES: Final = range(200, 600)
RESET_STATUS: Final = 0
"""What the journal shows as status of a call whose connection was cut by a fault."""


class FaultRuleError(ValueError):
    """A fault rule says something that the lab does not understand."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a fault does to one call: wait, then cut it, or answer instead of the target.

    Seconds are real ones and not divided by the lab's scale: whoever sets them has the time-outs of
    real clients in mind.
    """

    status: int | None = None
    delay_s: float = 0.0
    """Seconds before anything is answered."""
    reset: bool = False
    """The connection ends without an answer."""
    body: Any = None
    """Instead of the target's own: a string is sent as it is, anything else as JSON."""
    content_type: str | None = None
    """Of a string, if not what the target's answers have."""
    trickle_s: float = 0.0
    """Seconds over which the body arrives, piece by piece; whoever's body it is."""
    cut: bool = False
    """The connection ends after half of the body; whoever's body it is."""

    @property
    def answers(self) -> bool:
        """Say whether the call gets the fault's answer instead of the target's own."""
        return self.status is not None or self.body is not None

    @property
    def mangles(self) -> bool:
        """Say whether the body does not arrive as it should."""
        return self.cut or self.trickle_s > 0


@dataclass(slots=True)
class _Rule:
    id: str
    target: str
    match: dict[str, Any]
    effect: Effect
    times: int | None
    after: int

    def fits(self, target: str, facts: Mapping[str, Any]) -> bool:
        return self.target == target and all(
            facts.get(key) == wanted for key, wanted in self.match.items()
        )


def _status(name: str, value: object) -> int | None:
    if value is not None and (type(value) is not int or value not in HTTP_STATUSES):
        raise FaultRuleError(f"effect.{name} has to be an HTTP status, not {value!r}")
    return value


def _seconds(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise FaultRuleError(f"effect.{name} has to be a number of seconds, not {value!r}")
    return float(value)


def _switch(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise FaultRuleError(f"effect.{name} has to be true or false, not {value!r}")
    return value


def _media_type(name: str, value: object) -> str:
    if not isinstance(value, str) or "/" not in value:
        raise FaultRuleError(f"effect.{name} has to be one such as text/html, not {value!r}")
    return value


_READERS: Final[Mapping[str, Callable[[str, object], Any]]] = {
    "status": _status,
    "delay_s": _seconds,
    "reset": _switch,
    "body": lambda _name, value: value,
    "content_type": _media_type,
    "trickle_s": _seconds,
    "cut": _switch,
}


def _read_effect(raw: object) -> Effect:
    if not isinstance(raw, dict) or not raw or set(raw) - set(_READERS):
        known = ", ".join(_READERS)
        raise FaultRuleError(f"effect has to be an object with one or more of {known}")
    return Effect(**{name: _READERS[name](name, value) for name, value in raw.items()})


def _whole(name: str, value: object, least: int) -> int:
    if type(value) is not int or value < least:
        raise FaultRuleError(f"{name} has to be a whole number from {least} on, not {value!r}")
    return value


def _read_rule(rule_id: str, raw: Mapping[str, Any]) -> _Rule:
    unknown = set(raw) - {"target", "match", "effect", "times", "after"}
    if unknown:
        raise FaultRuleError(f"a fault has no field {', '.join(sorted(unknown))}")
    if raw.get("target") not in TARGETS:
        raise FaultRuleError(f"target has to be one of {', '.join(TARGETS)}")
    match = raw.get("match") or {}
    if not isinstance(match, dict):
        raise FaultRuleError('match has to be an object, such as {"operation": "RunInstances"}')
    times = raw.get("times")
    return _Rule(
        id=rule_id,
        target=raw["target"],
        match=dict(match),
        effect=_read_effect(raw.get("effect")),
        times=None if times is None else _whole("times", times, 1),
        after=_whole("after", raw.get("after", 0), 0),
    )


class Faults:
    """The rules that make the lab answer wrongly, in the order in which they were added."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: dict[str, _Rule] = {}
        self._ids = itertools.count(1)
        self.clearings = 0
        """How often all rules were forgotten: what a fault holds up is let go by that."""

    def add(self, rule: Mapping[str, Any]) -> str:
        """Take one rule as posted to the lever and return its id.

        `match` is compared with the operation and the attributes of a call, all of it; the first
        `after` calls that fit pass, the next `times` (null: all) get the effect.

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
            self.clearings += 1

    def take(
        self, target: str, operation: str, attributes: Mapping[str, Any] | None = None
    ) -> Effect | None:
        """Return what the first rule that fits does to this call, and count it down."""
        if not self._rules:
            return None
        facts = {**(attributes or {}), "operation": operation}
        with self._lock:
            rule = next(
                (rule for rule in self._rules.values() if _is_due(rule, target, facts)), None
            )
            if rule is None:
                return None
            if rule.times is not None:
                rule.times -= 1
                if rule.times == 0:
                    del self._rules[rule.id]
            return rule.effect


def _is_due(rule: _Rule, target: str, facts: Mapping[str, Any]) -> bool:
    """Say whether a rule has this call; one that is to come later counts it instead."""
    if not rule.fits(target, facts):
        return False
    if rule.after == 0:
        return True
    rule.after -= 1
    return False
