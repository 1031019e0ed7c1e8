"""Whatever hosts say of themselves: none whose machine lives is removed.

The histories over many runs are elsewhere; here is one look at herds of every make.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from herd_samples import MAIN, NOW, OTHER, RULE, host, instance, instance_id
from hypothesis import given, settings
from hypothesis import strategies as st

from corral.domain.herd import Assessment, Evidence, Instance, View, Watch, assess
from corral.domain.hosts import Host

LIVING = ["pending", "running", "stopping", "stopped"]
DEAD = ["shutting-down", "terminated"]
SILENT_AGENTS = ["reconnecting", "finishing-reconnect", "registering", "disconnected", ""]
AGENTS = ["active", *SILENT_AGENTS]
ROW_STATES = ["active", "inactive", "deactivating", "removing", "error"]
LIMITLESS = replace(RULE, max_removals=99, max_removal_percent=100, max_absent_removals=99)
NUMBERS = range(1, 9)

times = st.integers(-300, 60).map(lambda minutes: NOW + timedelta(minutes=minutes))
numbers = st.sampled_from(NUMBERS)


@dataclass(frozen=True)
class Machine:
    """The truth: a machine, and the row that its agent made, whatever that says."""

    instance: Instance
    row: Host

    @property
    def lives(self) -> bool:
        return self.instance.state in LIVING


@st.composite
def labels_of(draw: st.DrawFn, number: int) -> dict[str, str]:
    """Draw what a host says: the truth as a rule, else another id, none, or no id at all."""
    own, another = instance_id(number), instance_id(draw(numbers))
    said = draw(st.sampled_from([own, own, own, another, "", "i-1", "i-0000dead"]))
    place = {"aws.account_id": RULE.account_id, "aws.region": RULE.region}
    named = {"aws.instance_id": said} if said else {}
    return draw(st.sampled_from([place, place, {}])) | named


@st.composite
def machines(draw: st.DrawFn, number: int) -> Machine:
    """Draw one machine; clocks are askew, so launch and row come in any order."""
    address = f"10.0.0.{draw(numbers)}"
    name = f"ip-{address.replace('.', '-')}.ec2.internal"
    state = draw(st.sampled_from([*LIVING, "running", "running", *DEAD]))
    place = {"private_ip": address, "private_dns": name}
    if state == "terminated" and draw(st.booleans()):
        place = {"private_ip": "", "private_dns": ""}
    labels = draw(labels_of(number))
    is_honest = labels.get("aws.instance_id", "") in ("", instance_id(number))
    # Two hosts that swap their labels are told apart by which of them answers, so the one that
    # lies and is dead must not seem to answer still.
    seen = AGENTS if is_honest or state in LIVING else SILENT_AGENTS
    row = host(
        number,
        draw(st.sampled_from(seen)),
        state=draw(st.sampled_from(ROW_STATES)),
        labels=labels,
        created=draw(times),
        project_id=draw(st.sampled_from([MAIN.id, OTHER.id])),
        actions=draw(st.sampled_from([frozenset(), frozenset({"remove"})])),
        address=draw(st.sampled_from([address, address, ""])),
        hostname=name,
    )
    return Machine(instance(number, state, launched=draw(times), **place), row)


def without_shared_places(drawn: tuple[Machine, ...]) -> tuple[Machine, ...]:
    """End all but the first living machine at each address: dead ones' are given out again."""
    taken: set[str] = set()
    herd = []
    for one in drawn:
        place = one.instance.private_ip
        if one.lives and place in taken:
            row = replace(one.row, agent_state="disconnected")
            one = Machine(replace(one.instance, state="terminated"), row)  # noqa: PLW2901
        herd.append(one)
        taken.add(place)
    return tuple(herd)


herds = st.tuples(*(machines(number) for number in NUMBERS)).map(without_shared_places)


def look(herd: tuple[Machine, ...], *, order: int = 1) -> tuple[View, Assessment]:
    """Return one look; EC2 has forgotten none. Whatever the guards say is tried without them."""
    sound = [host(number) for number in range(101, 121)]
    view = View(
        hosts=[*(one.row for one in herd), *sound][::order],
        instances=[
            *(one.instance for one in herd),
            *(instance(number) for number in range(101, 121)),
        ][::order],
        projects=[MAIN, OTHER],
        now=NOW,
    )
    return view, assess(view, LIMITLESS, Watch())


@settings(max_examples=60, deadline=None)
@given(herds)
def test_no_host_is_removed_whose_machine_lives(herd):
    living = {one.row.id for one in herd if one.lives}
    _, assessment = look(herd)

    assert not assessment.refusals
    assert living.isdisjoint(removal.host.id for removal in assessment.removals)


@settings(max_examples=20, deadline=None)
@given(herds)
def test_both_witnesses_stand_behind_every_removal(herd):
    view, assessment = look(herd)
    listed = {one.id: one.state for one in view.instances}

    for removal in assessment.removals:
        assert removal.host.agent_state == "disconnected"
        assert removal.host.state != "removing"
        proof = Evidence.TERMINATED if removal.instance_id in listed else Evidence.ABSENT
        assert removal.evidence is proof
        assert listed.get(removal.instance_id, "terminated") == "terminated"


@settings(max_examples=20, deadline=None)
@given(herds)
def test_a_phantom_that_says_the_truth_is_removed(herd):
    _, assessment = look(herd)
    said = [one.row.instance_id for one in herd]
    lived_at = {one.instance.private_dns for one in herd if one.lives}
    honest = {
        one.row.id
        for one in herd
        if one.instance.state == "terminated"
        and one.row.agent_state == "disconnected"
        and one.row.state != "removing"
        and one.row.instance_id == one.instance.id
        and said.count(one.instance.id) == 1
        and one.row.hostname not in lived_at
    }

    assert honest <= {removal.host.id for removal in assessment.removals}


@settings(max_examples=20, deadline=None)
@given(herds)
def test_the_order_of_the_lists_does_not_matter(herd):
    _, one = look(herd)
    _, other = look(herd, order=-1)

    assert {r.host.id for r in one.removals} == {r.host.id for r in other.removals}
    assert one.watch == other.watch


@settings(max_examples=20, deadline=None)
@given(herds, st.integers(0, 3), st.integers(0, 100), st.integers(0, 2))
def test_caps_hold_in_every_environment(herd, number, percent, absent):
    rule = replace(
        RULE, max_removals=number, max_removal_percent=percent, max_absent_removals=absent
    )
    view, _ = look(herd)
    removals = assess(view, rule, Watch()).removals

    for project in (MAIN, OTHER):
        gone = [removal for removal in removals if removal.host.project_id == project.id]
        weak = [removal for removal in gone if removal.evidence is Evidence.ABSENT]
        assert len(gone) <= number
        assert len(weak) <= absent
