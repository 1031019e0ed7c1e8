"""A roll from its first batch to its last, or to the first that does not come back."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from corral.domain.hosts import INSTANCE_LABEL, Host
from corral.domain.rolling import Machine, PoolMachines
from corral.errors import AwsUnavailableError, CorralError, GateTimeoutError, PrerequisiteError
from tasks.rolling import Rolled, RollPatience, roll, roll_pool

OLD, NEW = "lt-1:1", "lt-1:2"
HICCUP = AwsUnavailableError("DescribeAutoScalingGroups", "Throttling", "later")
PATIENCE = RollPatience(timedelta(milliseconds=60), timedelta(milliseconds=1))


@dataclass
class Pool:
    """A group and a Rancher in one: a machine that is replaced leaves within two looks."""

    machines: dict[str, str]
    """Version by instance."""
    joins: bool = True
    """Whether new machines become hosts."""
    drains: bool = True
    """Whether hosts of machines that leave are taken out."""
    leaving: set[str] = field(default_factory=set)
    strangers: set[str] = field(default_factory=set)
    """Instances without a host."""
    comes_up: str = NEW
    """The version that new machines are started from."""
    aside: set[str] = field(default_factory=set)
    """Instances that an operator set aside."""
    hiccups: list[CorralError] = field(default_factory=list)
    """What the next calls end with; an order is heard all the same."""
    name: str = "web"
    least: int = 99
    """How many hosts there were at the worst moment."""
    batches: list[list[str]] = field(default_factory=list)
    _asked: list[str] = field(default_factory=list)

    def read(self) -> PoolMachines:
        self._hiccup()
        rows = [
            Machine(one, self._lifecycle(one), version) for one, version in self.machines.items()
        ]
        return PoolMachines("lab-web", self._wanted, NEW, tuple(rows))

    def hosts(self) -> list[Host]:
        self._close_batch()
        there = [one for one in self.machines if one not in self.strangers]
        found = [_host(one) for one in there]
        self.least = min(self.least, len([one for one in there if one not in self.leaving]))
        if self.drains:
            for one in self.leaving:
                del self.machines[one]
            self.leaving.clear()
        return found

    def replace(self, instance_id: str) -> bool:
        self._asked.append(instance_id)
        self.leaving.add(instance_id)
        new = f"new-{len(self.machines)}-{instance_id}"
        self.machines[new] = self.comes_up
        if not self.joins:
            self.strangers.add(new)
        self._hiccup()
        return True

    def _hiccup(self) -> None:
        if self.hiccups:
            raise self.hiccups.pop()

    def _lifecycle(self, instance_id: str) -> str:
        if instance_id in self.aside:
            return "Standby"
        return "Terminating:Wait" if instance_id in self.leaving else "InService"

    @property
    def _wanted(self) -> int:
        return len(self.machines) - len(self.leaving) - len(self.aside)

    def _close_batch(self) -> None:
        if self._asked:
            self.batches.append(self._asked)
            self._asked = []


def _host(instance_id: str) -> Host:
    return Host(
        id=f"1h-{instance_id}",
        project_id="1a5",
        name=instance_id,
        address="10.0.0.1",
        state="active",
        agent_state="active",
        labels={INSTANCE_LABEL: instance_id},
        created=datetime(2026, 11, 23, tzinfo=UTC),
    )


def old(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, OLD)


def run(pool: Pool, at_once: int = 1) -> tuple[str, ...]:
    return roll(pool, at_once, PATIENCE, lambda _: None).replaced


@pytest.mark.parametrize(
    ("at_once", "batches"),
    [
        (1, [["i-1"], ["i-2"], ["i-3"]]),
        (2, [["i-1", "i-2"], ["i-3"]]),
        (9, [["i-1", "i-2", "i-3"]]),
    ],
)
def test_machines_are_replaced_batch_by_batch(at_once, batches):
    pool = Pool(old("i-1", "i-2", "i-3"))

    assert run(pool, at_once) == ("i-1", "i-2", "i-3")
    assert pool.batches == batches
    assert set(pool.machines.values()) == {NEW}
    assert pool.least >= 3 - at_once


def test_where_nothing_is_outdated_nothing_is_touched():
    pool = Pool({"i-1": NEW})

    assert run(pool) == ()
    assert pool.batches == []


def test_an_empty_pool_is_done():
    assert run(Pool({})) == ()


def test_the_roll_stops_at_the_first_batch_that_does_not_come_back_and_says_what_is_left():
    pool = Pool(old("i-1", "i-2", "i-3"), joins=False)

    with pytest.raises(GateTimeoutError) as caught:
        run(pool)

    assert pool.batches == [["i-1"]]
    assert caught.value.failures == [
        "the new new-3-i-1, InService, has not joined",
        "the roll stops here; left as they are, on the old version: i-2, i-3",
    ]


def test_a_host_that_nobody_drains_stops_the_roll_too():
    pool = Pool(old("i-1", "i-2"), drains=False)

    with pytest.raises(GateTimeoutError) as caught:
        run(pool)

    assert "the old host 1h-i-1 of i-1 is active" in caught.value.failures
    assert "i-1 is Terminating:Wait in lab-web" in caught.value.failures


def test_a_run_that_died_after_its_order_is_finished_by_the_next():
    pool = Pool(old("i-1", "i-2"))
    pool.replace("i-1")

    run(pool)

    assert pool.batches == [["i-1"], ["i-2"]]
    assert set(pool.machines.values()) == {NEW}


def test_one_that_is_no_use_goes_before_those_that_work():
    pool = Pool(old("i-1", "i-2"), strangers={"i-2"})

    assert run(pool) == ("i-2", "i-1")


def test_nothing_is_taken_away_while_a_new_machine_has_not_joined():
    pool = Pool({"i-1": OLD, "i-2": NEW}, strangers={"i-2"})

    with pytest.raises(GateTimeoutError, match="the new i-2, InService, has not joined"):
        run(pool)

    assert pool.batches == []


def test_what_an_operator_set_aside_stays_and_is_named():
    pool = Pool(old("i-1", "i-2"), aside={"i-2"})

    rolled = roll(pool, 1, PATIENCE, lambda _: None)

    assert str(rolled) == "web: 1 machine replaced, set aside and left as it is: i-2 (Standby)"
    assert pool.machines["i-2"] == OLD


def test_nobody_set_aside_is_not_spoken_of():
    assert str(Rolled("web", ())) == "web: no machines replaced"


def test_machines_that_keep_coming_up_on_another_version_stop_the_roll():
    pool = Pool(old("i-1", "i-2", "i-3"), comes_up="lt-1:3")

    with pytest.raises(PrerequisiteError) as caught:
        run(pool)

    assert pool.batches == [["i-1"]]
    assert str(caught.value).startswith(
        "The roll of lab-web stops: new-3-i-1 came up after it began, from lt-1:3, while the"
        " group starts lt-1:2"
    )
    assert str(caught.value).endswith("on the old version: i-2, i-3, new-3-i-1.")


def test_an_order_that_was_heard_in_spite_of_a_hiccup_is_not_given_twice():
    pool = Pool(old("i-1", "i-2"))
    give_order = pool.replace

    def lose_answer(instance_id: str) -> bool:
        pool.hiccups.append(HICCUP)
        return give_order(instance_id)

    pool.replace = lose_answer  # type: ignore[method-assign]

    assert run(pool) == ("i-1", "i-2")
    assert pool.batches == [["i-1"], ["i-2"]]


def test_hiccups_cost_looks_and_what_was_ended_is_still_waited_for():
    pool = Pool(old("i-1", "i-2"), hiccups=[HICCUP] * 3)

    assert run(pool) == ("i-1", "i-2")


def test_a_roll_is_never_begun_anew_by_itself_since_it_would_forget_whom_it_ended():
    assert roll_pool.retries == 0


def test_a_group_that_never_answers_ends_the_roll_without_a_word_about_machines():
    pool = Pool(old("i-1"), hiccups=[HICCUP] * 10**5)

    with pytest.raises(GateTimeoutError) as caught:
        run(pool)

    assert caught.value.failures == [str(HICCUP)]
