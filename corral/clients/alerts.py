"""Tells people: PagerDuty keeps incidents, every other service of Apprise gets messages.

An address is a secret: nothing here logs it, and no error holds it.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

import apprise
import requests
import stamina
from apprise.plugins.pagerduty import NotifyPagerDuty
from pydantic import SecretStr

from corral.clients.threads import within
from corral.domain.alerts import Action, AlertStep, OpenAlert, Severity
from corral.errors import AlertError

# What a channel is given to listen: after that, the next run tries again.
TRIES: Final = 3
RETRY_FOR_S: Final = 20.0
FIRST_PAUSE_S: Final = 1.0
TIMEOUT_S: Final = 5.0
# One try, to the end of the answer: the one above only limits the silence between two bytes.
TRY_S: Final = 10.0
# Source: PagerDuty developer documentation, "Send an alert event" and "Service regions".
SUMMARY_LENGTH: Final = 1024
REGIONS: Final = {"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"}

TAKEN: Final = range(200, 300)
CLIENT_FAULTS: Final = range(400, 500)
TOO_MANY: Final = 429
TYPES: Final = {
    Severity.INFO: apprise.NotifyType.INFO,
    Severity.WARNING: apprise.NotifyType.WARNING,
    Severity.ERROR: apprise.NotifyType.FAILURE,
    Severity.CRITICAL: apprise.NotifyType.FAILURE,
}
# Those that write addresses down, some of them only when they debug.
TALKATIVE: Final = ("apprise", "urllib3.connectionpool")
STATUS: Final = re.compile(r"error=(\d{3})\b")

Service = Any
"""A service as Apprise has read it from a URL."""


@dataclass(frozen=True, slots=True)
class Channel:
    """Somewhere people are told of problems: a name for people, and an Apprise URL."""

    name: str
    url: SecretStr


class _NotTakenError(Exception):
    """One try was in vain; `status` is what the service answered, 0 if it did not."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(status)


def deliver(channel: Channel, step: AlertStep, *, pagerduty_url: str | None = None) -> None:
    """Tell one channel that an alert opens or is over, tried for some seconds.

    Args:
        channel: Whom to tell.
        step: What to tell.
        pagerduty_url: Where PagerDuty's events go; None is PagerDuty.

    Raises:
        AlertError: It could not be told.
    """
    service = _service(channel)
    if not isinstance(service, NotifyPagerDuty):
        _keep_trying(channel, service, lambda: _notify(service, step))
    elif step.action is Action.OPEN:
        _keep_trying(channel, service, lambda: _trigger(service, step.alert, pagerduty_url))
    else:
        resolve_quietly(channel, step.alert.key, pagerduty_url=pagerduty_url)


def resolve_quietly(channel: Channel, key: str, *, pagerduty_url: str | None = None) -> None:
    """End the incident of this key where incidents are kept; other channels hear nothing.

    PagerDuty takes it for nothing if there is no such incident.

    Raises:
        AlertError: It could not be told.
    """
    service = _service(channel)
    if isinstance(service, NotifyPagerDuty):
        _keep_trying(channel, service, lambda: _resolve(service, key, pagerduty_url))


def _service(channel: Channel) -> Service:
    with _hushed():
        service = apprise.Apprise.instantiate(channel.url.get_secret_value())
    if service is None:
        raise AlertError(
            channel.name,
            "has an address that Apprise does not understand: correct its secret, as"
            " pagerduty://<integration key>@<API key> or slack://<tokens>.",
        )
    return service


def _keep_trying(channel: Channel, service: Service, send: Callable[[], None]) -> None:
    """Send until the service takes it, or for as long as a channel is given.

    Raises:
        AlertError: It did not take it.
    """
    try:
        for attempt in stamina.retry_context(
            on=_may_pass, attempts=TRIES, timeout=RETRY_FOR_S, wait_initial=FIRST_PAUSE_S
        ):
            with attempt:
                within(TRY_S, send)
    except _NotTakenError as error:
        said = f"answered {error.status}" if error.status else "gave no answer"
        raise AlertError(
            channel.name,
            f"({service.service_name}) {said}: correct its secret if this goes on; the next run"
            " tells it again.",
        ) from error
    except TimeoutError as error:
        # Perhaps it was told: another try at once would say it twice.
        raise AlertError(
            channel.name,
            f"({service.service_name}) did not end its answer within {TRY_S:.0f} s; the next run"
            " tells it again.",
        ) from error


def _may_pass(error: Exception) -> bool:
    """Say whether the same try may work a moment later."""
    return isinstance(error, _NotTakenError) and (
        error.status == TOO_MANY or error.status not in CLIENT_FAULTS
    )


def _notify(service: Service, step: AlertStep) -> None:
    """Send a message to a service that forgets it."""
    alert, is_open = step.alert, step.action is Action.OPEN
    title = alert.title if is_open else f"Resolved: {alert.title}"
    kind = TYPES[alert.severity] if is_open else apprise.NotifyType.SUCCESS
    with _hushed() as statuses:
        is_taken = service.notify(body=alert.text, title=title, notify_type=kind)
    if not is_taken:
        raise _NotTakenError(next(reversed(statuses), 0))


def _trigger(service: Service, alert: OpenAlert, url: str | None) -> None:
    payload = {
        "summary": alert.title[:SUMMARY_LENGTH],
        "source": service.source,
        "severity": alert.severity.value,
        "class": alert.kind,
        "component": alert.scope or alert.kind,
        "custom_details": {"text": alert.text, "since": alert.since.isoformat()},
    }
    _enqueue(service, url, {"event_action": "trigger", "dedup_key": alert.key, "payload": payload})


def _resolve(service: Service, key: str, url: str | None) -> None:
    _enqueue(service, url, {"event_action": "resolve", "dedup_key": key})


def _enqueue(service: Service, url: str | None, event: Mapping[str, object]) -> None:
    """Send PagerDuty an event.

    Not through its own client, whose retries have no end and which speaks to nothing but https.
    The status says all, so what follows it is not read.

    Source: PagerDuty developer documentation, "Send an alert event".
    """
    where = (url or REGIONS[service.region_name]).rstrip("/")
    try:
        with requests.post(
            f"{where}/v2/enqueue",
            json={"routing_key": service.integration_key, **event},
            timeout=TIMEOUT_S,
            allow_redirects=False,
            stream=True,
        ) as answer:
            status = answer.status_code
    except requests.RequestException:
        # Its words are left out, with the address in them.
        raise _NotTakenError(0) from None
    if status not in TAKEN:
        raise _NotTakenError(status)


_heard: ContextVar[list[int] | None] = ContextVar("heard", default=None)
"""The statuses that were logged while a message is sent; None while none is."""


def _keep(record: logging.LogRecord) -> bool:
    """Keep what is logged while a message is sent to ourselves."""
    heard = _heard.get()
    if heard is None:
        return True
    heard += [int(status) for status in STATUS.findall(record.getMessage())]
    return False


for _name in TALKATIVE:
    logging.getLogger(_name).addFilter(_keep)


@contextmanager
def _hushed() -> Iterator[list[int]]:
    """Give the statuses that are logged in this block; nobody hears anything else of it."""
    statuses: list[int] = []
    token = _heard.set(statuses)
    try:
        yield statuses
    finally:
        _heard.reset(token)
