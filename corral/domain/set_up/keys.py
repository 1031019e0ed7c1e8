"""API keys: which one is kept, and which are left over."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from corral.domain.set_up.steps import GONE_STATES

# A key in one of these states works, or will in a moment without anybody's help.
# Source: Rancher 1.6, credential process: registering -> registered/activating -> active.
GOOD_KEY_STATES = frozenset(
    {"requested", "registering", "registered", "activating", "active", "updating-active"}
)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An API key: its public and its secret half."""

    access_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KnownKey:
    """An API key as Rancher lists it, without its secret half."""

    id: str
    name: str
    state: str
    access_key: str
    created: datetime
    """By Rancher's clock."""


def key_name(secret: str) -> str:
    """Return the name of the API key whose secret half is kept under `secret`."""
    return f"corral:{secret}"


def find_stored(stored: KeyPair | None, listed: Sequence[KnownKey]) -> KnownKey | None:
    """Return the key that Secrets Manager holds, if Rancher has it and will let it in."""
    found = (key for key in listed if stored and key.access_key == stored.access_key)
    return next((key for key in found if key.state in GOOD_KEY_STATES), None)


def ours(name: str, listed: Sequence[KnownKey]) -> list[KnownKey]:
    """Return the keys of a name of ours that are there; those of others are other people's."""
    return [key for key in listed if key.name == name and key.state not in GONE_STATES]


def is_barred(key: KnownKey) -> bool:
    """Say whether a key lets nobody in, and will not by itself."""
    return key.state not in GOOD_KEY_STATES


def find_leftovers(
    name: str, listed: Sequence[KnownKey], stored: KeyPair | None
) -> tuple[KnownKey, ...]:
    """Return the keys of our name that nobody can use: they are to be removed.

    While the vault holds none, that is every one: the secret half was shown once to a run that died
    before it stored it. Afterwards a key that works may be in somebody's hands although another has
    taken its place, and only the rotation knows for how long.
    """
    return tuple(key for key in ours(name, listed) if stored is None or is_barred(key))


def next_removal_action(state: str) -> str | None:
    """Return the one action that brings a key nearer to its end; None while it is under way.

    Source: Rancher 1.6 lets nothing be removed that is active.
    """
    return {"active": "deactivate", "inactive": "remove"}.get(state)
