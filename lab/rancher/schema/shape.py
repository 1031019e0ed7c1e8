"""How the kinds of resource of the API are described: fields, filters, actions, and for whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lab.rancher import state_tables

ADMIN = "admin"
USER = "user"
PROJECT = "project"
READONLY = "readonly"
RESTRICTED = "restricted"
REGISTER = "register"
AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a resource.

    `access` has a letter for each thing a caller may do who has that right on the type: c set it
    at creation, r read it, u change it, o read it in the answer to its creation only.
    """

    type: str = "string"
    access: str = "r"
    admin: str | None = None
    """The same for admins; None: as for everybody."""
    column: bool = True
    """Whether it is a column of the table: only columns can be filtered and sorted by."""
    required: bool = False
    nullable: bool = True
    default: object = None
    options: tuple[str, ...] = ()

    def access_of(self, role: str) -> str:
        """Return what a role may do with the field at most."""
        return self.admin if role == ADMIN and self.admin is not None else self.access


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a resource. `states`: where it is offered, None: always."""

    states: frozenset[str] | None
    input: str | None = None
    output: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One type of the schema."""

    name: str
    base: str
    prefix: str
    plural: str
    fields: Mapping[str, Field]
    rights: Mapping[str, str]
    """Letters of c, r, u, d by role; a role that is missing does not know of the type."""
    actions: Mapping[str, Action] = field(default_factory=dict)
    kind: str | None = None
    """Rows of this kind only, where several types share a table."""
    collected: bool = True
    """Whether there is a collection of them; inputs and outputs of actions have none."""

    def field_access(self, role: str, name: str) -> str:
        """Return what a role may do with a field: the field's access within the type's rights."""
        rights = self.rights.get(role, "")
        access = self.fields[name].access_of(role)
        return "".join(letter for letter in access if letter == "o" or letter in rights)


def column(kind: str = "string", access: str = "r", admin: str | None = None) -> Field:
    """Describe a column."""
    return Field(kind, access, admin)


def extra(kind: str = "string", access: str = "r", admin: str | None = None) -> Field:
    """Describe a field that is not a column, so that no filter knows it."""
    return Field(kind, access, admin, column=False)


COMMON: Final[Mapping[str, Field]] = {
    "accountId": column("reference[account]"),
    "created": column("date"),
    "data": Field("map[json]", "", "r", column=False),
    "description": column("string", "cru"),
    "id": column("int"),
    "kind": column("string"),
    "name": column("string", "cru"),
    "removed": column("date"),
    "removeTime": column("date", "", "r"),
    "state": column("enum"),
    "transitioning": extra("enum"),
    "transitioningMessage": extra("string"),
    "transitioningProgress": extra("int"),
    "uuid": column("string"),
}
"""cattle: schema/user/user-auth.json"""


def process_actions(base: str, names: str, output: str) -> dict[str, Action]:
    """Return the actions that are processes, offered where these may start."""
    table = state_tables.TABLES[base]
    return {name: Action(table[name].starts, None, output) for name in names.split()}
