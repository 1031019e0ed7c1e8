"""Accounts and environments (which Rancher calls projects), and who is a member of them."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lab.rancher.bodies import Values
from lab.rancher.call import Call
from lab.rancher.callers import identity_key, parse_id, role_in
from lab.rancher.engine import ProcessCancelledError, is_active
from lab.rancher.managers import Manager
from lab.rancher.members import active_members, read_members, set_members
from lab.rancher.problems import ApiError, invalid, not_found
from lab.rancher.project_templates import orchestration
from lab.rancher.rendering import Document, collection
from lab.rancher.rows import Account, Row
from lab.rancher.schema import SPELLINGS, TYPES
from lab.rancher.schema.accounts import ACCOUNT, PROJECT_MEMBER, PROJECT_TYPE
from lab.rancher.schema.shape import ADMIN, PROJECT, USER
from lab.rancher.store import Store

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster

PROJECT_KIND = "project"


def find_environment(store: Store, named: str) -> Account:
    """Return the environment of a name or id.

    Raises:
        LookupError: there is none.

    """
    for account in store.accounts:
        if account.kind != PROJECT_KIND or account.removed is not None:
            continue
        if named == account.name or parse_id(named) == account.id:
            return account
    raise LookupError(f"Rancher has no environment {named!r}")


class AccountManager(Manager[Account]):
    """All accounts, environments among them."""

    def __init__(self) -> None:
        super().__init__(ACCOUNT)

    def is_visible(self, call: Call, row: Account) -> bool:
        """Say whether the account is the caller's own, or the caller an admin."""
        return call.caller.sees_all or row.id == call.caller.account.id

    def make(self, call: Call, values: Values) -> Account:
        """Make a user, or what else an admin wants."""
        row = Account(**{"kind": USER, **values})  # type: ignore[arg-type]
        return self.store_new(call, row)


class ProjectManager(Manager[Account]):
    """Environments.

    cattle: ProjectResourceManager.java
    """

    def __init__(self) -> None:
        super().__init__(PROJECT_TYPE)

    def browse(self, call: Call) -> Document:
        """Answer the collection, without pages, filters or order.

        Even admins see only the environments they are a member of, unless they ask for all.
        Of all parameters id, uuid, name and all count, the name without regard to case.
        """
        asked = call.parameters
        if "id" in asked:
            rows = [row for row in self._all(call) if row.id == parse_id(asked["id"])]
        elif "uuid" in asked:
            rows = [row for row in self._all(call) if row.uuid == asked["uuid"]]
        else:
            rows = self._accessible(call)
            name = asked.get("name", "").casefold()
            rows = [row for row in rows if not name or (row.name or "").casefold() == name]
        visible = [row for row in rows if self.is_visible(call, row)]
        return collection(call, self.kind, [self.document(call, row) for row in visible])

    def _all(self, call: Call) -> Iterable[Account]:
        return (row for row in call.cluster.store.accounts if row.kind == PROJECT_KIND)

    def _accessible(self, call: Call) -> list[Account]:
        living = [row for row in self._all(call) if row.removed is None]
        if call.caller.role == ADMIN and call.parameters.get("all", "").lower() == "true":
            return living
        if call.caller.account.kind == PROJECT_KIND:
            return [call.caller.account]
        members = call.cluster.store.project_members
        mine = {
            member.project_id
            for member in members
            if identity_key(member.external_id_type, member.external_id) in call.caller.identities
            and is_active(member)
        }
        return [row for row in living if row.id in mine]

    def is_visible(self, call: Call, row: Account) -> bool:
        """Say whether the caller has a part in it: an inactive one is its owners' alone."""
        if call.caller.role == ADMIN:
            return True
        if row.id == call.caller.account.id:
            return True
        role = self._role(call, row)
        return role == "owner" or (role is not None and is_active(row))

    def _role(self, call: Call, row: Account) -> str | None:
        return role_in(call.cluster.store, call.caller.user, call.caller.identities, row)

    def document(self, call: Call, row: Account) -> Document:
        """Return an environment, with a link for each kind of resource it may hold."""
        document = super().document(call, row)
        document["healthState"] = call.cluster.health.of_environment(row)
        document["members"] = None
        links = document["links"]
        if isinstance(links, dict):
            here = f"{call.urls.version}/projects/{document['id']}"
            links |= {
                kind.plural: f"{here}/{kind.plural}"
                for kind in TYPES.values()
                if kind.rights.get(PROJECT)
            }
            links["projectMembers"] = f"{here}/projectmembers"
        return document

    def offered(self, call: Call, row: Account) -> Sequence[str]:  # type: ignore[override]
        """Return the actions: owners have them all, others none.

        cattle: schema/base/project.json (capability owner)
        """
        if call.caller.role not in (ADMIN, USER) or self._role(call, row) != "owner":
            return []
        return super().offered(call, row)

    def check_change(self, call: Call, row: Account) -> None:
        """Refuse changes by others than owners."""
        if self._role(call, row) != "owner":
            raise ApiError(
                403, "Forbidden", "You must be a project owner to update the name or description."
            )

    def make(self, call: Call, values: Values) -> Account:
        """Make an environment whose owner is its maker, unless members are given.

        It is there already when its members are looked at: if these are refused, it stays, without
        any members.
        cattle: ProjectResourceManager.createProject
        """
        members = values.pop("members", None)
        given = {name: value for name, value in values.items() if value is not None}
        row = Account(**{**given, "kind": PROJECT_KIND})  # type: ignore[arg-type]
        template = call.cluster.store.project_templates.get(row.project_template_id)
        if template is not None:
            row.orchestration = orchestration(template)
        wanted = read_members(members) if members else []
        self.store_new(call, row)
        set_members(call, row, wanted)
        return row

    def delete(self, call: Call, resource_id: str) -> Document:
        """Remove an environment; an active one is deactivated on the way.

        cattle: ProjectResourceManager.deleteInternal
        """
        row = self.find(call, resource_id)
        if self._role(call, row) != "owner":
            raise ApiError(403)
        try:
            call.cluster.engine.start("account", row, "remove")
        except ProcessCancelledError:
            self.start(call, row, "deactivate", ("remove",))
        return self.document(call, row)

    def custom(self, call: Call, row: Account, action: str) -> Document | None:
        """Replace the members."""
        if action != "setmembers":
            return None
        if not call.body.get("members"):
            raise invalid("MissingRequired", "members")
        set_members(call, row, read_members(call.body["members"]))
        return self._members(call, row)

    def follow(self, call: Call, resource_id: str, link: str) -> Document:
        """Answer what an environment holds: its members, as all else is found by its path."""
        row = self.find(call, resource_id)
        if SPELLINGS.get(link.lower()) is not PROJECT_MEMBER:
            raise not_found()
        return self._members(call, row)

    def _members(self, call: Call, row: Account) -> Document:
        manager = call.cluster.managers[PROJECT_MEMBER.name]
        data = [manager.document(call, one) for one in active_members(call, row)]
        return collection(call, PROJECT_MEMBER, data)


class ProjectProcesses:
    """What happens when an environment is removed."""

    def __init__(self, cluster: "RancherCluster") -> None:
        self._cluster = cluster
        cluster.engine.handle("account", "remove", self._remove)
        cluster.engine.handle("account", "purge", self._purge)

    def _remove(self, row: Row) -> bool:
        """Remove what the account owns: hosts, keys, members.

        cattle: AccountRemove.java
        """
        store = self._cluster.store
        for host in store.hosts.where("account_id", row.id):
            self._cluster.retire("host", host)
        for credential in store.credentials.where("account_id", row.id):
            self._cluster.retire("credential", credential)
        for member in store.project_members.where("project_id", row.id):
            self._cluster.retire("projectMember", member)
        return True

    def _purge(self, row: Row) -> bool:
        """Remove what else the account had: stacks and registries.

        cattle: AccountPurge.java
        """
        store = self._cluster.store
        for stack in store.stacks.where("account_id", row.id):
            self._cluster.retire("stack", stack)
        for registry in store.storage_pools.where("account_id", row.id):
            self._cluster.retire("storagePool", registry)
        return True
