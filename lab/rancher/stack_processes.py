"""What happens in the processes of stacks: rancher-compose makes services of their files.

rancher-compose-executor: executor/handlers/create_handler.go, upgrade_handler.go
"""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lab.rancher.compose import ComposeError, ServicePlan, read_services
from lab.rancher.engine import ProcessCancelledError
from lab.rancher.rows import Row, Service, Stack
from lab.rancher.services import Services, differs
from lab.rancher.states import ACTIVE, GONE, UPGRADED

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster


class Stacks:
    """Takes stacks through their processes."""

    def __init__(self, cluster: "RancherCluster", services: Services) -> None:
        self._cluster = cluster
        self._services = services
        engine = cluster.engine
        engine.handle("stack", "create", self._create)
        engine.handle("stack", "upgrade", self._upgrade)
        engine.handle("stack", "finishupgrade", self._finish)
        engine.handle("stack", "rollback", self._roll_back)
        engine.handle("stack", "cancelupgrade", self._cancel)
        engine.handle("stack", "remove", self._remove)

    def each_service(self, stack: Stack, process: str) -> None:
        """Start a process of every service that may go through it."""
        for service in self._of(stack):
            with suppress(ProcessCancelledError):
                self._cluster.engine.start("service", service, process)

    def start_services(self, stack: Stack) -> bool:
        """Start the services of a stack that is active, and say whether all are."""
        return stack.state == ACTIVE and self._all(self._of(stack), "activate", ACTIVE) is True

    def _of(self, stack: Stack) -> list[Service]:
        services = self._cluster.store.services.where("stack_id", stack.id)
        return [one for one in services if one.state not in (*GONE, "removing")]

    def _create(self, row: Row) -> bool | None:
        """Make the services; those that are to start, the stack waits for.

        When that cannot be, the stack ends as an error.
        """
        stack = _stack(row)
        services = self._of(stack)
        if not services:
            try:
                plans = self._plan(stack, "create", vars_of(stack))
            except ComposeError as error:
                stack.error = str(error)
                self._cluster.engine.start("stack", stack, "error")
                return False
            services = [self._services.create(stack, plan) for plan in plans]
        if not stack.start_on_create:
            return True
        return self._all(services, "activate", ACTIVE)

    def _all(self, services: list[Service], process: str, done: str) -> bool | None:
        """Start a process wherever it can start, and say whether all are through with it."""
        for service in services:
            if service.state != done:
                with suppress(ProcessCancelledError):
                    self._cluster.engine.start("service", service, process)
        return True if all(service.state == done for service in services) else None

    def _plan(self, stack: Stack, process: str, files: dict[str, Any]) -> list[ServicePlan]:
        """Read files into services, unless a fault makes that fail.

        It has the operation `compose stack.create` or `compose stack.upgrade`, is matched with the
        `name` of the stack, and what it has for a body is the reason that the stack then shows.
        """
        facts = {"name": stack.name}
        effect = self._cluster.world.faults.take("rancher", f"compose stack.{process}", facts)
        if effect is not None:
            raise ComposeError(str(effect.body or "rancher-compose failed"))
        return read_services(
            files.get("docker_compose"),
            files.get("rancher_compose"),
            files.get("environment") or {},
        )

    def _upgrade(self, row: Row) -> bool | None:
        """Upgrade the services that the new files want otherwise, and make those that are new.

        When the files are no good, the stack stays in the state `upgrading` and says why, since
        the process that would make it an error does not start from there; it can be cancelled or
        rolled back. Without any files nothing is done at all.
        event-subscriber: events/external_handler.go (OnError is `stack.error`)
        """
        stack = _stack(row)
        if stack.error is not None or not stack.docker_compose:
            return None if stack.error else True
        if stack.upgrade is not None:
            try:
                self._begin(stack, stack.upgrade)
            except ComposeError as error:
                stack.error = str(error)
                self._cluster.store.changed("stack", stack)
                return None
            stack.upgrade = None
        return self._settled(stack)

    def _begin(self, stack: Stack, wanted: dict[str, Any]) -> None:
        answers = {**stack.environment, **(wanted.get("environment") or {})}
        plans = self._plan(stack, "upgrade", {**wanted, "environment": answers})
        known = {service.name: service for service in self._of(stack)}
        for plan in plans:
            service = known.get(plan.name)
            if service is None:
                self._services.create(stack, plan)
            elif differs(service, plan):
                self._services.upgrade(service, plan)
        stack.previous_external_id = stack.previous_external_id or stack.external_id
        stack.previous_environment = stack.previous_environment or stack.environment
        stack.external_id, stack.environment = wanted.get("external_id"), answers

    def _settled(self, stack: Stack) -> bool | None:
        """Say whether all services are upgraded, or as they were; new ones are started."""
        services = self._of(stack)
        fresh = [one for one in services if one.previous is None and one.state != ACTIVE]
        upgraded = [one for one in services if one.previous is not None]
        done = all(one.state == UPGRADED for one in upgraded)
        return self._all(fresh, "activate", ACTIVE) if done else None

    def _finish(self, row: Row) -> bool | None:
        """Finish the upgrades of the services; there is no way back then."""
        stack = _stack(row)
        waiting = [one for one in self._of(stack) if one.previous is not None]
        if waiting and not self._all(waiting, "finishupgrade", ACTIVE):
            return None
        stack.previous_external_id = stack.previous_environment = None
        return True

    def _roll_back(self, row: Row) -> bool | None:
        """Give the services back what they had; those that the upgrade brought stay."""
        stack = _stack(row)
        for service in self._of(stack):
            self._services.roll_back(service)
        if any(one.state == "rolling-back" for one in self._of(stack)):
            return None
        stack.external_id = stack.previous_external_id or stack.external_id
        stack.environment = stack.previous_environment or stack.environment
        stack.previous_external_id = stack.previous_environment = None
        stack.error = stack.upgrade = None
        return True

    def _cancel(self, row: Row) -> bool:
        stack = _stack(row)
        stack.error = stack.upgrade = None
        return True

    def _remove(self, row: Row) -> bool:
        """Have the services removed; nobody waits for it.

        cattle: StackRemove.java
        """
        stack = _stack(row)
        stack.error = None
        self.each_service(stack, "remove")
        return True


def vars_of(stack: Stack) -> dict[str, Any]:
    """Return the files that a stack was made from, and its answers."""
    return {
        "docker_compose": stack.docker_compose,
        "rancher_compose": stack.rancher_compose,
        "environment": stack.environment,
    }


def _stack(row: Row) -> Stack:
    if not isinstance(row, Stack):
        raise TypeError(f"{row.kind} is no stack")
    return row
