"""EC2's instances as far as the herd needs them."""

from dataclasses import dataclass
from datetime import datetime

RUNNING = "running"
PENDING = "pending"
TERMINATED = "terminated"
STOPPED_STATES = frozenset({"stopping", "stopped"})
ENDING_STATES = frozenset({"shutting-down", TERMINATED})


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance as EC2 lists it.

    `state` as EC2 spells it; `cluster` and `pool` are its tags Cluster and Pool, empty without;
    `launched` is the time of its last start, not only of its first; `vpc_id` is empty for what has
    left its network, as the terminated have.
    """

    id: str
    state: str
    launched: datetime
    private_ip: str = ""
    private_dns: str = ""
    cluster: str = ""
    pool: str = ""
    is_spot: bool = False
    vpc_id: str = ""

    @property
    def is_living(self) -> bool:
        """Whether it may run now or later: a stopped machine is not dead.

        A state that nobody knows counts as life.
        """
        return self.state not in ENDING_STATES

    @property
    def is_terminated(self) -> bool:
        """Whether it has ended; no instance comes back from there."""
        return self.state == TERMINATED

    @property
    def is_running(self) -> bool:
        """Whether the machine is on."""
        return self.state == RUNNING
