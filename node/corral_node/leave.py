"""Takes this machine, which is shutting down, out of its Rancher environment.

What becomes of it is EC2's to say: a machine that ends takes its host with it, one that stops keeps
it, out of service until it is back, and one that only starts anew stays as it is. The steps are
those by which the herd's flows remove a host; what is not done in time, they find.
"""

import logging
from enum import Enum, auto

from corral_node.alerts import Kind, Place, Problem, report, report_all_over
from corral_node.config import JoinConfig
from corral_node.environment import Environment
from corral_node.errors import DeadlineError, NodeError, NotYetError
from corral_node.instance import read_state
from corral_node.memory import Memory
from corral_node.metadata import Identity, read_identity
from corral_node.rancher import Host, Rancher
from corral_node.steps import Move, next_move
from corral_node.waiting import Deadline, await_success, cut_off

log = logging.getLogger(__name__)

INTERVAL_S = 2.0
DEADLINE_S = 60.0
GRACE_S = 15.0
"""After it what is under way is cut off. Telling people may take as long again as both, and all of
it is below the TimeoutStopSec of the unit."""
DRAIN_S = 40.0
"""So long the host's containers may take to move; after that the host goes with them."""
METADATA_S = 10.0
ASKING_S = 15.0
"""So long EC2 may take to say what becomes of this machine."""


class Ending(Enum):
    """What becomes of this machine."""

    RESTARTS = auto()
    STOPS = auto()
    ENDS = auto()


def judge(state: str) -> Ending:
    """Return what EC2's word for an instance's state means for its host.

    A machine that restarts is `running` all the while. What is not known counts as a stop: that
    does no harm which the next start would not mend.

    Source: EC2 user guide, "Instance lifecycle".
    """
    if state in ("shutting-down", "terminated"):
        return Ending.ENDS
    return Ending.RESTARTS if state in ("pending", "running") else Ending.STOPS


def next_step(
    host: Host, ending: Ending, *, drain: bool, is_busy: bool, is_evacuating: bool
) -> Move:
    """Return what brings this host nearer to where its machine's end wants it.

    Args:
        host: Its row in Rancher.
        ending: The machine's; a host of a machine that stops goes no further than out of service.
        drain: Whether there is time left for its containers to move.
        is_busy: Whether any are left on it.
        is_evacuating: Whether they have been told to move.
    """
    move = next_move(
        host.state,
        host.actions,
        removed=host.removed,
        drain=drain,
        is_busy=is_busy,
        is_evacuating=is_evacuating,
    )
    if ending is Ending.STOPS and move in (Move.REMOVE, Move.PURGE):
        return Move.GONE
    return move


def leave(config: JoinConfig, memory: Memory) -> None:
    """Have Rancher know what becomes of this machine, and tell people if it cannot be told.

    Raises:
        DeadlineError: It could not be done in the time that a shutdown has.
        NodeError: It could not be remembered that the host is to come back.
    """
    deadline = Deadline.after(DEADLINE_S)
    identity = await_success(
        read_identity,
        "this machine's identity",
        deadline=Deadline.after(METADATA_S),
        advice="reconcile-hosts removes the host once its machine is dead",
        interval_s=INTERVAL_S,
    )
    ending = _ask_ending(identity)
    if ending is Ending.RESTARTS:
        log.info("%s does not end: its host stays as it is", identity.instance_id)
        return
    _leave(_Leaving(config, identity, ending, memory, deadline), memory)


def _ask_ending(identity: Identity) -> Ending:
    try:
        with cut_off(ASKING_S + GRACE_S, "asking EC2"):
            state = await_success(
                lambda: read_state(identity.region, identity.instance_id),
                f"EC2 to say what becomes of {identity.instance_id}",
                deadline=Deadline.after(ASKING_S),
                advice="Look at the role of this machine's profile",
                interval_s=INTERVAL_S,
            )
    except DeadlineError as error:
        log.warning("taken for a stop, which a start mends: %s", error)
        return Ending.STOPS
    log.info("%s is %s", identity.instance_id, state)
    return judge(state)


def _leave(leaving: "_Leaving", memory: Memory) -> None:
    try:
        text = leaving.await_end()
    except NodeError as error:
        problem = Problem(Kind.LEAVE, leaving.place, str(error))
        report(problem, leaving.environment.alerts, memory)
        raise
    log.info("%s", text)
    if leaving.ending is Ending.ENDS:
        report_all_over(leaving.place, text, leaving.environment.alerts, memory)


class _Leaving:
    """One machine's way out of its environment."""

    def __init__(
        self,
        config: JoinConfig,
        identity: Identity,
        ending: Ending,
        memory: Memory,
        deadline: Deadline,
    ) -> None:
        self.environment = Environment(config)
        self.place = Place(config.environment, identity.instance_id)
        self.ending = ending
        self._private_ip = identity.private_ip
        self._url = config.rancher_url
        self._memory = memory
        self._deadline = deadline
        self._host_id = ""
        self._is_evacuating = False

    def await_end(self) -> str:
        """Take one step after the other until the host is where it should be, and tell where."""
        # People hear this sentence alone, so it says who.
        leaving = f"host {self.place.instance_id} leaving {self.place.environment}"
        with cut_off(self._deadline.remaining_s + GRACE_S, leaving):
            return await_success(
                lambda: self.environment.ask(self._advance),
                f"host {self.place.instance_id} to be out of Rancher at {self._url}",
                deadline=self._deadline,
                advice="Look at it in Rancher; reconcile-hosts removes it once its machine is dead",
                interval_s=INTERVAL_S,
            )

    def _advance(self, rancher: Rancher) -> str:
        host = self._find(rancher)
        if host is None:
            return f"Rancher lists no host of {self.place.instance_id} at its address"
        # Containers are told to move however late it is; what is not waited for is their going.
        drain = not self._is_evacuating or self._deadline.remaining_s > DEADLINE_S - DRAIN_S
        move = next_step(
            host,
            self.ending,
            drain=drain,
            is_busy=drain and Move.REMOVE in host.actions and rancher.is_busy(host),
            is_evacuating=self._is_evacuating,
        )
        if move is Move.PURGE:
            self._purge(rancher, host)
        if move in (Move.PURGE, Move.GONE):
            return f"host {host.id} of {self.place.instance_id} is {host.state}"
        if move is not Move.WAIT:
            self._act(rancher, host, move)
        raise NotYetError(f"its state is {host.state}")

    def _find(self, rancher: Rancher) -> Host | None:
        if self._host_id:
            return rancher.host(self._host_id)
        found = rancher.find_host(self.place.instance_id, self._private_ip)
        if found.warning:
            log.warning("%s", found.warning)
        self._host_id = found.host.id if found.host else ""
        return found.host

    def _act(self, rancher: Rancher, host: Host, move: Move) -> None:
        if self.ending is Ending.STOPS and Move.DEACTIVATE in host.actions:
            self._memory.park(host.id)  # one that somebody else took out of service stays so
        self._is_evacuating |= move is Move.EVACUATE  # once, also when it is refused
        rancher.act(host, move)
        log.info("host %s was %s: %s", host.id, host.state, move)

    @staticmethod
    def _purge(rancher: Rancher, host: Host) -> None:
        try:
            rancher.act(host, Move.PURGE)
        except NotYetError as error:
            log.info("purging host %s is left to Rancher's own sweep: %s", host.id, error)
