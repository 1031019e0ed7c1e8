"""Stacks and services of the API: what may be asked of them, and by whom."""

import re
from collections.abc import Mapping
from typing import Final

from lab.rancher.bodies import Values, validated
from lab.rancher.call import Call
from lab.rancher.callers import role_in
from lab.rancher.managers import Manager
from lab.rancher.problems import ApiError, invalid
from lab.rancher.rendering import Document, format_id
from lab.rancher.rows import Service, Stack
from lab.rancher.schema.containers import SERVICE
from lab.rancher.schema.stacks import STACK, STACK_UPGRADE

MAX_NAME: Final = 63


class StackManager(Manager[Stack]):
    """Stacks.

    cattle: StackValidationFilter.java, StackOutputFilter.java, test_stack.py
    """

    scheduled = frozenset({"name"})

    def __init__(self) -> None:
        super().__init__(STACK)

    def document(self, call: Call, row: Stack) -> Document:
        """Return a stack with its health and its services."""
        services = call.cluster.store.services.where("stack_id", row.id)
        living = [format_id(SERVICE.name, one.id) for one in services if one.removed is None]
        health = call.cluster.health.of_stack(row)
        return {**super().document(call, row), "healthState": health, "serviceIds": living}

    def offered(self, call: Call, row: Stack) -> list[str]:
        """Return the actions: none of an infrastructure stack for who may not change hosts."""
        if row.system and not call.caller.may_change_hosts:
            return []
        return super().offered(call, row)

    def make(self, call: Call, values: Values) -> Stack:
        """Make a stack. Infrastructure only owners make; for others it becomes a common one.

        cattle: schema/owner/owner-auth.json (stack.system)
        """
        self._check_name(call, values)
        given = {name: value for name, value in values.items() if value is not None}
        given["system"] = given.get("system") is True and _is_owner(call)
        return self.store_new(call, Stack(kind=STACK.name, **given))  # type: ignore[arg-type]

    def update(self, call: Call, resource_id: str) -> Document:
        """Change a stack's name or description; its files change by an upgrade only."""
        row = self.find(call, resource_id)
        name = call.body.get("name")
        if name is not None and str(name).casefold() != (row.name or "").casefold():
            self._check_name(call, call.body)
        return super().update(call, resource_id)

    def check_change(self, call: Call, row: Stack) -> None:
        """Refuse changes of infrastructure by who may not change hosts."""
        if row.system and not call.caller.may_change_hosts:
            raise ApiError(403, "Forbidden", "Cannot change system stack")

    def custom(self, call: Call, row: Stack, action: str) -> Document | None:
        """Start or stop the services at once; take what an upgrade is to bring."""
        if action in ("activateservices", "deactivateservices"):
            call.cluster.stacks.each_service(row, action.removesuffix("services"))
            return self.document(call, row)
        if action == "upgrade":
            row.upgrade = validated(
                STACK_UPGRADE, call.caller.role, call.body, call.cluster.store, create=True
            )
        return None

    def _check_name(self, call: Call, values: Mapping[str, object]) -> None:
        name = values.get("name")
        if not isinstance(name, str):
            raise invalid("MissingRequired", "name")
        if not name:
            raise invalid("MinLengthExceeded", "name")
        if len(name) > MAX_NAME:
            raise invalid("MaxLengthExceeded", "name")
        if not re.fullmatch("[a-zA-Z0-9-]+", name) or name.startswith("-") or name.endswith("-"):
            raise invalid("InvalidCharacters", "name")
        stacks = call.cluster.store.stacks.where("account_id", call.caller.account.id)
        taken = [(one.name or "").casefold() for one in stacks if one.removed is None]
        if name.casefold() in taken:
            raise invalid("NotUnique", "name")


class ServiceManager(Manager[Service]):
    """Services, which are only read."""

    def __init__(self) -> None:
        super().__init__(SERVICE)

    def document(self, call: Call, row: Service) -> Document:
        """Return a service with its health."""
        health = call.cluster.health.of_service(row)
        return {**super().document(call, row), "healthState": health}


def _is_owner(call: Call) -> bool:
    """Say whether an owner calls in an environment; its own key is none.

    cattle: AuthDaoImpl.getRole
    """
    caller = call.caller
    return role_in(call.cluster.store, caller.user, caller.identities, caller.account) == "owner"
