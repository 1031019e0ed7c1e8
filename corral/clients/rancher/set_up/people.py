"""Whom corral knows at GitHub: kept in the vault, so that a name is looked up once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from corral.clients.rancher.client import RancherClient
from corral.clients.rancher.set_up.site import Site
from corral.domain.set_up.access import Acquaintances
from corral.domain.set_up.identities import (
    Identity,
    KnownIdentity,
    ids_by_identity,
    missing_sentence,
)
from corral.errors import PrerequisiteError, RancherRefusedError

GITHUB = "github_"


@dataclass(frozen=True, slots=True)
class People:
    """What corral remembers of GitHub.

    `application` is the fingerprint of the OAuth application that Rancher was given; `login` and
    `user_id` are whoever gave a code, `access_token` is what they let corral look names up with.
    """

    application: str = ""
    login: str = ""
    user_id: str = ""
    access_token: str = field(default="", repr=False)
    ids: Mapping[Identity, str] = field(default_factory=dict)

    def known(self, *, can_look_up: bool) -> Acquaintances:
        """Return what decisions need: nobody is known before somebody came."""
        return Acquaintances(self.ids if self.user_id else {}, can_look_up=can_look_up)


def people_secret(cluster: str) -> str:
    """Return the name of the secret that holds what corral remembers of GitHub."""
    return f"{cluster}/rancher/people"


def read_people(site: Site) -> People:
    """Return what is remembered; nothing at first."""
    kept = site.vault.read(people_secret(site.cluster)) or {}
    names = ((key.partition(" "), value) for key, value in kept.items() if key.startswith(GITHUB))
    return People(
        application=kept.get("application", ""),
        login=kept.get("login", ""),
        user_id=kept.get("user_id", ""),
        access_token=kept.get("access_token", ""),
        ids={Identity(kind, name): value for (kind, _, name), value in names},
    )


def write_people(site: Site, people: People) -> None:
    """Remember this from now on."""
    kept = {
        "application": people.application,
        "login": people.login,
        "user_id": people.user_id,
        "access_token": people.access_token,
    }
    names = {f"{identity.kind} {identity.name}": known for identity, known in people.ids.items()}
    site.vault.write(people_secret(site.cluster), {**kept, **names})


def resolve_identities(site: Site, wanted: Sequence[Identity]) -> dict[Identity, str]:
    """Return Rancher's id of each of GitHub's users, organizations and teams: `github_org:9919`.

    Who is known is not asked for again; who is not is looked up with what a person left.

    Raises:
        PrerequisiteError: GitHub does not know somebody, or corral may not look there.
    """
    people = read_people(site)
    unknown = people.known(can_look_up=False).unknown(wanted)
    if unknown:
        people = look_up(site, people, unknown)
    return {identity: people.ids[identity] for identity in wanted}


def look_up(site: Site, people: People, unknown: Sequence[Identity]) -> People:
    """Look up some names, and remember them.

    Raises:
        PrerequisiteError: GitHub does not know somebody, or corral may not look there.
    """
    rancher = site.administrator()
    own = identities_of(rancher, people)
    if not own:
        raise PrerequisiteError(
            f"corral may not ask GitHub for {', '.join(map(str, unknown))}: run configure-rancher,"
            " which asks a person to let it."
        )
    found = find_ids(rancher, people.access_token, own, unknown)
    missing = [identity for identity in unknown if identity not in found]
    if missing:
        other = f" To have somebody else asked, delete the secret {people_secret(site.cluster)}."
        raise PrerequisiteError(missing_sentence(missing, people.login) + other)
    people = replace(people, ids={**people.ids, **found})
    write_people(site, people)
    return people


def identities_of(rancher: RancherClient, people: People) -> list[KnownIdentity]:
    """Return who the person is at GitHub who let corral look; nobody if that holds no longer."""
    if not people.access_token:
        return []
    try:
        return rancher.identities_of(people.access_token)
    except RancherRefusedError:
        return []


def find_ids(
    rancher: RancherClient,
    access_token: str,
    own: Sequence[KnownIdentity],
    wanted: Sequence[Identity],
) -> dict[Identity, str]:
    """Return the ids of those that are found: first among the person's own, then by name."""
    found = ids_by_identity(own)
    for identity in wanted:
        if identity not in found and "/" not in identity.name:
            found |= ids_by_identity(rancher.find_identities(identity.name, access_token))
    return {identity: found[identity] for identity in wanted if identity in found}
