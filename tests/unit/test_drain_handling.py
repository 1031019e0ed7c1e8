"""What a drain does about one message: with the real steps, in a world that keeps state."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from corral.errors import (
    AccessDeniedError,
    AwsUnavailableError,
    CorralError,
    RancherRefusedError,
    RancherUnreachableError,
)
from tasks.draining import Draining
from tasks.fates import Fate, Handled
from tasks.roster import Roster
from tests.unit.drain_doubles import (
    DRAIN_TIME,
    MACHINE,
    NOW,
    OTHER,
    POOL,
    RULE,
    World,
    draining,
    termination,
)


@pytest.fixture
def world() -> World:
    """A machine and its host, both at work."""
    world = World()
    world.run()
    world.add()
    return world


def handle(world: World, body: str, drain: Draining | None = None) -> Handled:
    drain = drain or draining(world)
    return drain.handle(POOL, DRAIN_TIME, drain.read(body))


def test_a_machine_that_leaves_is_drained_before_its_group_goes_on(world: World):
    world.containers["1h1"] = 3
    world.end()

    handled = handle(world, termination())

    assert world.calls == ["evacuate 1h1", "remove 1h1", "purge 1h1", f"complete {MACHINE}"]
    assert world.containers["1h1"] == 0
    assert handled == Handled(
        POOL,
        Fate.DRAINED,
        MACHINE,
        f"lab-web ends {MACHINE}: host 1h1 is out of Rancher, lab-web goes on.",
        ("1h1",),
    )


def test_a_machine_that_never_joined_may_go_at_once(world: World):
    world.rows.clear()
    world.end()

    handled = handle(world, termination())

    assert handled.fate is Fate.DRAINED
    assert (
        handled.sentence == f"lab-web ends {MACHINE}: Rancher has no host of it, lab-web goes on."
    )
    assert world.calls == [f"complete {MACHINE}"]


def test_a_machine_in_service_is_never_touched(world: World):
    handled = handle(world, termination())

    assert world.calls == []
    assert handled.fate is Fate.DROPPED
    assert handled.sentence == (f"{MACHINE} is not being ended by lab-web: its host is left alone.")


def test_a_group_that_is_a_moment_behind_its_event_is_waited_for(world: World):
    world.on_pause = lambda: world.end() if world.seconds == 2 else None

    assert handle(world, termination()).fate is Fate.DRAINED


def test_a_hook_that_is_over_is_fine(world: World):
    world.end()
    world.waiting.clear()

    handled = handle(world, termination())

    assert handled.fate is Fate.DRAINED
    assert handled.sentence.endswith("lab-web no longer waited.")


def test_a_message_that_comes_late_still_removes_the_host_of_a_dead_machine(world: World):
    world.die()
    world.change(agent_state="disconnected", state="disconnected")

    handled = handle(world, termination())

    assert handled.fate is Fate.DRAINED
    assert world.calls == ["deactivate 1h1", "remove 1h1", "purge 1h1", f"complete {MACHINE}"]


def test_a_dead_machine_whose_agent_answers_is_left_for_another_try(world: World):
    world.die()

    handled = handle(world, termination())

    assert handled.fate is Fate.LEFT
    assert "host 1h1 stays: its agent is active, although" in handled.sentence
    assert world.calls == []


@pytest.mark.parametrize("agent", ["active", "disconnected"])
def test_a_machine_that_nobody_knows_is_never_a_reason_to_touch_its_host(world: World, agent: str):
    world.end()
    world.die()
    world.machines.clear()
    world.change(agent_state=agent)

    handled = handle(world, termination())

    assert handled.fate is Fate.PASSED_ON
    assert handled.sentence == (
        f"{MACHINE} is left to reconcile-hosts, and lab-web goes on: neither lab-web nor EC2 knows"
        " it, which proves nothing."
    )
    assert world.calls == [f"complete {MACHINE}"]


def test_who_does_not_know_a_machine_for_a_moment_is_asked_again(world: World):
    world.end()
    members, machines = dict(world.members), dict(world.machines)
    world.members.clear()
    world.machines.clear()

    def remember() -> None:
        world.members.update(members)
        world.machines.update(machines)

    world.on_pause = remember

    assert handle(world, termination()).fate is Fate.DRAINED


def test_a_second_message_of_the_same_end_finds_nothing_left_to_do(world: World):
    world.end()
    handle(world, termination())
    del world.calls[:]

    handled = handle(world, termination())

    assert handled.fate is Fate.DRAINED
    assert world.calls == [f"complete {MACHINE}"]


def test_only_the_host_of_the_machine_is_touched(world: World):
    world.run(OTHER, "10.0.0.2")
    world.add("1h2", OTHER, "10.0.0.2")
    world.end()

    handle(world, termination())

    assert world.rows["1h1"].state == "purged"
    assert world.rows["1h2"].state == "active"


def clone_its_label(world: World) -> None:
    """A second row, of a living machine, says that it is the one that leaves."""
    world.run(OTHER, "10.0.0.9")
    world.add("1h2", MACHINE, "10.0.0.9")


def forge_its_label(world: World) -> None:
    """The row is that of another machine, which lives at its address."""
    world.run(OTHER, "10.0.0.9")
    world.change(address="10.0.0.9")


def misname(world: World) -> None:
    world.change(address="", hostname="ip-10-0-0-9")


def move_to_another_account(world: World) -> None:
    labels = {"aws.instance_id": MACHINE, "aws.account_id": "999999999999"}
    world.change(labels=labels)


def move_to_another_region(world: World) -> None:
    world.change(labels={"aws.instance_id": MACHINE, "aws.region": "eu-west-1"})


@pytest.mark.parametrize("is_dead", [False, True], ids=["leaving", "dead"])
@pytest.mark.parametrize(
    ("doubt", "said"),
    [
        (clone_its_label, f"host 1h1 is ambiguous: 2 hosts say that they are {MACHINE}"),
        (forge_its_label, "host 1h1"),
        (move_to_another_account, "host 1h1 is foreign: its label aws.account_id"),
        (move_to_another_region, "host 1h1 is foreign: its label aws.region"),
    ],
)
def test_what_a_reconcile_would_not_touch_is_left_to_it_while_the_machine_goes(
    world: World, doubt: Callable[[World], None], said: str, *, is_dead: bool
):
    doubt(world)
    world.end()
    if is_dead:
        world.die()
        for host_id in world.rows:
            world.change(host_id, agent_state="disconnected", state="disconnected")

    handled = handle(world, termination())

    assert handled.fate is Fate.PASSED_ON
    assert said in handled.sentence
    assert set(handled.host_ids) == set(world.rows)
    assert world.calls == [f"complete {MACHINE}"]
    assert world.waiting == set()


def test_a_host_with_the_name_of_another_machine_is_left_to_a_reconcile(world: World):
    misname(world)
    world.end()

    handled = handle(world, termination())

    assert handled.fate is Fate.PASSED_ON
    assert "host 1h1 is in doubt: it has the name ip-10-0-0-9 and calls itself" in handled.sentence
    assert world.calls == [f"complete {MACHINE}"]


def test_a_row_that_somebody_is_removing_casts_no_doubt_and_is_waited_for(world: World):
    world.add("1h2")
    world.change("1h2", agent_state="disconnected", state="removing", actions=frozenset())
    world.end()

    handled = handle(world, termination())

    assert handled.fate is Fate.DRAINED
    assert handled.host_ids == ("1h1", "1h2")
    assert {row.state for row in world.rows.values()} == {"purged"}


def test_a_list_of_ec2_that_lacks_a_machine_which_ec2_knows_is_not_believed(world: World):
    world.end()
    incomplete = replace(draining(world), roster=Roster(world, World(), RULE))

    handled = handle(world, termination(), incomplete)

    assert handled.fate is Fate.LEFT
    assert f"it does not list {MACHINE}, which it knows" in handled.sentence
    assert world.calls == []


def test_containers_that_do_not_leave_keep_the_hook_waiting(world: World):
    world.containers["1h1"] = 10_000
    world.end()

    handled = handle(world, termination())

    assert handled.fate is Fate.LEFT
    assert world.calls == ["evacuate 1h1"]


def test_containers_are_not_waited_for_when_the_pool_s_time_is_over(world: World):
    world.containers["1h1"] = 10_000
    world.end()
    late = draining(world, now=lambda: NOW + DRAIN_TIME + timedelta(seconds=1))

    handled = handle(world, termination(), late)

    assert handled.fate is Fate.DRAINED
    assert "evacuate 1h1" not in world.calls


def test_a_host_that_a_person_deactivated_is_evacuated_all_the_same(world: World):
    world.act_on_host("1a5", "1h1", "deactivate")
    world.pause(1)
    world.containers["1h1"] = 2
    world.end()
    del world.calls[:]

    assert handle(world, termination()).fate is Fate.DRAINED
    assert world.calls[:2] == ["evacuate 1h1", "remove 1h1"]


@pytest.mark.parametrize(
    "body",
    ["", "{", '{"Event": "autoscaling:TEST_NOTIFICATION"}', termination(group="other-web")],
)
def test_what_is_not_for_us_is_dropped(world: World, body: str):
    handled = handle(world, body)

    assert handled.fate is Fate.DROPPED
    assert handled.sentence.startswith("A message was dropped: ")
    assert world.calls == []


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("lifecycle_states", AwsUnavailableError("Describe", "Throttling", "slow down")),
        ("find", AwsUnavailableError("DescribeInstances", "RequestLimitExceeded", "slow down")),
        ("herd", RancherUnreachableError("GET hosts: 503", status=503)),
        ("host", RancherUnreachableError("GET host: 503", status=503)),
        ("evacuate 1h1", RancherRefusedError("POST evacuate: 403", status=403)),
        (f"complete {MACHINE}", AccessDeniedError("autoscaling:CompleteLifecycleAction", "no")),
    ],
)
def test_work_that_failed_is_for_another_try_and_says_why(
    world: World, call: str, error: CorralError
):
    world.end()

    def fail(name: str) -> None:
        if name == call:
            raise error

    world.before_call = fail

    handled = handle(world, termination())

    assert handled.fate is Fate.LEFT
    assert handled.instance_id == MACHINE
    assert str(error).rstrip(".") in handled.sentence
    assert world.waiting == {"t-1"}


def test_many_machines_of_one_moment_share_one_reading_of_the_herd(world: World):
    drain = draining(world)
    hosts = [drain.roster.find(one, None) for one in (MACHINE, OTHER)]
    world.pause(1)
    hosts.append(drain.roster.find(MACHINE, None))

    assert world.lists == 2
    assert [list(found) for found in hosts] == [["1h1"], [], ["1h1"]]
