"""What can be done with the resources of one type: the common way, which special types extend."""

import time
from collections.abc import Iterable
from typing import Generic, TypeVar

from lab.rancher.bodies import Values, validated
from lab.rancher.call import Call
from lab.rancher.callers import parse_id
from lab.rancher.engine import ProcessCancelledError, ProcessUnknownError
from lab.rancher.listing import Query
from lab.rancher.problems import conflict, invalid, not_allowed, not_found
from lab.rancher.rendering import Document, collection, reference_of, render
from lab.rancher.rows import Row
from lab.rancher.schema import TYPES
from lab.rancher.schema.shape import READONLY, ResourceType
from lab.rancher.store import Table

OK = 200
CREATED = 201
ACCEPTED = 202

RowT = TypeVar("RowT", bound=Row)


class Manager(Generic[RowT]):
    """Reads, makes, changes and removes resources of one type."""

    def __init__(self, kind: ResourceType) -> None:
        self.kind = kind

    # What a type may see otherwise

    def table(self, call: Call) -> Table[RowT]:
        """Return the table that the rows are in."""
        return call.cluster.store.table(self.kind.base)  # type: ignore[return-value]

    def is_visible(self, call: Call, row: RowT) -> bool:
        """Say whether a row is the caller's business.

        cattle: AbstractObjectResourceManager.addAccountAuthorization
        """
        return call.caller.sees_all or row.account_id == call.caller.account.id

    def document(self, call: Call, row: RowT) -> Document:
        """Return a row as the API shows it."""
        return render(call, self.kind, row, self.offered(call, row))

    def offered(self, call: Call, row: RowT) -> list[str]:
        """Return the actions that are shown, by the stored state.

        cattle: AbstractObjectResourceManager.addActions
        """
        if call.caller.role == READONLY:
            return []
        return [
            name
            for name, action in self.kind.actions.items()
            if (action.states is None or row.state in action.states)
            and (name != "update" or call.caller.may("u", self.kind))
        ]

    def make(self, call: Call, values: Values) -> RowT:
        """Make a row from what a caller sent."""
        del call, values
        raise not_allowed()

    def custom(self, call: Call, row: RowT, action: str) -> Document | None:
        """Do an action that is no process; None: this is none of them."""
        del call, row, action
        return None

    # What all types have

    def browse(self, call: Call) -> Document:
        """Answer the collection.

        Rows that are removed are left out, as soon as their removal is complete.
        cattle: AbstractObjectResourceManager.getDefaultCriteria
        """
        return self.listing(call, self.candidates(call))

    def listing(self, call: Call, rows: Iterable[RowT], here: str | None = None) -> Document:
        """Answer those of some rows that the caller asks for; `here` is where, if it is a link."""
        query = Query.read(self.kind, call.parameters)
        visible = (
            row
            for row in rows
            if (self.kind.kind is None or row.kind == self.kind.kind)
            and (row.removed is None or query.removed)
            and self.is_visible(call, row)
        )
        page, more = query.page(visible, self.kind)
        data = [self.document(call, row) for row in page]
        return collection(call, self.kind, data, query=query, more=more, here=here)

    def candidates(self, call: Call) -> Iterable[RowT]:
        """Return the rows a listing looks through."""
        return self.table(call)

    def find(self, call: Call, resource_id: str) -> RowT:
        """Return a row by its id, a removed one too.

        Raises:
            ApiError: 404 for what is not there, malformed, or not the caller's business.

        """
        row = self.table(call).get(parse_id(resource_id))
        if row is None or (self.kind.kind is not None and row.kind != self.kind.kind):
            raise not_found()
        if not self.is_visible(call, row):
            raise not_found()
        return row

    def read(self, call: Call, resource_id: str) -> Document:
        """Answer a GET of one resource."""
        return self.document(call, self.find(call, resource_id))

    def create(self, call: Call) -> tuple[int, Document]:
        """Answer a POST to the collection."""
        values = validated(self.kind, call.caller.role, call.body, call.cluster.store, create=True)
        row = self.make(call, values)
        return CREATED, self.document(call, row)

    def store_new(self, call: Call, row: RowT) -> RowT:
        """Put a new row into its table and start its life."""
        row.created = time.time()
        row.account_id = row.account_id or call.caller.account.id
        self.table(call).add(row)
        call.cluster.engine.create(self.kind.base, row)
        return row

    def update(self, call: Call, resource_id: str) -> Document:
        """Answer a PUT.

        Fields that matter to machines start the update process, others are just written.
        cattle: AbstractObjectResourceManager.updateInternal
        """
        row = self.find(call, resource_id)
        self.check_change(call, row)
        values = validated(self.kind, call.caller.role, call.body, call.cluster.store, create=False)
        changed = {name for name, value in values.items() if getattr(row, name) != value}
        for name in changed:
            setattr(row, name, values[name])
        call.cluster.store.changed(self.kind.base, row)
        if changed & self.scheduled:
            self.start(call, row, "update")
        return self.document(call, row)

    scheduled: frozenset[str] = frozenset()
    """Columns whose change starts the update process."""

    def check_change(self, call: Call, row: RowT) -> None:
        """Refuse a change the caller has no right to."""

    def start(self, call: Call, row: RowT, process: str, then: tuple[str, ...] = ()) -> None:
        """Start a process; what the state does not permit is a conflict."""
        try:
            call.cluster.engine.start(self.kind.base, row, process, then)
        except ProcessCancelledError as error:
            raise conflict() from error

    def delete(self, call: Call, resource_id: str) -> Document:
        """Answer a DELETE: removal starts, or the state does not permit it (405).

        cattle: AbstractObjectResourceManager.deleteInternal
        """
        row = self.find(call, resource_id)
        self.check_change(call, row)
        try:
            call.cluster.engine.start(self.kind.base, row, "remove")
        except ProcessCancelledError as error:
            raise not_allowed() from error
        return self.document(call, row)

    def act(self, call: Call, resource_id: str, action: str) -> tuple[int, Document]:
        """Answer a POST of an action.

        gdapi: ValidationHandler.validateAction;
        cattle: AbstractObjectResourceManager.resourceActionInternal
        """
        if action not in self.kind.actions:
            raise invalid("InvalidAction", "action")
        row = self.find(call, resource_id)
        if action not in self.offered(call, row):
            raise invalid("ActionNotAvailable", "action")
        self._validate_input(call, action)
        document = self.custom(call, row, action)
        if document is not None:
            return OK, document
        try:
            self.start(call, row, action)
        except ProcessUnknownError as error:
            raise not_found() from error
        return ACCEPTED, self.document(call, row)

    def _validate_input(self, call: Call, action: str) -> None:
        name = self.kind.actions[action].input
        if name is not None:
            kind = TYPES[name]
            validated(kind, call.caller.role, call.body, call.cluster.store, create=True)

    def follow(self, call: Call, resource_id: str, link: str) -> Document:
        """Answer a GET of a link."""
        row = self.find(call, resource_id)
        reference = reference_of(call, self.kind, link)
        if reference is None:
            raise not_found()
        kind, column = reference
        manager = call.cluster.managers[kind.name]
        target = manager.table(call).get(getattr(row, column))
        if target is None:
            raise not_found()
        return manager.document(call, target)
