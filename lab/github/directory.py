"""Who there is on the stand-in for GitHub: users, organisations, teams, one application. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

CLIENT_ID: Final = "Iv1.corral0000lab"
CLIENT_SECRET: Final = "0123456789abcdef0123456789abcdef01234567"
"""Of the one OAuth application, as GitHub makes them: 40 hexadecimal digits."""

WEB: Final = "https://github.com"
API: Final = "https://api.github.com"

Document = dict[str, object]


@dataclass(frozen=True, slots=True)
class Team:
    """One team of an organisation."""

    id: int
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Organisation:
    """One organisation. Users and organisations share one row of numbers on GitHub."""

    id: int
    login: str
    name: str
    teams: Sequence[Team]


@dataclass(frozen=True, slots=True)
class User:
    """One person. `teams` are written organisation/team; being in one is being in the other."""

    id: int
    login: str
    name: str
    teams: Sequence[str] = ()

    @property
    def organisations(self) -> frozenset[str]:
        """Return the logins of the organisations the user is in."""
        return frozenset(team.partition("/")[0] for team in self.teams)


ORGANISATIONS: Final[Mapping[str, Organisation]] = {
    "acme": Organisation(
        9919,
        "acme",
        "Acme Incorporated",
        (Team(4101, "ops", "Ops"), Team(4102, "developers", "Developers")),
    ),
    "initech": Organisation(9920, "initech", "Initech", (Team(4201, "everyone", "Everyone"),)),
}
USERS: Final[Mapping[str, User]] = {
    "octocat": User(583231, "octocat", "The Octocat", ("acme/ops",)),
    "hubot": User(480938, "hubot", "Hubot", ("acme/developers", "initech/everyone")),
    "stranger": User(700001, "stranger", "A Stranger"),
}


def find_account(account_id: int) -> User | Organisation | None:
    """Return the user or organisation of a number."""
    everybody: list[User | Organisation] = [*USERS.values(), *ORGANISATIONS.values()]
    return next((one for one in everybody if one.id == account_id), None)


def find_team(team_id: int) -> tuple[Organisation, Team] | None:
    """Return a team by its number, and whose it is."""
    return next(
        (
            (organisation, team)
            for organisation in ORGANISATIONS.values()
            for team in organisation.teams
            if team.id == team_id
        ),
        None,
    )


def teams_of(user: User) -> list[tuple[Organisation, Team]]:
    """Return the teams a user is in, by their numbers."""
    return [
        (organisation, team)
        for organisation in ORGANISATIONS.values()
        for team in organisation.teams
        if f"{organisation.login}/{team.slug}" in user.teams
    ]


def describe_account(account: User | Organisation) -> Document:
    """Return a user or an organisation as GitHub shows it by itself.

    Source: docs.github.com, REST API, "Get a user", "Get an organization".
    """
    kind = "User" if isinstance(account, User) else "Organization"
    return {
        "login": account.login,
        "id": account.id,
        "avatar_url": f"https://avatars.githubusercontent.com/u/{account.id}?v=4",
        "url": f"{API}/users/{account.login}",
        "html_url": f"{WEB}/{account.login}",
        "type": kind,
        "name": account.name,
    }


def list_organisation(organisation: Organisation) -> Document:
    """Return an organisation as one of a list: without its name and its page.

    Source: docs.github.com, REST API, "List organizations for the authenticated user".
    """
    whole = describe_account(organisation)
    return {
        "login": organisation.login,
        "id": organisation.id,
        "url": f"{API}/orgs/{organisation.login}",
        "avatar_url": whole["avatar_url"],
        "description": "",
    }


def describe_team(organisation: Organisation, team: Team) -> Document:
    """Return a team, with the organisation whose it is.

    Source: docs.github.com, REST API, "List teams for the authenticated user".
    """
    return {
        "id": team.id,
        "name": team.name,
        "slug": team.slug,
        "description": "",
        "privacy": "closed",
        "permission": "pull",
        "url": f"{API}/teams/{team.id}",
        "html_url": f"{WEB}/orgs/{organisation.login}/teams/{team.slug}",
        "organization": list_organisation(organisation),
    }
