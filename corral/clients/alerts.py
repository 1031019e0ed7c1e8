"""Tells people: PagerDuty keeps incidents, every other service of Apprise gets messages.

An address is a secret; nothing here logs it, and no error holds it.
"""

from dataclasses import dataclass

from pydantic import SecretStr

from corral.domain.alerts import AlertStep


@dataclass(frozen=True, slots=True)
class Channel:
    """Somewhere people are told of problems: a name for people, and an Apprise URL."""

    name: str
    url: SecretStr


def deliver(channel: Channel, step: AlertStep, *, pagerduty_url: str | None = None) -> None:
    """Tell one channel that an alert opens or is over, tried for some seconds.

    Args:
        channel: Whom to tell.
        step: What to tell.
        pagerduty_url: Where PagerDuty's events go; None is PagerDuty.

    Raises:
        AlertError: It could not be told.
    """
    raise NotImplementedError


def resolve_quietly(channel: Channel, key: str, *, pagerduty_url: str | None = None) -> None:
    """End the incident of this key where incidents are kept; other channels hear nothing.

    Raises:
        AlertError: It could not be told.
    """
    raise NotImplementedError
