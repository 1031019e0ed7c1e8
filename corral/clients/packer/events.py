"""Packer's machine-readable lines as typed events.

A line is `timestamp,target,type,data...`; commas and line ends within data are escaped.
Source: packer.io documentation, "Machine-Readable Output"; packer, command and packer/ui.go.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """What an event says, so that a listener can choose how loud to be."""

    STEP = "step"
    """Packer begins something."""
    DETAIL = "detail"
    """What it came to; all that Ansible prints."""
    TROUBLE = "trouble"
    """An error as it happened."""
    FAULT = "fault"
    """Why the build failed, told a second time at its end."""
    IMAGE = "image"
    """The id of the image that was made."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, ready to be shown."""

    kind: EventKind
    text: str


Listener = Callable[[Event], None]

_KINDS = {
    "say": EventKind.STEP,
    "message": EventKind.DETAIL,
    "error": EventKind.TROUBLE,
}
_FIELDS = 3
_PREFIX = re.compile(r"^(?:==>| {3}) [\w.-]+: ?", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# At its end Packer says once more how it went, in other words.
_SAID_ALREADY = re.compile(
    r"\s*(?:Build '[^']+' |==> Wait completed|==> Some builds|==> Builds|-->)"
)


def read_event(line: str) -> Event | None:
    """Return the event of one line; None for a line that nobody needs to see.

    A line of another shape is passed on as a detail: Packer's crash reports are such lines.
    """
    fields = line.split(",")
    if len(fields) <= _FIELDS or not fields[0].isdigit():
        return _event(EventKind.DETAIL, line)
    kind, data = fields[2], [_plain(field) for field in fields[3:]]
    if kind == "ui":
        return _said(data[0], ",".join(data[1:]))
    if kind == "error":
        return _event(EventKind.FAULT, data[0])
    if kind == "artifact" and data[1:2] == ["id"]:
        # Of one region, as `us-east-1:ami-0123`.
        return _event(EventKind.IMAGE, data[-1].rpartition(":")[2])
    return None


def _said(kind: str, words: str) -> Event | None:
    if _SAID_ALREADY.match(words):
        # Credentials that are not there are told in this way only; the fault tells them again.
        return None
    return _event(_KINDS.get(kind, EventKind.DETAIL), _PREFIX.sub("", words))


def _event(kind: EventKind, words: str) -> Event | None:
    text = _COLOUR.sub("", words).strip()
    return Event(kind, text) if text else None


def _plain(field: str) -> str:
    return field.replace("%!(PACKER_COMMA)", ",").replace("\\n", "\n").replace("\\r", "")
