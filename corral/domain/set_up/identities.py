"""Who people are at GitHub: the name that a cluster file has, and the id that Rancher goes by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from corral.cluster import Environment, GithubAccess

USER, ORGANIZATION, TEAM = "github_user", "github_org", "github_team"


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody by a name that people know: `octocat`, `acme`, or `acme/ops` for a team.

    `kind` is Rancher's: github_user, github_org or github_team. Names have no upper case.
    """

    kind: str
    name: str

    @classmethod
    def of(cls, kind: str, name: str) -> "Identity":
        """Return the identity of a name as somebody wrote it: GitHub ignores its case."""
        return cls(kind, name.strip().lower())

    def __str__(self) -> str:
        """Say it in a sentence."""
        word = {USER: "user", ORGANIZATION: "organization", TEAM: "team"}.get(self.kind, self.kind)
        return f"{word} {self.name}"


@dataclass(frozen=True, slots=True)
class KnownIdentity:
    """Somebody as GitHub says it through Rancher.

    `external_id` is GitHub's number. A team's login is its slug; whose it is says its page alone.

    Source: rancher-auth-service, providers/github/github_account.go.
    """

    kind: str
    external_id: str
    login: str
    page: str = ""

    @property
    def id(self) -> str:
        """What Rancher keeps and compares: `github_org:9919`."""
        return f"{self.kind}:{self.external_id}"

    @property
    def identity(self) -> Identity:
        """What people call it."""
        if self.kind != TEAM:
            return Identity.of(self.kind, self.login)
        organization = self.page.partition("/orgs/")[2].partition("/")[0]
        return Identity.of(self.kind, f"{organization}/{self.login}")


def identities_let_in(access: GithubAccess) -> tuple[Identity, ...]:
    """Return whom a cluster file lets in."""
    organizations = [Identity.of(ORGANIZATION, name) for name in access.organizations]
    return (*organizations, *(Identity.of(TEAM, name) for name in access.teams))


def identities_of_members(environments: Iterable[Environment]) -> tuple[Identity, ...]:
    """Return the members of environments who are known at GitHub, each once."""
    kinds = {USER, ORGANIZATION, TEAM}
    members = (member for environment in environments for member in environment.named_members)
    found = [Identity.of(member.kind, member.id) for member in members if member.kind in kinds]
    return tuple(dict.fromkeys(found))


def ids_by_identity(found: Sequence[KnownIdentity]) -> dict[Identity, str]:
    """Return Rancher's id of each identity."""
    return {known.identity: known.id for known in found}


def missing_sentence(missing: Sequence[Identity], person: str) -> str:
    """Return what is to be done about names that GitHub does not know.

    Organizations and users are found by their names, teams only among the person's own.

    Source: rancher-auth-service, GProvider.SearchIdentities.
    """
    names = ", ".join(map(str, missing))
    hint = (
        f" A team is only found if {person}, who gave corral the code, is in it."
        if any(identity.kind == TEAM for identity in missing)
        else ""
    )
    return f"GitHub knows no {names}: correct the name in the cluster file.{hint}"
