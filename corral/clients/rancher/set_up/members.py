"""Who works in each environment, beside the administrator."""

from collections.abc import Iterator, Mapping, Sequence

from corral.clients.rancher.client import RancherClient
from corral.clients.rancher.set_up.people import resolve_identities
from corral.clients.rancher.set_up.site import Site, read_project
from corral.cluster import Environment, Member
from corral.domain.set_up.identities import Identity, identities_of_members
from corral.domain.set_up.members import RANCHER_ID, Membership, find_members_to_set
from corral.domain.set_up.steps import Did, Step


def ensure_members(site: Site, environments: Sequence[Environment]) -> Iterator[Step]:
    """See to it that each environment has the members of its list, and the administrator.

    One without a list keeps whoever was made a member by hand.

    Raises:
        PrerequisiteError: Somebody on a list is unknown; the members of that environment are kept.
    """
    rancher = site.administrator()
    administrator = rancher.admin_account_id()
    for environment in environments:
        if environment.members is None:
            continue
        project_id = read_project(rancher, environment.name).id
        wanted = find_memberships(site, environment)
        target = find_members_to_set(wanted, rancher.memberships(project_id), administrator)
        if target:
            rancher.set_memberships(project_id, target)
        yield Step(
            f"members of environment {environment.name}", Did.CHANGED if target else Did.KEPT
        )


def find_memberships(site: Site, environment: Environment) -> list[Membership]:
    """Return the members on an environment's list, as Rancher knows them.

    Raises:
        PrerequisiteError: GitHub does not know somebody, or corral may not look there.
    """
    at_github = identities_of_members([environment])
    ids = resolve_identities(site, at_github) if at_github else {}
    return [_membership(member, ids) for member in environment.named_members]


def find_unknown_accounts(rancher: RancherClient, environment: Environment) -> list[str]:
    """Return a sentence for each account of Rancher on an environment's list that is not there."""
    ids = [member.id for member in environment.named_members if member.kind == RANCHER_ID]
    return [
        f"Rancher has no account {account_id}, whom the environment {environment.name} names as"
        " a member."
        for account_id in ids
        if not rancher.has_account(account_id)
    ]


def _membership(member: Member, ids: Mapping[Identity, str]) -> Membership:
    if member.kind == RANCHER_ID:
        return Membership(member.id, member.kind, member.role)
    kind, _, number = ids[Identity.of(member.kind, member.id)].partition(":")
    return Membership(number, kind, member.role)
