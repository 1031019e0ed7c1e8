"""What set-up has to do about keys, access control and environments: what exists in, steps out.

Every decision starts from what is there, so that a set-up that died anywhere is finished by running
it again. Nothing here asks or changes anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from corral.errors import AmbiguousError, PrerequisiteError

# A key in one of these states works, or will in a moment without anybody's help.
# Source: Rancher 1.6, credential process: registering -> registered/activating -> active.
GOOD_KEY_STATES = frozenset({"requested", "registering", "registered", "activating", "active"})
GONE_STATES = frozenset({"removing", "removed", "purging", "purged"})
NO_PROVIDER = frozenset({"", "none"})

# The names under which Rancher says where a setting comes from; the first wins over the database.
# Source: cattle, TransformedEnvironmentProperties.java.
ENVIRONMENT_SOURCE = "Environment Variables"


class Did(StrEnum):
    """What a step of set-up came to."""

    CREATED = "created"
    KEPT = "kept"
    CHANGED = "changed"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of set-up and what it came to."""

    what: str
    did: Did

    def __str__(self) -> str:
        """Say it as a line of a report."""
        return f"{self.what}: {self.did}"


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


@dataclass(frozen=True, slots=True)
class KnownProject:
    """An environment as Rancher lists it.

    `host_remove_delay_s` is its own delay of Rancher's remover of disconnected hosts; negative
    means off, None that the setting for all environments holds.
    """

    id: str
    name: str
    state: str
    host_remove_delay_s: int | None = None


def key_name(secret: str) -> str:
    """Return the name of the API key whose secret half is kept under `secret`."""
    return f"corral:{secret}"


def find_stored(stored: KeyPair | None, listed: Sequence[KnownKey]) -> KnownKey | None:
    """Return the key that Secrets Manager holds, if Rancher has it and will let it in."""
    found = (key for key in listed if stored and key.access_key == stored.access_key)
    return next((key for key in found if key.state in GOOD_KEY_STATES), None)


def find_leftovers(
    name: str, listed: Sequence[KnownKey], kept: KnownKey | None
) -> tuple[KnownKey, ...]:
    """Return the keys of our name that nobody can use: they are to be removed.

    They are left over from a run that died before it stored them. The secret half was shown that
    once and is lost. Keys of other names are other people's.
    """
    mine = (key for key in listed if key.name == name and key.state not in GONE_STATES)
    return tuple(key for key in mine if kept is None or key.id != kept.id)


def is_gone(state: str) -> bool:
    """Say whether something in this state is gone or cannot be kept from going."""
    return state in GONE_STATES


def next_removal_action(state: str) -> str | None:
    """Return the one action that brings a key nearer to its end; None while it is under way.

    Source: Rancher 1.6 lets nothing be removed that is active.
    """
    return {"active": "deactivate", "inactive": "remove"}.get(state)


def needs_access_control(*, enabled: bool, provider: str) -> bool:
    """Say whether local access control is still to be switched on.

    Rancher switches security on before it has verified the password, and notes the provider last,
    so that a half-done switch shows as security without a provider.

    Source: cattle, LocalAuthConfigManager.java.
    """
    return not enabled or provider in NO_PROVIDER


def needs_setting(name: str, *, value: str, source: str, wanted: str) -> bool:
    """Say whether a setting is to be written.

    Raises:
        PrerequisiteError: An environment variable of the server wins over whatever is written.
    """
    if value == wanted:
        return False
    if source == ENVIRONMENT_SOURCE:
        variable = "CATTLE_" + name.upper().replace(".", "_")
        raise PrerequisiteError(
            f"Rancher's setting {name} is {value}, not {wanted}, and cannot be changed: the servers"
            f" were started with {variable}, which wins over it; start them without it."
        )
    return True


def find_project(name: str, projects: Sequence[KnownProject]) -> KnownProject | None:
    """Return the environment of a name; None if there is none.

    Raises:
        AmbiguousError: Rancher allows one name twice; guessing would send hosts astray.
    """
    found = [p for p in projects if p.name == name and p.state not in GONE_STATES]
    if len(found) > 1:
        raise AmbiguousError(f"The environment {name}", [project.id for project in found])
    return found[0] if found else None


def project_ids(names: Sequence[str], projects: Sequence[KnownProject]) -> dict[str, str]:
    """Return the id of each environment by its name.

    Raises:
        AmbiguousError: A name is held twice.
        PrerequisiteError: An environment is missing.
    """
    found = {name: find_project(name, projects) for name in names}
    if missing := [name for name, project in found.items() if project is None]:
        raise PrerequisiteError(
            f"Rancher has no environment {', '.join(missing)}: set it up first."
        )
    return {name: project.id for name, project in found.items() if project}
