"""External host events: one call that evacuates hosts, and removes them on demand."""

from lab.rancher.bodies import Values
from lab.rancher.call import Call
from lab.rancher.managers import Manager
from lab.rancher.rows import ExternalEvent
from lab.rancher.schema.hosts import EXTERNAL_HOST_EVENT


class ExternalHostEventManager(Manager[ExternalEvent]):
    """External host events of the API.

    cattle: test_external_events.py
    """

    def __init__(self) -> None:
        super().__init__(EXTERNAL_HOST_EVENT)

    def make(self, call: Call, values: Values) -> ExternalEvent:
        """Take an event."""
        row = ExternalEvent(kind=EXTERNAL_HOST_EVENT.name, **values)  # type: ignore[arg-type]
        row.reported_account_id = call.caller.account.id
        return self.store_new(call, row)
