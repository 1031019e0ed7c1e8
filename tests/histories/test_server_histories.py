"""Random histories of rolls and of changes of size that die or are told lies at any call.

What must hold in each: never more than one server is away, and run again until it lives, everything
ends as the last run that lived was to make it.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from corral.domain.servers import Renewal
from corral.errors import AwsUnavailableError
from tasks.departures import GatePatience, Watch, roll, shrink
from tests.unit.servers_double import BEGIN, NEW, OLD, Servers

LONG = GatePatience(timedelta(seconds=20), timedelta(), 2)
FEWER = settings(max_examples=settings().max_examples // 5)
"""There is less to meet here than in a herd."""
LATER = BEGIN + timedelta(days=1)


class Death(BaseException):
    """The end of the process, as sudden as a SIGKILL: nothing of ours may catch it."""


class Fates:
    """What comes after each call: nothing, a hiccup, or death; and what no call may see."""

    def __init__(self, servers: Servers, fates: Iterator[str]) -> None:
        self._servers = servers
        self._fates = fates

    def __call__(self) -> None:
        assert self._servers.answering() >= self._servers.wanted - 1
        fate = next(self._fates, "")
        if fate == "hiccup":
            raise AwsUnavailableError("DescribeAutoScalingGroups", "Throttling", "later")
        if fate == "death":
            raise Death


def until_it_lives(run: Callable[[], None]) -> None:
    while True:
        try:
            return run()
        except Death:
            continue


fates = st.lists(st.sampled_from(["", "", "", "", "hiccup", "death"]), max_size=80)
renewals = st.sampled_from([Renewal(), Renewal(all=True), Renewal(launched_before=LATER)])


@FEWER
@given(
    count=st.sampled_from([3, 5]),
    old=st.integers(min_value=0, max_value=5),
    renewal=renewals,
    replaces_lost=st.booleans(),
    fates=fates,
)
def test_a_roll_that_dies_is_finished_by_the_next(
    *, count: int, old: int, renewal: Renewal, replaces_lost: bool, fates: list[str]
) -> None:
    servers = Servers(count, replaces_lost=replaces_lost)
    for name in list(servers.all)[old:]:
        servers.set(name, version=NEW)
    servers.after_call = Fates(servers, iter(fates))

    until_it_lives(lambda: roll(Watch(servers, LONG, lambda _: None), renewal, count))

    assert (servers.wanted, servers.answering(), len(servers.all)) == (count, count, count)
    assert OLD not in servers.versions.values()


@FEWER
@given(
    counts=st.lists(st.sampled_from([3, 5]), min_size=1, max_size=4),
    replaces_lost=st.booleans(),
    fates=fates,
)
def test_a_change_of_size_that_dies_is_finished_by_the_next_or_taken_back(
    *, counts: list[int], replaces_lost: bool, fates: list[str]
) -> None:
    servers = Servers(5, comes_up=NEW, replaces_lost=replaces_lost)
    servers.after_call = Fates(servers, iter(fates))

    for count in counts:
        # Each but the last may die once and be given up for the next.
        try:
            resize(servers, count)
        except Death:
            continue
    until_it_lives(lambda: resize(servers, counts[-1]))

    assert servers.wanted == servers.minimum == servers.answering() == len(servers.all)
    assert servers.wanted == counts[-1]


def resize(servers: Servers, count: int) -> None:
    """Do what the flow does: take away what is too much, add one after another what is missing."""
    watch = Watch(servers, LONG, lambda _: None)
    shrink(watch, count)
    for size in range(watch.read().wanted, count + 1):
        servers.grow(size)
        watch.pass_gate(size)
