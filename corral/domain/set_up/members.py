"""Members of an environment: who they shall be, beside the administrator."""

from collections.abc import Iterable
from dataclasses import dataclass

OWNER = "owner"
RANCHER_ID = "rancher_id"


@dataclass(frozen=True, slots=True)
class Membership:
    """One member as Rancher knows people: an id, what kind of id that is, and a role."""

    external_id: str
    kind: str
    role: str

    @property
    def person(self) -> tuple[str, str]:
        """Who it is, whatever the role."""
        return self.kind, self.external_id


def find_members_to_set(
    wanted: Iterable[Membership], known: Iterable[Membership], administrator: str
) -> tuple[Membership, ...]:
    """Return all members that are to be set instead of the known ones; none if nothing differs.

    Rancher takes no list without an owner, and whoever sets it must not lock itself out: the
    administrator stays an owner, whatever the list says.

    Args:
        wanted: By the cluster file.
        known: By Rancher.
        administrator: Id of the account that corral speaks for, as `1a1`.

    Source: cattle, ProjectMemberResourceManager.setMembers.
    """
    own = Membership(administrator, RANCHER_ID, OWNER)
    others = {member.person: member for member in wanted if member.person != own.person}
    target = (own, *others.values())
    return () if set(target) == set(known) else target
