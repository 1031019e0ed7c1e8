"""Random histories of a herd, and what must hold in every one of them.

Nothing alive is ever taken out; every phantom goes once evidence and caps allow; a run that died
between any two calls is finished by the next; whose removal is called off is in service again;
nobody is told anything twice.

`make test` plays 500 histories, `make nightly` 10,000.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pydantic import SecretStr

from corral.clients.alerts import Channel
from corral.clients.rancher import OutcomeKind, Patience
from corral.domain.alerts import Action, AlertStep, OpenAlert
from corral.domain.herd import Rule, Watch
from corral.errors import AlertError, CorralError
from tasks.crier import Crier
from tasks.reconciliation import Reconciliation
from tasks.refusals import problem_of
from tasks.surveys import Survey, find_problems
from tests.histories.world import ACCOUNT, CLUSTER, REGION, Faults, Killed, Machine, Row, World

pytestmark = pytest.mark.timeout(3 * settings().max_examples)

POOLS = ("web", "batch")
GROUPS = tuple(f"{CLUSTER}-{pool}" for pool in POOLS)
CHANNELS = ("pagerduty", "chat")
RULE = Rule(
    cluster=CLUSTER,
    account_id=ACCOUNT,
    region=REGION,
    max_removals=5,
    max_removal_percent=50,
    max_absent_removals=2,
    join_grace=timedelta(minutes=15),
    quiet=timedelta(minutes=15),
    stuck_after=timedelta(minutes=10),
    absence=timedelta(hours=1),
)
NO_CAPS = replace(RULE, max_removals=1000, max_removal_percent=100, max_absent_removals=1000)
LEFT_TO_PEOPLE = (OutcomeKind.FAILED, OutcomeKind.OUT_OF_SERVICE)
PATIENCE = Patience(deadline=timedelta(seconds=60), interval=timedelta(seconds=2))
LONGEST_LIE = timedelta(minutes=45)
"""For as long EC2 may be wrong whenever it is asked: who is wrong for ever is believed."""

places = st.integers(min_value=0, max_value=10**6)
"""Which of those there are, counted round."""


class Listeners:
    """People on two channels, who notice when they are told the same twice."""

    def __init__(self) -> None:
        self.deaf: set[str] = set()
        self.last: dict[tuple[str, str], Action] = {}
        self.in_doubt: set[tuple[str, str]] = set()
        """What a run told right before it died: it may be told once more."""
        self.told: list[tuple[str, str]] = []
        self.complaints: list[str] = []

    def deliver(self, channel: Channel, step: AlertStep) -> None:
        if channel.name in self.deaf:
            raise AlertError(channel.name, "does not answer")
        heard = (channel.name, step.alert.key)
        known = self.last.get(heard, Action.RESOLVE)
        if known is step.action and heard not in self.in_doubt:
            self.complaints.append(f"{channel.name} was told twice to {known} {step.alert.key}")
        self.in_doubt.discard(heard)
        self.last[heard] = step.action
        self.told.append(heard)


class Memory:
    """What is kept between runs; a run may die before each call."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.watch = Watch()
        self.kept: dict[str, str] = {}

    def alerts(self) -> list[OpenAlert]:
        self.world.count_call()
        return [OpenAlert.model_validate_json(text) for text in self.kept.values()]

    def keep(self, alert: OpenAlert) -> None:
        self.world.count_call()
        self.kept[alert.key] = alert.model_dump_json()

    def forget(self, alert: OpenAlert) -> None:
        self.world.count_call()
        self.kept.pop(alert.key, None)

    @contextmanager
    def turn(self, wait: timedelta) -> Iterator[bool]:  # noqa: ARG002 - nobody else is there
        yield True


class Herds(RuleBasedStateMachine):
    """One cluster with two environments, from its first hosts on."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.memory = Memory(self.world)
        self.people = Listeners()
        self.remembered = self.world.snapshot()
        self.seen_at = self.world.now

    @initialize(sizes=st.tuples(st.integers(1, 5), st.integers(0, 4)))
    def begin(self, sizes: tuple[int, int]) -> None:
        self.world.restart_servers()
        for pool, size in zip(POOLS, sizes, strict=True):
            for _ in range(size):
                self.world.join(self.world.launch(pool))
        self.world.advance(timedelta(hours=1))
        self._reconcile()

    # machines

    @rule(pool=st.sampled_from(POOLS), joins=st.booleans())
    def launch(self, pool: str, *, joins: bool) -> None:
        machine = self.world.launch(pool)
        if joins:
            self.world.join(machine)

    @rule(place=places, joins=st.booleans())
    def launch_at_an_address_of_the_dead(self, place: int, *, joins: bool) -> None:
        if machine := self._pick(place, [m for m in self._machines() if self._is_free(m)]):
            heir = self.world.launch(machine.pool, machine.address)
            if joins:
                self.world.join(heir)

    @rule(place=places, recorded=st.booleans())
    def end(self, place: int, *, recorded: bool) -> None:
        if machine := self._pick(place, self.world.living()):
            self.world.end(machine, recorded=recorded)

    @rule(place=places)
    def stop(self, place: int) -> None:
        if machine := self._pick(place, [m for m in self.world.living() if m.power == "running"]):
            machine.power = "stopped"

    @rule(place=places)
    def start(self, place: int) -> None:
        if machine := self._pick(place, [m for m in self.world.living() if m.power == "stopped"]):
            machine.power, machine.launched = "running", self.world.now

    @rule(place=places)
    def join(self, place: int) -> None:
        """Let a machine join, for the first time or anew: then two rows name it."""
        if machine := self._pick(place, [m for m in self.world.living() if m.answers]):
            self.world.join(machine)

    # agents

    @rule(place=places)
    def silence(self, place: int) -> None:
        if machine := self._pick(place, self.world.living()):
            machine.reachable = False

    @rule()
    def silence_all(self) -> None:
        for machine in self.world.living():
            machine.reachable = False

    @rule()
    def let_all_be_heard(self) -> None:
        for machine in self.world.living():
            machine.reachable = True

    @rule(place=places, state=st.sampled_from(["registering", "activating", ""]))
    def never_come_up(self, place: int, state: str) -> None:
        """Let an agent hang on its way up, where Rancher never gives it up."""
        silent = [row for row in self._rows() if row.silenced or not row.machine.answers]
        if row := self._pick(place, silent):
            row.limbo = state

    # Rancher

    @rule(place=places)
    def deactivate_by_hand(self, place: int) -> None:
        if row := self._pick(place, [r for r in self._rows() if r.state == "active"]):
            row.state = "inactive"

    @rule(place=places)
    def hang(self, place: int) -> None:
        """Let Rancher never come to an end with a host."""
        if row := self._pick(place, self._rows()):
            row.stuck = True

    @rule(place=places)
    def drop_label(self, place: int) -> None:
        if row := self._pick(place, self._rows()):
            row.labels.pop("aws.instance_id", None)

    @rule(place=places, other=places)
    def forge_label(self, place: int, other: int) -> None:
        row, machine = self._pick(place, self._rows()), self._pick(other, self._machines())
        if row and machine:
            row.labels["aws.instance_id"] = machine.instance_id

    @rule()
    def restart_rancher(self) -> None:
        self.world.restart_servers()

    # time

    @rule(minutes=st.sampled_from([1, 3, 5, 12, 75]))
    def wait(self, minutes: int) -> None:
        self.world.advance(timedelta(minutes=minutes))

    @rule()
    def look_at_ec2(self) -> None:
        """Keep what EC2 says at this moment; a late answer says it again."""
        self.remembered, self.seen_at = self.world.snapshot(), self.world.now

    # runs

    @rule()
    def reconcile(self) -> None:
        self._reconcile()

    @rule(hours=st.sampled_from([-30, -1, 1, 30]))
    def reconcile_with_a_clock_askew(self, hours: int) -> None:
        self._reconcile(skew=timedelta(hours=hours))

    @rule(kind=st.sampled_from(["error", "empty", "foreign", "region"]))
    def reconcile_with_a_wrong_ec2(self, kind: str) -> None:
        self._reconcile_with(Faults(ec2=kind))

    @rule(kind=st.sampled_from(["error", "empty", "foreign", "region"]))
    def reconcile_with_a_second_look_that_differs(self, kind: str) -> None:
        self._reconcile_with(Faults(ec2_by_id=kind))

    @rule(place=places, pauses=st.integers(0, 3), answers=st.booleans())
    def reconcile_while_one_comes_back(self, place: int, pauses: int, *, answers: bool) -> None:
        """Let a machine be taken for dead, and turn out to live while its host is being removed.

        What EC2 lists as terminated comes back only by being heard of, what it has forgotten may
        be found again, by the id that its host says.
        """
        heard = [machine for machine in self.world.living() if machine.answers]
        if machine := self._pick(place, [m for m in heard if answers or self._is_honest(m)]):
            self.world.end(machine, recorded=False)
            self._wait_until_believed(is_forgotten=not answers)
            self.world.surprises = [lambda: None] * pauses
            self.world.surprises += [lambda: self._bring_back(machine, answers=answers)]
            self._reconcile()
            self.world.surprises = []

    @precondition(lambda self: self._may_lie())
    @rule(missing=st.sets(places, min_size=1, max_size=4))
    def reconcile_with_a_short_ec2(self, missing: set[int]) -> None:
        self._reconcile_with(Faults(ec2="short", short_of=self._ids(missing)))

    @rule(missing=st.sets(places, min_size=1, max_size=4))
    def reconcile_with_a_short_list_of_an_ec2_that_knows_all_by_id(self, missing: set[int]) -> None:
        self._reconcile_with(Faults(ec2="short", ec2_by_id="", short_of=self._ids(missing)))

    @precondition(lambda self: self.world.now - self.seen_at <= LONGEST_LIE and self._may_lie())
    @rule()
    def reconcile_with_a_late_ec2(self) -> None:
        self._reconcile_with(Faults(ec2="stale", stale=self.remembered))

    @rule()
    def reconcile_with_a_broken_rancher(self) -> None:
        self._reconcile_with(Faults(rancher="error"))

    @rule(call=st.integers(1, 40))
    def reconcile_and_die(self, call: int) -> None:
        self.world.kill_at, self.world.calls = call, 0
        self.people.told.clear()
        try:
            self._reconcile()
        except Killed:
            self.people.in_doubt.update(self.people.told[-1:])
        finally:
            self.world.kill_at = None

    @rule(channel=st.sampled_from(CHANNELS))
    def reconcile_with_a_deaf_channel(self, channel: str) -> None:
        self.people.deaf.add(channel)
        self._reconcile()
        self.people.deaf.clear()

    # what must hold

    @invariant()
    def nothing_alive_was_taken_out(self) -> None:
        assert self.world.harm == []

    @invariant()
    def nobody_was_told_twice(self) -> None:
        assert self.people.complaints == []

    def teardown(self) -> None:
        """In quiet times every phantom that can be told apart goes, and every alert of it ends."""
        self._calm_down()
        for _ in range(10):
            self.world.advance(timedelta(minutes=12))
            self._reconcile(rule_=NO_CAPS)

        assert [row for row in self.world.phantoms() if self._is_plain(row)] == []
        self.nothing_alive_was_taken_out()
        self.nobody_was_told_twice()

    def _calm_down(self) -> None:
        """Do what the alerts ask people for, until nothing is in the way but the lack of proof."""
        for row in self._rows():
            row.stuck = False
            # Nothing proves that it is dead, and Rancher never gives its agent up.
            row.limbo = row.limbo if row.machine.recorded else ""
            if self._is_known_to_be_gone(row):
                row.state = "removed"
            if row.lives:
                row.labels["aws.instance_id"] = row.machine.instance_id
        for machine in self.world.living():
            machine.power, machine.reachable = "running", True
            if not any(row.machine is machine and row.lives for row in self._rows()):
                self.world.join(machine)
        self.world.join(self.world.launch())
        self.world.advance(timedelta(hours=1))

    def _is_known_to_be_gone(self, row: Row) -> bool:
        """Say whether people remove a host of whom an alert says that two are one machine."""
        named = self.world.machines.get(row.labels.get("aws.instance_id", ""))
        is_forged = row.machine.is_dead and named is not None and not named.is_dead
        return is_forged or (row.silenced and not row.machine.is_dead)

    def _is_plain(self, row: Row) -> bool:
        """Say whether a host's label names its machine, and nobody else's does."""
        label = row.labels.get("aws.instance_id")
        claims = [r for r in self._rows() if r.labels.get("aws.instance_id") == label]
        return label == row.machine.instance_id and len(claims) == 1

    def _reconcile_with(self, faults: Faults) -> None:
        self.world.faults = faults
        self._reconcile()
        self.world.faults = Faults()

    def _reconcile(self, *, skew: timedelta = timedelta(), rule_: Rule = RULE) -> None:
        """Do what the flow does, in its order."""
        world = self.world
        begin = world.now

        def seconds() -> float:
            return (world.now - begin).total_seconds()

        reconciliation = Reconciliation(
            rancher=world,
            ec2=world,
            groups=world,
            rule=rule_,
            group_names=GROUPS,
            patience=PATIENCE,
            workers=1,
            now=lambda: world.now + skew,
            clock=seconds,
            sleep=world.pause,
        )
        world.begin_run()
        outcomes: Any = ()
        try:
            view = reconciliation.read()
            assessment = reconciliation.assess(view, self.memory.watch)
            self.memory.watch = Watch.model_validate_json(assessment.watch.model_dump_json())
            survey = Survey.of(view, assessment)
            outcomes = reconciliation.remove(survey.removals) if survey.removals else ()
        except CorralError as error:
            survey = Survey.of_problem(problem_of(error))
        self._tell(find_problems(survey, outcomes), survey.settled)
        world.end_run([one.host_id for one in outcomes if one.kind in LEFT_TO_PEOPLE])

    def _tell(self, problems: Any, settled: Any) -> None:
        crier = Crier(
            CLUSTER,
            CHANNELS,
            find=lambda: ([Channel(name, SecretStr("json://x")) for name in CHANNELS], []),
            deliver=self.people.deliver,
            resolve_quietly=lambda _channel, _key: None,
        )
        crier.tell(self.memory, problems, settled)

    def _ids(self, chosen: set[int]) -> frozenset[str]:
        machines = [self._pick(place, self._machines()) for place in chosen]
        return frozenset(machine.instance_id for machine in machines if machine)

    def _is_honest(self, machine: Machine) -> bool:
        """Say whether the hosts of a machine name no other."""
        rows = [row for row in self._rows() if row.machine is machine]
        return all(row.labels.get("aws.instance_id") == machine.instance_id for row in rows)

    def _wait_until_believed(self, *, is_forgotten: bool) -> None:
        """Let so much time pass that the next run takes a dead machine's host out."""
        if not is_forgotten:
            self.world.advance(timedelta(minutes=12))
            return
        self.world.advance(timedelta(minutes=61))
        for _ in range(5):
            self._reconcile()
            self.world.advance(timedelta(minutes=14))

    def _bring_back(self, machine: Machine, *, answers: bool) -> None:
        self.world.resurrect(machine, answers=answers)
        self.look_at_ec2()

    def _machines(self) -> list[Machine]:
        return list(self.world.machines.values())

    def _rows(self) -> list[Row]:
        return [row for row in self.world.rows.values() if row.state not in ("removed", "purged")]

    def _is_free(self, machine: Machine) -> bool:
        """Say whether nobody living has the address of a dead machine."""
        return machine.is_dead and all(m.address != machine.address for m in self.world.living())

    def _may_lie(self) -> bool:
        since = self.world.lying_since
        return since is None or self.world.now - since <= LONGEST_LIE

    @staticmethod
    def _pick(place: int, among: list[Any]) -> Any:
        return among[place % len(among)] if among else None


TestHistories = Herds.TestCase
