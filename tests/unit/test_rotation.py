"""When keys are replaced, and that nobody loses the one that they hold, however runs come."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

import pytest
from corral_node.config import DEADLINE_HIGHEST_S
from corral_node.join import GRACE_S
from hypothesis import given, settings
from hypothesis import strategies as st

from corral.domain.set_up.keys import KeyPair, KnownKey, find_leftovers, find_stored, is_barred
from corral.domain.set_up.rotation import (
    HELD,
    MAKING,
    OVERLAP,
    SKEW,
    Fate,
    KeyFate,
    RotationRule,
    plan_rotation,
)
from corral.settings import Settings
from flows import drain_hosts, reconcile_hosts, rotate_keys

NAME = "corral:lab/rancher/admin"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MONTHS = timedelta(days=90)


def key(key_id: str, *, hours: float, state: str = "active", name: str = NAME) -> KnownKey:
    """Return a key that was born so many hours ago."""
    return KnownKey(key_id, name, state, access_key=f"A{key_id}", created=NOW - hours * HOUR)


def plan(stored, *others, max_age=MONTHS):
    listed = [*others, *([stored] if stored else [])]
    return plan_rotation(NAME, listed, stored, RotationRule(NOW, max_age))


@pytest.mark.parametrize(
    ("stored", "max_age", "is_due"),
    [
        pytest.param(key("1c1", hours=89 * 24), MONTHS, False, id="young"),
        pytest.param(key("1c1", hours=90 * 24), MONTHS, True, id="old"),
        pytest.param(key("1c1", hours=0), timedelta(0), True, id="all are asked for"),
        pytest.param(key("1c1", hours=-0.2), timedelta(0), True, id="Rancher's clock is ahead"),
        pytest.param(None, MONTHS, True, id="what is stored opens nothing"),
    ],
)
def test_a_key_is_replaced_at_its_age(stored, max_age, is_due):
    assert plan(stored, max_age=max_age).make is is_due


@pytest.mark.parametrize(
    ("stored", "other", "removed"),
    [
        pytest.param(key("1c2", hours=2.9), key("1c1", hours=99), False, id="replaced of late"),
        pytest.param(key("1c2", hours=3), key("1c1", hours=99), True, id="replaced long ago"),
        pytest.param(key("1c2", hours=99), key("1c3", hours=2.9), False, id="just being made"),
        pytest.param(key("1c2", hours=99), key("1c3", hours=3), True, id="its maker died"),
        pytest.param(None, key("1c3", hours=99), False, id="the stored one is broken"),
        pytest.param(
            key("1c2", hours=1), key("1c1", hours=9, state="inactive"), True, id="half removed"
        ),
        pytest.param(
            key("1c2", hours=9), key("1c1", hours=99, name="by hand"), False, id="other people's"
        ),
        pytest.param(
            key("1c2", hours=9), key("1c1", hours=99, state="removed"), False, id="gone already"
        ),
    ],
)
def test_another_key_goes_when_nobody_can_hold_it(stored, other, removed):
    assert plan(stored, other).remove == ((other,) if removed else ())


def test_a_key_that_is_replaced_now_works_on_for_the_overlap():
    old = key("1c1", hours=90 * 24)

    rotation = plan(old)

    assert [(each.key, each.until) for each in rotation.leaving] == [(old, NOW + OVERLAP)]
    assert rotation.remove == ()


def test_a_key_that_somebody_made_and_stored_by_hand_is_replaced_but_never_removed():
    by_hand = key("1c1", hours=90 * 24, name="ops")

    rotation = plan(by_hand)

    assert (rotation.make, rotation.leaving, rotation.remove) == (True, (), ())


@pytest.mark.parametrize(
    ("fate", "sentence"),
    [
        (KeyFate("administrator", Fate.MADE, key("1c2", hours=0)), "administrator: 1c2 made"),
        (KeyFate("environment lab", Fate.MISSING), "environment lab: not set up yet"),
        (
            KeyFate("administrator", Fate.LEAVING, key("1c1", hours=9), NOW + OVERLAP),
            "administrator: 1c1 replaced, works on until 2026-03-01 15:00 UTC",
        ),
    ],
)
def test_what_became_of_a_key_is_a_line_of_a_report(fate, sentence):
    assert str(fate) == sentence


def test_the_overlap_outlasts_everybody_who_works_with_a_key():
    """Whoever makes one of these longer has to make the overlap longer as well."""
    joining = timedelta(seconds=DEADLINE_HIGHEST_S + GRACE_S)
    waiting = timedelta(seconds=Settings.model_fields["gate_deadline_s"].default)

    assert max(drain_hosts.LONGEST, reconcile_hosts.LONGEST, joining, waiting) <= HELD
    assert HELD + MAKING + SKEW <= OVERLAP
    assert rotate_keys.LONGEST <= rotate_keys.PERIOD


# Histories: runs of rotate-keys and configure-rancher that die anywhere, side by side, on clocks
# that differ, while others read the vault and work with what they got.


@dataclass
class History:
    """Rancher's keys and the vault, and everybody who has read it."""

    random: Random
    now: datetime = NOW
    keys: dict[str, KnownKey] = field(default_factory=dict)
    stored: str = ""
    made: list[tuple[str, datetime]] = field(default_factory=list)
    plans: list[tuple[KnownKey, ...]] = field(default_factory=list)
    held: list[tuple[str, datetime]] = field(default_factory=list)
    ids: count = field(default_factory=count)

    def __post_init__(self) -> None:
        self.make()
        self.store()

    def pass_by(self, time: timedelta) -> None:
        """Let time pass, in which the vault is read at its beginning; the old give up."""
        self.held.append((self.stored, self.now))
        self.now += time
        self.held = [(name, since) for name, since in self.held if self.now - since <= HELD]
        self.made = [(name, since) for name, since in self.made if self.now - since <= MAKING]

    def plan(self, max_age: timedelta) -> None:
        """Look as a run of rotate-keys does; what it means to remove, it may do or die over."""
        worker = self.now + self.skew() / 2
        kept = find_stored(KeyPair(self.stored, "hidden"), [*self.keys.values()])
        rotation = plan_rotation(NAME, [*self.keys.values()], kept, RotationRule(worker, max_age))
        self.plans.append(rotation.remove)
        if rotation.make:
            self.make()

    def make(self) -> None:
        name = f"A{next(self.ids)}"
        created = self.now + self.skew() / 2
        self.keys[name] = KnownKey(name, NAME, "active", name, created)
        self.made.append((name, self.now))

    def store(self) -> None:
        """Have any run that has just made a key, and lives, store it."""
        if self.made:
            name, _ = self.made.pop(self.random.randrange(len(self.made)))
            self.write(name)

    def write_back(self) -> None:
        """Have set-up write what it read a moment ago, beside something that has changed."""
        moment = [name for name, since in self.held if self.now - since <= MAKING]
        if moment:
            self.write(self.random.choice(moment))

    def write(self, name: str) -> None:
        if self.stored:
            self.held.append((self.stored, self.now))
        self.stored = name

    def remove(self) -> None:
        """Have any run that meant to remove keys take one step of it, or all."""
        if not self.plans:
            return
        for each in self.plans.pop(self.random.randrange(len(self.plans))):
            state = self.random.choice(["inactive", "removed"])
            self.keys[each.access_key] = replace(each, state=state)

    def configure(self) -> None:
        """Let set-up run, which removes what nobody can use."""
        stored = KeyPair(self.stored, "hidden")
        for each in find_leftovers(NAME, [*self.keys.values()], stored):
            self.keys[each.access_key] = replace(each, state="removed")

    def skew(self) -> timedelta:
        return self.random.uniform(-1, 1) * SKEW

    def check(self) -> None:
        for name in [self.stored, *(name for name, _ in self.held)]:
            assert not is_barred(self.keys[name]), f"{name} was removed"


AGES = (timedelta(0), DAY, MONTHS)
PAUSES = (timedelta(minutes=1), MAKING / 2, MAKING, HOUR, HELD, OVERLAP - SKEW, OVERLAP, DAY)
STEPS: list[Callable[[History], None]] = [
    History.store,
    History.store,
    History.write_back,
    History.remove,
    History.configure,
    lambda history: history.plan(history.random.choice(AGES)),
    lambda history: history.pass_by(history.random.choice(PAUSES)),
    lambda history: history.pass_by(history.random.choice(PAUSES)),
]


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=True))
def test_in_any_history_the_stored_key_works_and_so_does_each_that_somebody_holds(random):
    history = History(random)
    for _ in range(100):
        random.choice(STEPS)(history)
        history.check()


@given(st.randoms(use_true_random=True))
def test_in_a_history_without_deaths_nothing_is_left_after_the_overlap(random):
    history = History(random)
    for _ in range(5):
        history.plan(timedelta(0))
        history.store()
        history.pass_by(MAKING)
    history.pass_by(OVERLAP + SKEW)
    history.plan(MONTHS)
    for each in history.plans[-1]:
        history.keys.pop(each.access_key)

    assert [*history.keys] == [history.stored]
