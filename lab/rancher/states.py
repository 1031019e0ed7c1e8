"""States, and the ways from one to another. Pure; which type has which is in `state_tables`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ACTIVE = "active"
INACTIVE = "inactive"
REMOVED = "removed"
PURGED = "purged"
REQUESTED = "requested"
RECONNECTING = "reconnecting"
DISCONNECTED = "disconnected"
UPGRADED = "upgraded"
CANCELED = "canceled-upgrade"

GONE: Final = frozenset({REMOVED, "purging", PURGED})


@dataclass(frozen=True, slots=True)
class Process:
    """One named way from some states, through others, to a last one."""

    name: str
    through: Mapping[str, str]
    """The state while it runs, by the state in which it starts."""
    done: Mapping[str, str]
    """The state when it is done, by the state while it runs."""

    @property
    def starts(self) -> frozenset[str]:
        """States in which it is offered."""
        return frozenset(self.through)

    def is_running(self, state: str) -> bool:
        """Say whether this process may be what the row is in the middle of."""
        return state in self.done

    def is_done(self, state: str) -> bool:
        """Say whether there is nothing left to do.

        cattle: ResourceStatesDefinition.isDone
        """
        return state in self.done.values()


def process(name: str, starts: str, running: str, done: str) -> Process:
    """Return a process that starts in any of some states, given with spaces between."""
    return Process(name, dict.fromkeys(starts.split(), running), {running: done})


UPDATE = Process(
    "update",
    {INACTIVE: "updating-inactive", ACTIVE: "updating-active"},
    {"updating-inactive": INACTIVE, "updating-active": ACTIVE},
)
PURGE = process("purge", REMOVED, "purging", PURGED)
CREATE = process("create", REQUESTED, "registering", INACTIVE)


def table(*processes: Process) -> dict[str, Process]:
    """Return processes by name."""
    return {one.name: one for one in processes}


def shown_host_state(version: str, state: str, agent_state: str | None) -> str:
    """Return the state of a host as the API shows it.

    v2-beta covers an active host's state with its agent's; v1 never does.
    cattle: HostsFilter.java
    """
    if version != "v1" and state == ACTIVE and agent_state:
        return agent_state
    return state
