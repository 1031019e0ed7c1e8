"""One reconcile from its first read to its last removal."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from datetime import timedelta

import pytest
from herd_doubles import (
    NOW,
    RULE,
    Clock,
    Ec2Double,
    GroupsDouble,
    RancherDouble,
    host,
    instance,
    instance_id,
    worlds,
)

from corral.clients.rancher import Patience
from corral.clients.rancher.removal import OutcomeKind
from corral.domain.herd import Removal, Verdict, Watch
from corral.errors import AwsUnavailableError, RancherAnswerError, RancherUnreachableError
from tasks.reconciliation import Reconciliation

REMOVED, CANCELLED = OutcomeKind.REMOVED, OutcomeKind.CANCELLED
UNDER_WAY, FAILED = OutcomeKind.UNDER_WAY, OutcomeKind.FAILED
IN_ORDER = ["projects", "setting host.remove.delay.seconds", "herd", "members", "instances"]


class World:
    """Ten hosts of which the first few are dead, and a reconcile of them."""

    def __init__(self, dead: int = 0, *, workers: int = 4) -> None:
        numbers = range(1, 11)
        hosts = [host(n, agent="disconnected" if n <= dead else "active") for n in numbers]
        instances = [instance(n, "terminated" if n <= dead else "running") for n in numbers]
        self.rancher: RancherDouble
        self.ec2: Ec2Double
        self.groups: GroupsDouble
        self.rancher, self.ec2, self.groups = worlds(hosts, instances)
        self.clock = Clock()
        self.reconciliation = Reconciliation(
            rancher=self.rancher,
            ec2=self.ec2,
            groups=self.groups,
            rule=RULE,
            group_names=["lab-web"],
            patience=Patience(deadline=timedelta(seconds=60), interval=timedelta(seconds=1)),
            workers=workers,
            now=lambda: NOW,
            clock=self.clock,
            sleep=self.clock.sleep,
        )

    @property
    def calls(self) -> list[str]:
        return self.rancher.calls

    def plan(self) -> tuple[Removal, ...]:
        view = self.reconciliation.read()
        return self.reconciliation.assess(view, Watch()).removals

    def verdict(self, number: int) -> Verdict:
        assessment = self.reconciliation.assess(self.reconciliation.read(), Watch())
        found = {finding.instance_id: finding.verdict for finding in assessment.findings}
        return found[instance_id(number)]


# Reading


def test_of_a_herd_in_order_rancher_is_asked_four_questions_and_then_ec2_one():
    world = World()

    assert world.plan() == ()
    assert world.calls == IN_ORDER


def test_before_anybody_is_removed_the_groups_are_asked_whom_ec2_has_to_list():
    world = World(dead=1)
    world.groups.members = {instance_id(1): "lab-web", instance_id(2): "lab-web"}

    assert [removal.instance_id for removal in world.plan()] == [instance_id(1)]
    assert world.calls == [*IN_ORDER, "members of lab-web"]


def test_with_a_list_that_lacks_a_member_whom_ec2_does_not_know_either_nobody_is_removed():
    world = World(dead=1)
    world.groups.members = {instance_id(99): "lab-web"}

    assert world.plan() == ()
    assert world.calls == [*IN_ORDER, "members of lab-web", f"find {instance_id(99)}"]


def test_a_member_that_ec2_knows_only_by_its_id_is_judged_with_the_others():
    world = World(dead=1)
    hidden = replace(instance(99), private_ip=host(1).address, launched=host(1).created)
    world.ec2.unlisted = [hidden]
    world.groups.members = {hidden.id: "lab-web"}

    # The silent host at its address may be this one, whatever its label says.
    assert world.plan() == ()


def test_an_instance_that_the_list_lacks_is_asked_for_by_id_before_it_counts_as_absent():
    world = World()
    world.ec2.unlisted = [world.ec2.instances.pop(0)]

    assert world.verdict(1) is Verdict.HEALTHY
    assert world.calls == [*IN_ORDER, f"find {instance_id(1)}"]


def test_about_an_empty_list_of_instances_nothing_more_is_asked():
    world = World()
    world.ec2.unlisted, world.ec2.instances = world.ec2.instances, []

    assert world.plan() == ()
    assert world.calls == IN_ORDER


def test_the_groups_logs_are_asked_about_instances_that_ec2_does_not_know_by_id_either():
    world = World(dead=2)
    del world.ec2.instances[:2]
    world.groups.log = {instance_id(1): "At 11:58 lab-web terminated it, as it was asked to."}

    removals = world.plan()

    assert [removal.evidence for removal in removals] == ["recorded", "absent"]
    asked = f"log of lab-web about {instance_id(1)} {instance_id(2)}"
    assert world.calls[-2:] == [asked, "members of lab-web"]


def test_a_group_is_asked_whether_it_is_ending_an_instance_before_it_is_called_missing():
    world = World()
    for number in (1, 2):
        del world.rancher.rows[f"1h{number}"]
    world.groups.states = {
        instance_id(1): ("lab-web", "Terminating:Wait"),
        instance_id(2): ("lab-web", "InService"),
    }

    view = world.reconciliation.read()

    assert view.leaving == {instance_id(1)}
    assert world.verdict(2) is Verdict.MISSING


def test_servers_that_rancher_does_not_list_are_an_error_and_ec2_is_not_asked():
    world = World()
    world.rancher.servers = "503 Service Unavailable"

    with pytest.raises(RancherAnswerError, match=r"503 Service Unavailable: whether it was"):
        world.reconciliation.read()
    assert "instances" not in world.calls


@pytest.mark.parametrize(("said", "meant"), [("-1", -1), ("3600", 3600), ("", None)])
def test_ranchers_own_remover_is_read_from_its_setting(said, meant):
    world = World()
    world.rancher.remove_delay = said

    assert world.reconciliation.read().remove_delay_s == meant


def test_labels_that_name_no_instance_of_ours_cost_no_call():
    world = World()
    for number, changed in enumerate(
        [{"aws.instance_id": "*"}, {"aws.instance_id": "x" * 300}, {"aws.region": "eu-west-1"}], 20
    ):
        row = host(number)
        world.rancher.rows[row.id] = replace(row, labels={**row.labels, **changed})

    world.reconciliation.read()

    assert world.calls == IN_ORDER


# Removing


def test_the_dead_are_removed_and_nobody_else():
    world = World(dead=2)

    outcomes = world.reconciliation.remove(world.plan())

    assert [(one.host_id, one.kind) for one in outcomes] == [("1h1", REMOVED), ("1h2", REMOVED)]
    assert world.rancher.living == [f"1h{number}" for number in range(3, 11)]
    assert {call.split()[1] for call in world.rancher.writes} == {"1a5/1h1", "1a5/1h2"}


def test_all_are_looked_up_in_ec2_again_with_one_call_before_the_first_is_touched():
    world = World(dead=3)
    removals = world.plan()
    world.calls.clear()

    world.reconciliation.remove(removals)

    assert world.calls[0] == f"find {instance_id(1)} {instance_id(2)} {instance_id(3)}"


def test_a_second_look_that_fails_leaves_everything_as_it_is():
    world = World(dead=2)
    removals = world.plan()
    world.ec2.failure = AwsUnavailableError("DescribeInstances", "RequestLimitExceeded", "slowly")

    with pytest.raises(AwsUnavailableError):
        world.reconciliation.remove(removals)
    assert world.rancher.writes == []


def _reconnects(world: World) -> None:
    row = world.rancher.rows["1h1"]
    world.rancher.rows["1h1"] = replace(row, state="active", agent_state="active")


def _runs_again(world: World) -> None:
    world.ec2.instances[0] = instance(1)


@pytest.mark.parametrize("change", [_reconnects, _runs_again])
def test_whoever_changed_since_the_judgement_is_left_alone(change: Callable[[World], None]):
    world = World(dead=2)
    removals = world.plan()
    change(world)

    outcomes = world.reconciliation.remove(removals)

    assert [one.kind for one in outcomes] == [CANCELLED, REMOVED]
    assert "1h1" in world.rancher.living
    assert not any("1h1" in call for call in world.rancher.writes)


def _answers(world: World) -> None:
    world.rancher.change("1h1", agent_state="active")


def _is_found(world: World) -> None:
    world.ec2.unlisted = [instance(1)]


def _cannot_be_asked(world: World) -> None:
    world.ec2.failure = AwsUnavailableError("DescribeInstances", "Busy", "slowly")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_answers, "it changed meanwhile (agent active), so the next run judges it anew"),
        (_is_found, f"EC2 now says that {instance_id(1)} is running, so the next run judges it"),
        (_cannot_be_asked, "EC2 could not be asked about it again: AWS answered"),
    ],
)
def test_whoever_turns_out_to_live_half_way_is_in_service_again(
    change: Callable[[World], None], said: str
):
    world = World(dead=1)
    del world.ec2.instances[0]
    removals = world.plan()
    world.rancher.after_action = lambda action: change(world) if action == "deactivate" else None

    [outcome] = world.reconciliation.remove(removals)

    assert outcome.kind is CANCELLED
    assert outcome.sentence.startswith(f"host 1h1 stays, and is in service as before: {said}")
    assert world.rancher.writes == ["deactivate 1a5/1h1", "activate 1a5/1h1"]


def test_one_that_fails_stops_no_other():
    world = World(dead=3)
    world.rancher.refusals = {"1h2": RancherUnreachableError("POST 1h2: 503", status=503)}

    outcomes = world.reconciliation.remove(world.plan())

    assert [one.kind for one in outcomes] == [REMOVED, FAILED, REMOVED]
    assert "503" in outcomes[1].sentence


def test_one_that_rancher_holds_in_removing_stops_no_other():
    world = World(dead=3, workers=1)
    world.rancher.stuck = frozenset({"1h3"})

    outcomes = world.reconciliation.remove(world.plan())

    assert [one.kind for one in outcomes] == [REMOVED, REMOVED, UNDER_WAY]


def test_what_is_not_begun_before_the_runs_time_is_over_is_left_to_the_next():
    world = World(dead=3, workers=1)
    world.rancher.stuck = frozenset({"1h1"})

    outcomes = world.reconciliation.remove(world.plan())

    assert [one.kind for one in outcomes] == [UNDER_WAY] * 3
    assert "1h3 has not had its turn" in outcomes[2].sentence
    assert world.rancher.writes == ["deactivate 1a5/1h1", "remove 1a5/1h1"]


def test_a_run_that_died_half_way_is_finished_by_the_next():
    world = World(dead=1)
    world.rancher.act_on_host("1a5", "1h1", "deactivate")

    [outcome] = world.reconciliation.remove(world.plan())

    assert outcome.kind is REMOVED
    assert "1h1" not in world.rancher.living


def test_what_a_thread_says_belongs_to_the_run_it_works_for():
    run: ContextVar[str] = ContextVar("run", default="nobody's")
    world = World(dead=2)
    heard: list[str] = []
    run.set("mine")

    world.reconciliation.remove(world.plan(), lambda *_: heard.append(run.get()))

    assert set(heard) == {"mine"}
