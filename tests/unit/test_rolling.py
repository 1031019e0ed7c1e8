"""Which machines of a pool are replaced next, and what keeps it from losing them."""

from datetime import UTC, datetime

import pytest

from corral.domain.hosts import INSTANCE_LABEL, Host
from corral.domain.rolling import Machine, PoolMachines, active_ids, find_gaps, next_batch

OLD, NEW = "lt-1:1", "lt-1:2"


def pool(*machines: Machine, wanted: int | None = None, failure: str = "") -> PoolMachines:
    return PoolMachines(
        "lab-web", len(machines) if wanted is None else wanted, NEW, machines, failure
    )


def machine(name: str, version: str = OLD, lifecycle: str = "InService") -> Machine:
    return Machine(name, lifecycle, version)


def host(name: str, state: str = "active") -> Host:
    return Host(
        id=f"1h-{name}",
        project_id="1a5",
        name=name,
        address="10.0.0.1",
        state=state,
        agent_state=state,
        labels={INSTANCE_LABEL: name},
        created=datetime(2026, 11, 23, tzinfo=UTC),
    )


def batch(machines: PoolMachines, at_once: int, *active: str) -> list[str]:
    return [one.instance_id for one in next_batch(machines, at_once, set(active))]


def test_machines_of_another_version_are_outdated():
    some = pool(machine("i-1"), machine("i-2", NEW), machine("i-3", ""), machine("i-4", "lt-2:2"))

    assert [one.instance_id for one in some.outdated] == ["i-1", "i-3", "i-4"]


@pytest.mark.parametrize(
    ("at_once", "expected"), [(1, ["i-1"]), (2, ["i-1", "i-2"]), (9, ["i-1", "i-2", "i-3"])]
)
def test_no_more_are_replaced_at_once_than_allowed(at_once, expected):
    some = pool(machine("i-3"), machine("i-1"), machine("i-2"))

    assert batch(some, at_once, "i-1", "i-2", "i-3") == expected


def test_where_all_are_up_to_date_nobody_is_replaced():
    assert batch(pool(machine("i-1", NEW)), 1) == []


def test_those_that_leave_already_count():
    some = pool(machine("i-1"), machine("i-2", lifecycle="Terminating:Wait"))

    assert batch(some, 1) == ["i-2"]
    assert batch(some, 2) == ["i-2", "i-1"]


def test_those_that_are_no_use_go_first():
    assert batch(pool(machine("i-1"), machine("i-2")), 1, "i-1") == ["i-2"]


def test_a_whole_pool_has_no_gaps():
    some = pool(machine("i-1"), machine("i-2", NEW))

    assert find_gaps(some, [host("i-1"), host("i-2")], ()) == []


def test_an_outdated_machine_may_be_as_it_likes_since_it_goes_soon():
    assert find_gaps(pool(machine("i-1")), [], ()) == []


def test_one_that_is_up_to_date_has_to_be_an_active_host():
    some = pool(machine("i-1", NEW), machine("i-2", NEW, "Pending"))

    assert find_gaps(some, [host("i-1", "reconnecting")], ()) == [
        "the new i-1 is host 1h-i-1, reconnecting",
        "the new i-2, Pending, has not joined",
    ]


def test_an_old_host_has_to_be_gone_from_rancher_and_its_machine_from_the_group():
    some = pool(machine("i-1", lifecycle="Terminating:Wait"), machine("i-2", NEW), wanted=1)

    assert find_gaps(some, [host("i-1", "inactive"), host("i-2")], ["i-1"]) == [
        "the old host 1h-i-1 of i-1 is inactive",
        "i-1 is Terminating:Wait in lab-web",
    ]


def test_the_group_has_to_have_as_many_machines_as_it_wants_besides_those_that_leave():
    some = pool(
        machine("i-1", lifecycle="Terminating:Wait"), wanted=1, failure="no capacity in us-east-1a"
    )

    assert find_gaps(some, [], ()) == ["lab-web has 0 of 1 machines: no capacity in us-east-1a"]


def test_a_machine_that_the_group_takes_away_by_itself_is_no_gap():
    some = pool(machine("i-1", NEW), machine("i-2", NEW, "Terminating:Proceed"), wanted=1)

    assert find_gaps(some, [host("i-1")], ()) == []


@pytest.mark.parametrize("lifecycle", ["Standby", "EnteringStandby", "Detaching", "Quarantined"])
def test_what_an_operator_set_aside_is_left_alone_whatever_its_version(lifecycle):
    some = pool(machine("i-1", OLD, lifecycle), machine("i-2", NEW, lifecycle), wanted=0)

    assert some.outdated == ()
    assert [str(one) for one in some.set_aside] == [f"i-1 ({lifecycle})", f"i-2 ({lifecycle})"]
    assert batch(some, 1) == []
    assert find_gaps(some, [], ()) == []


def test_what_is_set_aside_counts_for_none_of_the_machines_that_the_group_wants():
    some = pool(machine("i-1", NEW), machine("i-2", NEW, "Standby"), wanted=2)

    assert find_gaps(some, [host("i-1")], ()) == ["lab-web has 1 of 2 machines"]


@pytest.mark.parametrize("lifecycle", ["Pending", "Pending:Wait", "InService", "Terminating:Wait"])
def test_what_comes_works_or_goes_is_not_set_aside(lifecycle):
    some = pool(machine("i-1", OLD, lifecycle))

    assert some.set_aside == ()
    assert batch(some, 1) == ["i-1"]


def test_active_are_hosts_whose_agent_answers():
    assert active_ids([host("i-1"), host("i-2", "disconnected")]) == {"i-1"}
