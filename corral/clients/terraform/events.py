"""Terraform's JSON lines as typed events.

Source: developer.hashicorp.com/terraform/internals/machine-readable-ui.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class EventKind(StrEnum):
    """What an event says, so that a listener can choose how loud to be."""

    WAITING = "waiting"
    REFRESHED = "refreshed"
    DRIFTED = "drifted"
    PLANNED = "planned"
    STARTED = "started"
    PROGRESS = "progress"
    DONE = "done"
    FAILED = "failed"
    SUMMARY = "summary"
    WARNING = "warning"
    ERROR = "error"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One warning or error of Terraform."""

    severity: str
    summary: str
    detail: str = ""
    address: str = ""

    def __str__(self) -> str:
        """The whole of it, with the resource in front."""
        where = f"{self.address}: " if self.address else ""
        return where + ". ".join(part for part in (self.summary, self.detail.strip()) if part)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, ready to be shown."""

    kind: EventKind
    text: str
    address: str = ""
    """The resource; empty where the event is about the whole run."""
    elapsed_s: int | None = None
    """How long the resource is being worked on."""
    diagnostic: Diagnostic | None = None


Listener = Callable[[Event], None]

_KINDS = {
    "state_lock_acquire": EventKind.WAITING,
    "refresh_complete": EventKind.REFRESHED,
    "resource_drift": EventKind.DRIFTED,
    "planned_change": EventKind.PLANNED,
    "apply_start": EventKind.STARTED,
    "apply_progress": EventKind.PROGRESS,
    "apply_complete": EventKind.DONE,
    "apply_errored": EventKind.FAILED,
    "change_summary": EventKind.SUMMARY,
}

_DOING = {"create": "creating", "update": "changing", "delete": "destroying", "read": "reading"}
_DONE = {"create": "created", "update": "changed", "delete": "destroyed", "read": "read"}


def read_event(line: str) -> Event | None:
    """Return the event of one line; None for a line that nobody needs to see.

    A line that is no JSON is passed on as a note: Terraform's crash reports are such lines.
    """
    try:
        content = json.loads(line)
    except ValueError:
        return Event(EventKind.NOTE, line) if line.strip() else None
    if not isinstance(content, dict):
        return Event(EventKind.NOTE, line)
    if "diagnostic" in content:
        return _diagnostic(content["diagnostic"])
    kind = _KINDS.get(content.get("type", ""))
    return _event(kind, content) if kind else None


def _diagnostic(content: Mapping[str, Any]) -> Event:
    diagnostic = Diagnostic(
        severity=content["severity"],
        summary=content["summary"],
        detail=content.get("detail", ""),
        address=content.get("address", ""),
    )
    kind = EventKind.ERROR if diagnostic.severity == "error" else EventKind.WARNING
    return Event(kind, str(diagnostic), diagnostic.address, diagnostic=diagnostic)


def _event(kind: EventKind, content: Mapping[str, Any]) -> Event:
    hook = content.get("hook") or content.get("change") or {}
    address = hook.get("resource", {}).get("addr", "")
    elapsed = hook.get("elapsed_seconds")
    text = _text(kind, address, hook.get("action", ""), elapsed)
    return Event(kind, text or content.get("@message", ""), address, elapsed)


def _text(kind: EventKind, address: str, action: str, elapsed: int | None) -> str:
    doing, done = _DOING.get(action, action), _DONE.get(action, action)
    if kind is EventKind.STARTED:
        return f"{address}: {doing}"
    if kind is EventKind.PROGRESS:
        return f"{address}: still {doing}, {_clock(elapsed)}"
    if kind is EventKind.DONE:
        return f"{address}: {done} after {_clock(elapsed)}"
    if kind is EventKind.FAILED:
        return f"{address}: {doing} failed after {_clock(elapsed)}"
    return ""


def _clock(seconds: int | None) -> str:
    minutes, rest = divmod(seconds or 0, 60)
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"
