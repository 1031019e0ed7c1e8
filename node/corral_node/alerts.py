"""Tells people what this machine cannot set right by itself, once, and when it is over.

The channels' addresses (Apprise URLs) are secrets: a log names a channel by its kind only.
"""

import hashlib
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import requests
from apprise import Apprise, NotifyBase, NotifyType
from apprise.plugins.pagerduty import NotifyPagerDuty

from corral_node.errors import NodeError, NotYetError
from corral_node.memory import Memory
from corral_node.waiting import Deadline, await_success, cut_off

log = logging.getLogger(__name__)

# Apprise tells what it could not do with the address it could not reach.
logging.getLogger("apprise").setLevel(logging.CRITICAL)

PAGERDUTY_VARIABLE = "CORRAL_PAGERDUTY_URL"
PAGERDUTY = {"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"}
ACCEPTED = 202
TOO_MANY = 429
SUMMARY_LONGEST = 1024
TIMEOUT_S = (3.0, 5.0)
INTERVAL_S = 3.0
DEADLINE_S = 15.0
"""All channels get one try each, and what is left of this for more."""
CUT_OFF_S = 25.0


class Kind(StrEnum):
    """What can go wrong that somebody should hear of; the value is part of the problem's key."""

    JOIN = "join"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Place:
    """Which machine of which environment it is about."""

    environment: str
    instance_id: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that went wrong, or is over."""

    kind: Kind
    place: Place
    text: str

    @property
    def key(self) -> str:
        """Return what makes a later message one about the same problem."""
        return f"corral/{self.place.environment}/{self.kind}/{self.place.instance_id}"

    @property
    def title(self) -> str:
        """Return one line for people."""
        return f"Host {self.place.instance_id} cannot {self.kind} {self.place.environment}"


class Channel(Protocol):
    """One way to people."""

    @property
    def name(self) -> str:
        """Return what kind of channel it is; no secret."""
        ...

    @property
    def digest(self) -> str:
        """Return what it is recognised by; no secret."""
        ...

    def send(self, problem: Problem, *, is_over: bool) -> None:
        """Tell of a problem, or of its end.

        Raises:
            NotYetError: It was not taken so far.
            NodeError: It will never be taken.
        """
        ...


def _digest(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """Opens and resolves incidents.

    Source: PagerDuty developer documentation, Events API v2, "Send an alert event".
    """

    digest: str
    url: str
    routing_key: str
    source: str
    name: str = "pagerduty"

    def send(self, problem: Problem, *, is_over: bool) -> None:
        """Trigger an incident, or resolve it."""
        event: dict[str, object] = {
            "routing_key": self.routing_key,
            "event_action": "resolve" if is_over else "trigger",
            "dedup_key": problem.key,
        }
        if not is_over:
            event["payload"] = {
                "summary": problem.title[:SUMMARY_LONGEST],
                "source": self.source,
                "severity": "error",
                "custom_details": {"text": problem.text},
            }
        try:
            answer = requests.post(self.url, json=event, timeout=TIMEOUT_S, allow_redirects=False)
        except requests.RequestException as error:
            raise NotYetError(f"it does not answer ({type(error).__name__})") from None
        if answer.status_code == ACCEPTED:
            return
        if 400 <= answer.status_code < 500 and answer.status_code != TOO_MANY:  # noqa: PLR2004 - HTTP's range
            raise NodeError(f"PagerDuty refused the event with {answer.status_code}")
        raise NotYetError(f"it answered {answer.status_code}")


@dataclass(frozen=True, slots=True)
class Chat:
    """Any other channel that Apprise knows; it hears of the beginning and of the end."""

    digest: str
    plugin: NotifyBase
    name: str

    def send(self, problem: Problem, *, is_over: bool) -> None:
        """Write one message."""
        taken = self.plugin.notify(
            title=f"Over: {problem.title}" if is_over else problem.title,
            body=problem.text,
            notify_type=NotifyType.SUCCESS if is_over else NotifyType.FAILURE,
        )
        if not taken:
            raise NotYetError("it did not take the message")


def read_channels(addresses: str) -> list[Channel]:
    """Return the channels behind Apprise URLs, one a line; what is none is left out, and said."""
    channels: list[Channel] = []
    for number, line in enumerate(addresses.splitlines(), start=1):
        address = line.strip()
        plugin = Apprise.instantiate(address) if address else None
        if plugin is not None:
            channels.append(_channel(plugin, _digest(address)))
        elif address:
            log.warning("line %d of the alert channels is no Apprise URL: left out", number)
    return channels


def _channel(plugin: NotifyBase, digest: str) -> Channel:
    if not isinstance(plugin, NotifyPagerDuty):
        return Chat(digest, plugin, str(plugin.service_name))
    base = os.environ.get(PAGERDUTY_VARIABLE) or PAGERDUTY[plugin.region_name]
    return PagerDuty(
        digest=digest,
        url=f"{base.rstrip('/')}/v2/enqueue",
        routing_key=plugin.integration_key,
        source=plugin.source,
    )


def report(problem: Problem, addresses: str, memory: Memory) -> None:
    """Tell every channel that has not heard of a problem; never fails.

    Args:
        problem: What went wrong.
        addresses: Apprise URLs, one a line.
        memory: Who has heard of it before, perhaps in an earlier run.
    """
    heard = memory.told.get(problem.key, frozenset())
    channels = [one for one in read_channels(addresses) if one.digest not in heard]
    if not channels:
        log.info("nobody is told: no alert channel is known, or all have heard of it")
        return
    heard |= _send(channels, problem, is_over=False)
    _note(memory, problem, heard)


def report_all_over(place: Place, text: str, addresses: str, memory: Memory) -> None:
    """Tell those who heard of this machine's problems that they are over; never fails."""
    for problem in (Problem(kind, place, text) for kind in Kind):
        heard = memory.told.get(problem.key, frozenset())
        if not heard:
            continue
        channels = [one for one in read_channels(addresses) if one.digest in heard]
        told = _send(channels, problem, is_over=True)
        _note(memory, problem, {one.digest for one in channels} - told)


def _note(memory: Memory, problem: Problem, heard: Iterable[str]) -> None:
    try:
        memory.note_told(problem.key, heard)
    except NodeError as error:
        log.warning("the next run may tell it again: %s", error)


def _send(channels: Iterable[Channel], problem: Problem, *, is_over: bool) -> frozenset[str]:
    """Return who was told."""
    told = set()
    deadline = Deadline.after(DEADLINE_S)
    try:
        with cut_off(CUT_OFF_S, "telling people"):
            for channel in channels:
                if _tell(channel, problem, deadline, is_over=is_over):
                    told.add(channel.digest)
    except NodeError as error:
        log.error("not everybody was told of %s: %s", problem.key, error)  # noqa: TRY400 - a sentence
    return frozenset(told)


def _tell(channel: Channel, problem: Problem, deadline: Deadline, *, is_over: bool) -> bool:
    try:
        await_success(
            lambda: channel.send(problem, is_over=is_over),
            f"the channel {channel.name} to take {problem.key}",
            deadline=deadline,
            advice="Look at the channel's address in the cluster's secrets",
            interval_s=INTERVAL_S,
        )
    except NodeError as error:
        log.error("%s was not told: %s", channel.name, error)  # noqa: TRY400 - a sentence
        return False
    log.info("%s was told that %s is %s", channel.name, problem.key, "over" if is_over else "open")
    return True
