"""The secrets about Rancher that corral keeps: their names, their shapes, and their place."""

from collections.abc import Mapping
from typing import Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from corral.domain.set_up.keys import KeyPair
from corral.errors import PrerequisiteError


class Vault(Protocol):
    """Where secrets are kept: named JSON objects."""

    def read(self, name: str) -> dict[str, str] | None:
        """Return a secret; None if there is none."""

    def version(self, name: str) -> str:
        """Return what changes with every change of a secret, and tells nothing of it."""

    def write(self, name: str, value: Mapping[str, str]) -> None:
        """Store a secret, new or changed."""


class Stored(BaseModel):
    """A secret of ours; what is missing in it counts as empty."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    access_key: str = ""
    secret_key: str = ""

    @property
    def pair(self) -> KeyPair | None:
        """The API key in it; None if there is none."""
        if not (self.access_key and self.secret_key):
            return None
        return KeyPair(self.access_key, self.secret_key)


class AdminSecret(Stored):
    """The administrator's API key and password."""

    username: str = ""
    password: str = ""


class HostsSecret(Stored):
    """What a host needs to join an environment: where it is, its API key, and whom to alert.

    `alerts` are Apprise URLs, one a line.
    """

    url: str = ""
    project_id: str = ""
    alerts: str = ""


S = TypeVar("S", bound=Stored)


def admin_secret(cluster: str) -> str:
    """Return the name of the secret that holds the administrator's key and password."""
    return f"{cluster}/rancher/admin"


def read_admin_key(vault: Vault, cluster: str) -> KeyPair | None:
    """Return the administrator's key of a cluster; None before set-up has made it."""
    return read_secret(vault, admin_secret(cluster), AdminSecret).pair


def read_secret(vault: Vault, path: str, kind: type[S]) -> S:
    """Return a secret of ours; an empty one if there is none.

    Raises:
        PrerequisiteError: Somebody stored something else under that name.
    """
    try:
        return kind.model_validate(vault.read(path) or {})
    except ValidationError as error:
        raise PrerequisiteError(
            f"The secret {path} is not as corral writes it: its values must be strings."
        ) from error
