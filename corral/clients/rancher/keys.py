"""API keys of Rancher: made once, kept in a vault, replaced when they are old or open nothing."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from corral.clients.polling import Seldom, Waiting, wait_until
from corral.clients.rancher.client import RancherClient
from corral.domain.set_up.keys import (
    KeyPair,
    KnownKey,
    find_leftovers,
    find_stored,
    key_name,
    next_removal_action,
)
from corral.domain.set_up.rotation import Fate, KeyFate, RotationRule, plan_rotation
from corral.domain.set_up.steps import Did, is_gone
from corral.errors import RancherConflictError, RancherGoneError

log = logging.getLogger(__name__)

ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one state of Rancher's is waited for, and how often it is looked at."""

    deadline: timedelta
    interval: timedelta

    def wait(self, condition: str, probe: Callable[[], Sequence[str]], *, passes: int = 1) -> None:
        """Wait until the probe has nothing to say, so many times in a row.

        Raises:
            GateTimeoutError: It still had something to say at the deadline.
        """
        wait_until(
            condition,
            probe,
            deadline=self.deadline,
            interval=self.interval,
            passes=passes,
            on_wait=Seldom(_report),
        )


@dataclass(frozen=True, slots=True)
class KeyHome:
    """Whose key it is, and where its secret half is kept."""

    account_id: str
    """An administrator's account, or an environment."""
    path: str
    """Of the secret; the key's name and description tell it to people."""
    stored: KeyPair | None
    """What the vault holds; None if nothing."""
    store: Callable[[KeyPair], None]
    """Puts a new key into the vault."""

    @property
    def name(self) -> str:
        """Return the name of the key."""
        return key_name(self.path)


def ensure_key(rancher: RancherClient, home: KeyHome, patience: Patience) -> Did:
    """See to it that an account has a key of this name, that it is stored, and that it works.

    Args:
        rancher: Speaks as an administrator.
        home: Whose key it is, and where it is kept.
        patience: How long Rancher may take to bring a key from one state to the next.
    """
    listed = rancher.api_keys()
    kept = _find_working(rancher, home, listed, patience)
    leftovers = find_leftovers(home.name, listed, home.stored)
    for key in leftovers:
        _remove(rancher, key, patience)
    if kept:
        return Did.CHANGED if leftovers else Did.KEPT
    _make(rancher, home, patience)
    return Did.REPLACED if home.stored else Did.CREATED


def rotate_key(
    rancher: RancherClient, whose: str, home: KeyHome, patience: Patience, rule: RotationRule
) -> tuple[KeyFate, ...]:
    """Replace a key that is too old, or opens nothing, and remove those whose time has passed.

    Nothing is removed that somebody may still work with: a later run does. So a run may die
    anywhere, and two may run at once.

    Args:
        rancher: Speaks as an administrator; with which key does not matter, it works on.
        whose: Whose key it is, for people.
        home: Whose key it is, and where it is kept.
        patience: How long Rancher may take; twice its deadline is at most `MAKING`.
        rule: When a key is too old, and for how long it works on.
    """
    listed = rancher.api_keys()
    current = _find_working(rancher, home, listed, patience)
    rotation = plan_rotation(home.name, listed, current, rule)
    fate = Fate.MADE if rotation.make else Fate.KEPT
    for key in rotation.remove:  # first, or keys that cannot be stored would pile up
        _remove(rancher, key, patience)
    if rotation.make:
        current = _make(rancher, home, patience)
    return (
        KeyFate(whose, fate, current),
        *(KeyFate(whose, Fate.LEAVING, each.key, each.until) for each in rotation.leaving),
        *(KeyFate(whose, Fate.REMOVED, key) for key in rotation.remove),
    )


def _find_working(
    rancher: RancherClient, home: KeyHome, listed: Sequence[KnownKey], patience: Patience
) -> KnownKey | None:
    """Return the key that the vault holds, if it opens anything once it is active."""
    stored = home.stored
    found = find_stored(stored, listed)
    if found is None or stored is None:
        return None
    patience.wait(f"API key {found.access_key}", lambda: _states(rancher, stored))
    return None if _refusals(rancher, stored) else found


def _make(rancher: RancherClient, home: KeyHome, patience: Patience) -> KnownKey | None:
    """Make a key, and store it once it works: who reads the vault never gets one that does not.

    The secret half is shown only once. A run that dies before it is stored leaves a key behind that
    is found by its name.
    """
    name = home.name
    pair = rancher.create_key(home.account_id, name, f"Kept in AWS Secrets Manager as {home.path}")
    patience.wait(f"API key {name}", lambda: _states(rancher, pair))
    patience.wait(f"API key {name}", lambda: _refusals(rancher, pair))
    home.store(pair)
    return find_stored(pair, rancher.api_keys())


def _states(rancher: RancherClient, pair: KeyPair) -> list[str]:
    known = find_stored(pair, rancher.api_keys())
    if known is None:
        return ["Rancher does not list it"]
    return [] if known.state == ACTIVE else [f"it is {known.state}"]


def _refusals(rancher: RancherClient, pair: KeyPair) -> list[str]:
    return [] if RancherClient(rancher.url, pair).is_accepted() else ["Rancher does not accept it"]


def _remove(rancher: RancherClient, key: KnownKey, patience: Patience) -> None:
    log.info("the API key %s (%s) is in no vault: it is removed", key.id, key.name)
    patience.wait(f"API key {key.id} removed", lambda: _step_to_removal(rancher, key))


def _step_to_removal(rancher: RancherClient, key: KnownKey) -> list[str]:
    """Take the next legal step and say where the key is; whoever was faster did it for us."""
    state = next((known.state for known in rancher.api_keys() if known.id == key.id), "removed")
    if is_gone(state):
        return []
    if action := next_removal_action(state):
        with suppress(RancherConflictError, RancherGoneError):
            rancher.act_on_key(key.id, action)
    return [f"it is {state}"]


def _report(waiting: Waiting) -> None:
    log.info("%s", waiting)
