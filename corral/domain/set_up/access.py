"""Access control: what is there, what is wanted, and the one next step between the two."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qs, urlencode, urlsplit

from corral.cluster import GithubAccess, LocalAccess
from corral.domain.set_up.identities import Identity, identities_let_in
from corral.errors import PrerequisiteError

NO_PROVIDER = frozenset({"", "none"})
# As Rancher's setting api.auth.provider.configured has them, in whatever case.
PROVIDERS = {"local": "localauthconfig", "github": "githubconfig"}
GITHUB = "github.com"
SCOPE = "read:org"


class AccessMove(StrEnum):
    """What is to be done next about access control."""

    KEEP = "keep"
    SWITCH_LOCAL_ON = "switch local access control on"
    SAVE_APPLICATION = "give Rancher the OAuth application, and let in nobody new"
    ASK_FOR_CODE = "ask a person for a code of GitHub"
    LOOK_UP = "look names up at GitHub"
    MAKE_ADMINISTRATOR = "make whoever gave the code an administrator"
    LET_IN = "let in who is named"


@dataclass(frozen=True, slots=True)
class AccessFound:
    """Access control as Rancher shows it.

    `provider` is as in its setting. `application_saved` says whether Rancher has GitHub's OAuth
    application as the secret has it, `has_administrator` whether one of GitHub's people is one.
    """

    enabled: bool
    provider: str
    mode: str = ""
    allowed: frozenset[str] = frozenset()
    application_saved: bool = False
    has_administrator: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether access control is on, whoever provides it.

        Rancher switches local security on before it has verified the password, and notes the
        provider last: security without a provider is half a switch.

        Source: cattle, LocalAuthConfigManager.java.
        """
        return self.enabled and self.provider.lower() not in NO_PROVIDER

    def is_by(self, kind: str) -> bool:
        """Say whether access control of this kind is on."""
        return self.enabled and self.provider.lower() == PROVIDERS[kind]


@dataclass(frozen=True, slots=True)
class Acquaintances:
    """Whom corral knows at GitHub: Rancher's ids by name, and whether it may look others up."""

    ids: Mapping[Identity, str] = field(default_factory=dict)
    can_look_up: bool = False

    def unknown(self, wanted: Sequence[Identity]) -> tuple[Identity, ...]:
        """Return those whose id is not known."""
        return tuple(identity for identity in wanted if identity not in self.ids)


@dataclass(frozen=True, slots=True)
class Application:
    """An OAuth application of GitHub, which Rancher logs people in with."""

    client_id: str
    client_secret: str = field(repr=False)
    hostname: str | None = None

    @property
    def fingerprint(self) -> str:
        """What tells two applications apart and nobody anything: Rancher never shows a secret."""
        parts = (self.client_id, self.client_secret, self.hostname or "")
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def authorize_url(self, state: str) -> str:
        """Return where a person lets the application in.

        GitHub hands `state` back. It is not the one that Rancher's page made, and so keeps that
        page from using the code up.
        """
        asked = {"client_id": self.client_id, "scope": SCOPE, "state": state}
        return f"https://{self.hostname or GITHUB}/login/oauth/authorize?{urlencode(asked)}"


def next_access_move(
    wish: LocalAccess | GithubAccess,
    found: AccessFound,
    known: Acquaintances | None = None,
    others: Sequence[Identity] = (),
) -> AccessMove:
    """Return the next step towards the access control that is wanted; KEEP if it is there.

    GitHub's is closed before anybody came: security is on and nobody is let in but corral's key,
    so that Rancher is never open while it waits for a person.

    Args:
        wish: What the cluster file says.
        found: What Rancher shows.
        known: Whom corral knows at GitHub.
        others: Whose ids are needed besides those who are let in.

    Raises:
        PrerequisiteError: Another provider is in force, and Rancher cannot change it.
    """
    if fault := find_provider_fault(wish.kind, found):
        raise PrerequisiteError(fault)
    if isinstance(wish, LocalAccess):
        return AccessMove.KEEP if found.is_whole else AccessMove.SWITCH_LOCAL_ON
    if not found.is_by("github") or not found.application_saved:
        return AccessMove.SAVE_APPLICATION
    return _next_of_github(wish, found, known or Acquaintances(), others)


def _next_of_github(
    wish: GithubAccess, found: AccessFound, known: Acquaintances, others: Sequence[Identity]
) -> AccessMove:
    let_in = identities_let_in(wish)
    if known.unknown([*let_in, *others]):
        return AccessMove.LOOK_UP if known.can_look_up else AccessMove.ASK_FOR_CODE
    if not found.has_administrator:
        return AccessMove.MAKE_ADMINISTRATOR
    allowed = frozenset(known.ids[identity] for identity in let_in)
    if found.mode != wish.mode or found.allowed != allowed:
        return AccessMove.LET_IN
    return AccessMove.KEEP


def find_provider_fault(kind: str, found: AccessFound) -> str | None:
    """Return why the wanted provider cannot be had; None if nothing speaks against it.

    Where local access is wanted, which is what a cluster file says that says nothing, a provider
    that no cluster file can name was set by hand, and is left alone.

    Source: Rancher 1.6's manual, "Access Control" (the provider is not to be changed).
    """
    if not found.is_whole or found.is_by(kind):
        return None
    if kind == "local" and not found.is_by("github"):
        return None
    return (
        f"Rancher's access control is {found.provider}, and the cluster file says {kind}: Rancher"
        " cannot change it later, since people and their rights are kept by it; say in"
        " rancher.access what it is, or build a cluster anew."
    )


def find_code(answer: str, state: str) -> str | None:
    """Return the code in what somebody entered: the code alone, or the address that they came to.

    None if there is none, or if the address is of another visit.
    """
    answer = answer.strip()
    if "code=" not in answer:
        return answer if answer and not set(answer) & set("/?=& ") else None
    query = parse_qs(urlsplit(answer).query or answer.rpartition("?")[2])
    if query.get("state", [state]) != [state]:
        return None
    return next(iter(query.get("code", [])), None)
