"""Spot warnings: who is evacuated, who is left alone, and who is put back into service."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from corral.domain.draining import BELIEVED_FOR, TRUE_WITHIN
from corral.errors import RancherUnreachableError
from tasks.fates import Fate, Handled
from tests.unit.drain_doubles import (
    ACTIONS,
    DRAIN_TIME,
    GROUP,
    MACHINE,
    OTHER,
    POOL,
    World,
    draining,
    spot_warning,
    termination,
)


@pytest.fixture
def world() -> World:
    """A spot machine and its host, both at work."""
    world = World()
    world.run(is_spot=True)
    world.add()
    return world


def handle(world: World, body: str = "", *, is_again: bool = False) -> Handled:
    drain = draining(world)
    news = drain.read(body or spot_warning())
    return drain.handle(POOL, DRAIN_TIME, news, is_again=is_again)


def pass_by(world: World, time: timedelta) -> None:
    world.pause(time.total_seconds() - world.seconds)


def test_a_machine_that_is_taken_back_gives_its_containers_away_and_keeps_its_host(world: World):
    world.containers["1h1"] = 5

    handled = handle(world)

    assert handled.fate is Fate.EVACUATED
    assert world.calls == ["evacuate 1h1"]
    assert world.rows["1h1"].state == "inactive"
    assert handled.sentence == f"{MACHINE} is about to be taken back by AWS: host 1h1 is evacuated."
    assert handled.rest == TRUE_WITHIN - timedelta(seconds=world.seconds)


def test_a_machine_whose_agent_is_lost_takes_nothing_new(world: World):
    world.change(agent_state="disconnected", state="disconnected")

    assert handle(world).fate is Fate.EVACUATED
    assert world.calls == ["deactivate 1h1"]


def be_no_spot(world: World) -> None:
    world.machines[MACHINE] = replace(world.machines[MACHINE], is_spot=False)


def be_of_another_pool(world: World) -> None:
    world.members[MACHINE] = ("lab-celery", "InService")


def be_of_no_group(world: World) -> None:
    world.members.clear()


def be_ended_already(world: World) -> None:
    world.members[MACHINE] = (GROUP, "Terminating:Wait")


def be_unknown(world: World) -> None:
    world.machines.clear()


def be_stopped(world: World) -> None:
    world.machines[MACHINE] = replace(world.machines[MACHINE], state="stopped")


def be_late(world: World) -> None:
    pass_by(world, BELIEVED_FOR + timedelta(seconds=1))


def be_a_day_late(world: World) -> None:
    pass_by(world, timedelta(days=1))


def be_out_of_service(world: World) -> None:
    world.change(state="inactive", actions=ACTIONS["inactive"])


def be_in_doubt(world: World) -> None:
    world.run(OTHER, "10.0.0.9")
    world.add("1h2", MACHINE, "10.0.0.9")


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (be_no_spot, "EC2 says that it is no spot instance"),
        (be_of_another_pool, "it is no machine of lab-web"),
        (be_of_no_group, "it is no machine of lab-web"),
        (be_ended_already, "lab-web is ending it already"),
        (be_unknown, "EC2 does not know it"),
        (be_stopped, "it is stopped already"),
        (be_late, "its warning of 2026-01-02 03:04:05 UTC is history"),
        (be_a_day_late, "is history"),
        (be_out_of_service, "no host of it is in service"),
        (be_in_doubt, "2 hosts say that they are"),
    ],
)
def test_nobody_is_evacuated_whom_ec2_and_its_group_do_not_call_a_spot_machine_of_the_pool(
    world: World, fact: Callable[[World], None], said: str
):
    fact(world)

    handled = handle(world)

    assert handled.fate is Fate.DROPPED
    assert said in handled.sentence
    assert world.calls == []


@pytest.mark.parametrize("action", ["stop", "hibernate"])
def test_a_machine_that_comes_back_is_left_alone(world: World, action: str):
    handled = handle(world, spot_warning(action=action))

    assert handled.fate is Fate.DROPPED
    assert handled.sentence == (
        f"{MACHINE} is not evacuated: it is to {action}, and comes back with its host."
    )
    assert world.calls == []


def test_a_warning_that_comes_twice_changes_nothing_the_second_time(world: World):
    handle(world)
    del world.calls[:]

    assert handle(world).fate is Fate.DROPPED
    assert handle(world, is_again=True).fate is Fate.EVACUATED
    assert world.calls == []


def test_a_machine_that_was_not_taken_back_is_in_service_again(world: World):
    handle(world)
    pass_by(world, TRUE_WITHIN)

    handled = handle(world, is_again=True)

    assert handled.fate is Fate.RESTORED
    assert world.calls == ["evacuate 1h1", "activate 1h1"]
    assert world.rows["1h1"].state == "active"
    assert handled.sentence == (
        f"{MACHINE} was not taken back by AWS: host 1h1 is in service again."
    )


@pytest.mark.parametrize("change", [be_of_no_group, be_in_doubt, be_a_day_late])
def test_nothing_that_happened_since_keeps_a_living_machine_out_of_service(
    world: World, change: Callable[[World], None]
):
    handle(world)
    pass_by(world, TRUE_WITHIN)
    change(world)

    assert handle(world, is_again=True).fate is Fate.RESTORED
    assert world.rows["1h1"].state == "active"


def test_who_looks_too_early_looks_again(world: World):
    handle(world)
    pass_by(world, BELIEVED_FOR + timedelta(seconds=1))

    handled = handle(world, is_again=True)

    assert handled.fate is Fate.EVACUATED
    assert handled.rest == TRUE_WITHIN - timedelta(seconds=world.seconds)
    assert world.calls == ["evacuate 1h1"]


@pytest.mark.parametrize("change", [be_ended_already, World.die])
def test_a_machine_that_was_taken_back_stays_out_of_service(
    world: World, change: Callable[[World], None]
):
    handle(world)
    pass_by(world, TRUE_WITHIN)
    change(world)

    assert handle(world, is_again=True).fate is Fate.DROPPED
    assert world.calls == ["evacuate 1h1"]


def test_an_ec2_that_forgets_a_machine_which_its_group_has_is_asked_again(world: World):
    handle(world)
    pass_by(world, TRUE_WITHIN)
    machines = dict(world.machines)
    world.machines.clear()
    failed = handle(world, is_again=True)
    world.machines.update(machines)

    assert failed.fate is Fate.LEFT
    assert handle(world, is_again=True).fate is Fate.RESTORED


@pytest.mark.parametrize("call", ["herd", "host", "activate 1h1"])
def test_a_host_that_could_not_be_put_back_is_put_back_by_the_next_try(world: World, call: str):
    handle(world)
    pass_by(world, TRUE_WITHIN)

    def fail(name: str) -> None:
        if name == call:
            raise RancherUnreachableError("503", status=503)

    world.before_call = fail
    failed = handle(world, is_again=True)
    world.before_call = lambda _: None

    assert failed.fate is Fate.LEFT
    assert handle(world, is_again=True).fate is Fate.RESTORED
    assert world.rows["1h1"].state == "active"


def test_a_host_that_somebody_removes_is_not_put_back(world: World):
    handle(world)
    pass_by(world, TRUE_WITHIN)
    world.change(state="removing", actions=ACTIONS["removing"])

    handle(world, is_again=True)

    assert "activate 1h1" not in world.calls


def test_a_machine_that_was_evacuated_is_removed_by_its_termination(world: World):
    handle(world)
    world.end()

    assert handle(world, termination()).fate is Fate.DRAINED
    assert world.rows["1h1"].state == "purged"
    assert handle(world, is_again=True).fate is Fate.DROPPED
