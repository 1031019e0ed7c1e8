"""Registries of images and the log-ins there: the next step to take with one.

Rancher never shows a password again. What tells whether it is the right one is a mark that corral
leaves in the log-in's description: the version of the secret that it came from, or the hour at
which it ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import SecretStr

from corral.domain.set_up.steps import is_gone
from corral.errors import AmbiguousError

ACTIVE: Final = "active"
INACTIVE: Final = "inactive"
FRESH: Final = timedelta(hours=8)
"""A password of ECR that lives shorter is renewed: it is looked at every 6 of its 12 hours."""

_VERSION_MARK: Final = "corral: version "
_END_MARK: Final = "corral: valid until "


@dataclass(frozen=True, slots=True)
class KnownRegistry:
    """A registry as Rancher lists it."""

    id: str
    address: str
    state: str


@dataclass(frozen=True, slots=True)
class KnownLogin:
    """A log-in as Rancher lists it, without its password; `mark` is its description."""

    id: str
    registry_id: str
    username: str
    mark: str
    state: str


@dataclass(frozen=True, slots=True)
class Login:
    """A user with a password, and the mark by which it is known again."""

    username: str
    password: SecretStr
    mark: str


class RegistryMove(StrEnum):
    """What is to be done next with a registry that shall be there."""

    CREATE = "create"
    ACTIVATE = "activate"
    CREATE_LOGIN = "create log-in"
    ACTIVATE_LOGIN = "activate log-in"
    CHANGE_LOGIN = "change log-in"
    WAIT = "wait"
    KEPT = "kept"


def secret_mark(version: str) -> str:
    """Return the mark of a log-in from a version of a secret; the version itself is no secret."""
    return f"{_VERSION_MARK}{version}"


def end_mark(end: datetime) -> str:
    """Return the mark of a log-in whose password ends at a time."""
    return f"{_END_MARK}{end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def find_registry(
    environment: str, address: str, registries: Sequence[KnownRegistry]
) -> KnownRegistry | None:
    """Return the registry at an address; None if there is none.

    Rancher takes addresses that differ in case only for one. One that is being removed still holds
    its address.

    Raises:
        AmbiguousError: There are several, from a time when Rancher allowed it.

    Source: cattle, RegistryServerAddressFilter.java.
    """
    same = [one for one in registries if one.address.casefold() == address.casefold()]
    living = [one for one in same if not is_gone(one.state)]
    if len(living) > 1:
        what = f"The registry {address} of environment {environment}"
        raise AmbiguousError(what, [one.id for one in living])
    leaving = [one for one in same if one.state == "removing"]
    return next(iter([*living, *leaving]), None)


def find_login(registry: KnownRegistry, logins: Sequence[KnownLogin]) -> KnownLogin | None:
    """Return the log-in of a registry; None if there is none.

    Raises:
        AmbiguousError: There are several; which one hosts take is Rancher's secret.
    """
    found = [one for one in logins if one.registry_id == registry.id and not is_gone(one.state)]
    if len(found) > 1:
        raise AmbiguousError(
            f"The log-in of registry {registry.address}", [one.id for one in found]
        )
    return found[0] if found else None


def is_same(known: KnownLogin | None, wanted: Login) -> bool:
    """Say whether a log-in is the wanted one, as far as user and mark tell."""
    return known is not None and (known.username, known.mark) == (wanted.username, wanted.mark)


def is_fresh(login: KnownLogin | None, now: datetime) -> bool:
    """Say whether a log-in of ECR lives long enough for another look to come first.

    One that somebody else wrote does not say: it counts as stale.
    """
    if login is None or not login.mark.startswith(_END_MARK):
        return False
    try:
        end = datetime.fromisoformat(login.mark.removeprefix(_END_MARK))
    except ValueError:
        return False
    return end.tzinfo is not None and end - now >= FRESH


def next_move(
    registry: KnownRegistry | None, login: KnownLogin | None, *, is_current: bool
) -> RegistryMove:
    """Return the next legal step towards an active registry with the right log-in.

    Args:
        registry: As Rancher shows it; None if there is none.
        login: As Rancher shows it; None if there is none.
        is_current: Whether the log-in is the wanted one.

    Source: cattle, spring-process-context.xml (storagepool, credential).
    """
    if registry is None:
        return RegistryMove.CREATE
    if registry.state != ACTIVE:
        return RegistryMove.ACTIVATE if registry.state == INACTIVE else RegistryMove.WAIT
    if login is None:
        return RegistryMove.CREATE_LOGIN
    if login.state == INACTIVE:
        return RegistryMove.ACTIVATE_LOGIN
    if login.state != ACTIVE:
        return RegistryMove.WAIT
    return RegistryMove.KEPT if is_current else RegistryMove.CHANGE_LOGIN
