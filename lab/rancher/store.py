"""The database that the servers of one cluster share: tables of rows with indexes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from lab.rancher.rows import (
    Account,
    Agent,
    Credential,
    ExternalEvent,
    Host,
    Instance,
    Membership,
    PhysicalHost,
    ProjectMember,
    ProjectTemplate,
    Register,
    Row,
    Service,
    Stack,
    StoragePool,
)

RowT = TypeVar("RowT", bound=Row)
Listener = Callable[[str, Row], None]


class Table(Generic[RowT]):
    """Rows by id, in the order of their making, and by the columns named."""

    def __init__(self, *indexed: str) -> None:
        self._rows: dict[int, RowT] = {}
        self._indexes: dict[str, dict[object, dict[int, RowT]]] = {name: {} for name in indexed}
        self._last_id = 0

    def __iter__(self) -> Iterator[RowT]:
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: RowT) -> RowT:
        """Give a row its id and keep it."""
        self._last_id += 1
        row.id = self._last_id
        self._rows[row.id] = row
        for name, index in self._indexes.items():
            index.setdefault(getattr(row, name), {})[row.id] = row
        return row

    def get(self, row_id: int | None) -> RowT | None:
        """Return the row of an id."""
        return None if row_id is None else self._rows.get(row_id)

    def where(self, column: str, value: object) -> list[RowT]:
        """Return the rows with a value in an indexed column, oldest first."""
        return list(self._indexes[column].get(value, {}).values())

    def change(self, row: RowT, column: str, value: object) -> None:
        """Set an indexed column."""
        index = self._indexes[column]
        index.get(getattr(row, column), {}).pop(row.id, None)
        setattr(row, column, value)
        index.setdefault(value, {})[row.id] = row

    def drop(self, row: RowT) -> None:
        """Forget a row."""
        self._rows.pop(row.id, None)
        for name, index in self._indexes.items():
            index.get(getattr(row, name), {}).pop(row.id, None)


@dataclass
class Schema:
    """How far a database has been brought by migrations: the number of the last changelog.

    `torn` is that of one which was interrupted: some of its changes are there, unrecorded.
    """

    level: int = 0
    torn: int = 0


@dataclass(frozen=True, slots=True)
class Pending:
    """One process that has begun: the database knows of it, so that any server may go on with it.

    cattle: ProcessInstance (table process_instance), ProcessReplayTask.java
    """

    base: str
    row: Row
    process: str
    then: tuple[str, ...]
    tries: int
    due: float
    """Seconds since the epoch."""


class Store:
    """All tables, and who wants to hear of changes in them; a pickle of it has the tables alone."""

    def __init__(self) -> None:
        self.accounts: Table[Account] = Table("uuid")
        self.agents: Table[Agent] = Table("account_id")
        self.credentials: Table[Credential] = Table("public_value", "account_id", "registry_id")
        self.external_events: Table[ExternalEvent] = Table()
        self.hosts: Table[Host] = Table("agent_id", "reported_uuid", "account_id")
        self.instances: Table[Instance] = Table("host_id", "account_id", "service_id")
        self.memberships: Table[Membership] = Table("uuid")
        self.physical_hosts: Table[PhysicalHost] = Table()
        self.project_members: Table[ProjectMember] = Table("project_id")
        self.project_templates: Table[ProjectTemplate] = Table()
        self.registers: Table[Register] = Table("key")
        self.schema = Schema()
        self.services: Table[Service] = Table("stack_id")
        self.processes: dict[tuple[str, int, str], Pending] = {}
        self.settings: dict[str, str] = {}
        self.stacks: Table[Stack] = Table("account_id")
        self.stacks_to_start: dict[int, list[Stack]] = {}
        """Those that came with an environment and wait for its first host, by environment."""
        self.storage_pools: Table[StoragePool] = Table("account_id")
        self._listeners: list[Listener] = []

    def __getstate__(self) -> dict[str, object]:
        """Leave out who listens: that is the servers' and not the database's."""
        return self.__dict__ | {"_listeners": []}

    def table(self, base: str) -> "Table[Row]":
        """Return the table of a base type."""
        tables: dict[str, Table[Row]] = {
            "account": self.accounts,  # type: ignore[dict-item]
            "agent": self.agents,  # type: ignore[dict-item]
            "clusterMembership": self.memberships,  # type: ignore[dict-item]
            "credential": self.credentials,  # type: ignore[dict-item]
            "externalEvent": self.external_events,  # type: ignore[dict-item]
            "genericObject": self.registers,  # type: ignore[dict-item]
            "host": self.hosts,  # type: ignore[dict-item]
            "instance": self.instances,  # type: ignore[dict-item]
            "physicalHost": self.physical_hosts,  # type: ignore[dict-item]
            "projectMember": self.project_members,  # type: ignore[dict-item]
            "projectTemplate": self.project_templates,  # type: ignore[dict-item]
            "service": self.services,  # type: ignore[dict-item]
            "stack": self.stacks,  # type: ignore[dict-item]
            "storagePool": self.storage_pools,  # type: ignore[dict-item]
        }
        return tables[base]

    def listen(self, listener: Listener) -> None:
        """Have a listener called with base type and row at every change."""
        self._listeners.append(listener)

    def unlisten(self, listener: Listener) -> None:
        """Stop calling a listener."""
        self._listeners.remove(listener)

    def changed(self, base: str, row: Row) -> None:
        """Tell that a row is not what it was."""
        for listener in list(self._listeners):
            listener(base, row)
