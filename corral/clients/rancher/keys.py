"""API keys of Rancher: made once, kept in a vault, replaced only if they open nothing any more."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from corral.clients.polling import Waiting, wait_until
from corral.clients.rancher.client import RancherClient
from corral.domain.access import (
    Did,
    KeyPair,
    KnownKey,
    find_leftovers,
    find_stored,
    is_gone,
    next_removal_action,
)
from corral.errors import RancherConflictError, RancherGoneError

log = logging.getLogger(__name__)

ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one state of Rancher's is waited for, and how often it is looked at."""

    deadline: timedelta
    interval: timedelta

    def wait(self, condition: str, probe: Callable[[], Sequence[str]]) -> None:
        """Wait until the probe has nothing to say.

        Raises:
            GateTimeoutError: It still had something to say at the deadline.
        """
        wait_until(
            condition, probe, deadline=self.deadline, interval=self.interval, on_wait=_report
        )


def ensure_key(
    rancher: RancherClient,
    *,
    account_id: str,
    name: str,
    description: str,
    stored: KeyPair | None,
    store: Callable[[KeyPair], None],
    patience: Patience,
) -> Did:
    """See to it that an account has one key of this name, that it is stored, and that it works.

    A new key is stored at once, before it works: its secret half is shown only once. A run that
    dies just before that leaves a key that is found by its name and removed.

    Args:
        rancher: Speaks as an administrator.
        account_id: Whose key it is: an administrator's account, or an environment.
        name: The name that corral gives to this key and to no other.
        description: Tells people where the secret half is kept.
        stored: What the vault holds; None if nothing.
        store: Puts a new key into the vault.
        patience: How long Rancher may take to bring a key from one state to the next.
    """
    listed = rancher.api_keys()
    kept = find_stored(stored, listed)
    if kept and stored and not _works(rancher, stored, patience):
        kept = None
    leftovers = find_leftovers(name, listed, kept)
    for key in leftovers:
        _remove(rancher, key, patience)
    if kept:
        return Did.CHANGED if leftovers else Did.KEPT
    pair = rancher.create_key(account_id, name, description)
    store(pair)
    patience.wait(f"API key {name}", lambda: _states(rancher, pair))
    patience.wait(f"API key {name}", lambda: _refusals(rancher, pair))
    return Did.REPLACED if stored else Did.CREATED


def _works(rancher: RancherClient, pair: KeyPair, patience: Patience) -> bool:
    """Say whether a key opens anything, once it is active."""
    patience.wait(f"API key {pair.access_key}", lambda: _states(rancher, pair))
    return not _refusals(rancher, pair)


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
