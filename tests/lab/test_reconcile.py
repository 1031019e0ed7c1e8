"""Runs of reconcile-hosts on a living cluster: what is removed, what is refused, who is told."""

import signal

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.states import Crashed

from tests.lab.harness import wait_until
from tests.lab.herd_of_stage import ENQUEUE, Herd

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("herd"), pytest.mark.timeout(1200)]

ROOM_S = 30.0
"""Seconds that a process of its own takes to start, find its turn and get to work."""

NO_INSTANCES = """<?xml version="1.0" encoding="UTF-8"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <requestId>fdcdcab1-ae5c-489e-9c33-4637c5dda355</requestId>
  <reservationSet/>
</DescribeInstancesResponse>"""
SOMEBODY_ELSE = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>arn:aws:iam::999999999999:user/somebody</Arn>
    <UserId>AIDACKCEVSQ6C2EXAMPLE</UserId>
    <Account>999999999999</Account>
  </GetCallerIdentityResult>
</GetCallerIdentityResponse>"""


def test_two_machines_that_crashed_are_removed_and_nobody_else(herd: Herd):
    before = herd.ids
    dead = herd.crash(2)

    end = herd.reconcile()

    assert end.name == "Repaired", end.message
    assert before - herd.ids == dead
    assert {row["host"]: row["verdict"] for row in herd.table() if row["host"] in before} == (
        dict.fromkeys(dead, "orphaned")
    )
    assert herd.incidents == []
    herd.wait_until_whole()
    assert herd.reconcile().name == "InStep"


def test_over_the_cap_nothing_is_removed_and_one_alert_resolves_when_it_may_be(herd: Herd):
    phantoms = herd.seed(2)
    before = herd.ids
    herd.limit(max_removals=1)

    ends = [herd.reconcile(), herd.reconcile()]

    assert [end.name for end in ends] == ["Refused", "Refused"]
    assert "max_removals 1" in str(ends[0].message)
    assert herd.ids == before
    alert = f"corral/lab/over-cap/{herd.environment_id()}"
    assert herd.incidents == [("trigger", alert)]
    assert len(herd.messages) == 1

    herd.limit(max_removals=2)

    assert herd.reconcile().name == "Repaired"
    assert herd.ids == before - phantoms
    assert herd.incidents[1:] == [("resolve", alert)]
    assert len(herd.messages) == 2


@pytest.mark.parametrize(
    ("operation", "effect", "alert", "said"),
    [
        pytest.param(
            "DescribeInstances",
            {"body": NO_INSTANCES},
            "corral/lab/empty-ec2",
            "EC2 lists no instance at all in account 123456789012, us-east-1",
            id="EC2 is empty",
        ),
        pytest.param(
            "GetCallerIdentity",
            {"body": SOMEBODY_ELSE},
            "corral/lab/account/aws",
            "belong to account 999999999999, but the cluster file says 123456789012",
            id="wrong account",
        ),
        pytest.param(
            "GetCallerIdentity",
            {"status": 403, "body": {"code": "InvalidClientTokenId"}},
            "corral/lab/credentials/aws",
            "AWS does not accept these credentials",
            id="wrong credentials",
        ),
    ],
)
def test_a_guard_that_speaks_lets_nothing_be_removed_and_tells_it_once(
    herd: Herd, operation: str, effect: dict[str, object], alert: str, said: str
):
    phantoms = herd.seed(1)
    before = herd.ids

    with herd.fault("aws", operation, **effect):
        ends = [herd.reconcile(), herd.reconcile()]

    assert [end.name for end in ends] == ["Refused", "Refused"]
    assert said in str(ends[0].message)
    assert herd.ids == before
    assert herd.incidents == [("trigger", alert)]

    assert herd.reconcile().name == "Repaired"
    assert herd.ids == before - phantoms
    assert herd.incidents[1:] == [("resolve", alert)]


def test_when_all_agents_fall_silent_at_once_nothing_is_removed(herd: Herd):
    phantoms = herd.seed(1)
    before = herd.ids
    silent = herd.silence_all()

    ends = [herd.reconcile(), herd.reconcile()]

    assert [end.name for end in ends] == ["Refused", "Refused"]
    assert f"{len(silent)} of {len(silent)} hosts whose instances run are silent" in str(
        ends[0].message
    )
    assert herd.ids == before
    assert herd.incidents == [("trigger", "corral/lab/mass")]

    herd.let_all_speak()

    assert herd.reconcile().name == "Repaired"
    assert herd.ids == before - phantoms
    assert herd.incidents[1:] == [("resolve", "corral/lab/mass")]


def test_after_a_restart_of_rancher_nothing_is_removed_for_the_quiet_time(herd: Herd):
    assert herd.reconcile().name == "InStep"
    phantoms = herd.seed(1)
    before = herd.ids
    herd.restart_rancher()
    herd.set(quiet_s=3600)

    ends = [herd.reconcile(), herd.reconcile()]

    assert [end.name for end in ends] == ["Refused", "Refused"]
    assert "of Rancher's servers started less than" in str(ends[0].message)
    assert herd.ids == before
    assert herd.incidents == [("trigger", "corral/lab/restart")]

    herd.set(quiet_s=0)

    assert herd.reconcile().name == "Repaired"
    assert herd.ids == before - phantoms
    assert herd.incidents[1:] == [("resolve", "corral/lab/restart")]


def test_a_host_that_rancher_holds_in_removing_is_told_once_and_stops_no_other(herd: Herd):
    herd.set(removal_deadline_s=3)
    stuck, *others = sorted(herd.seed(3))
    alert = f"corral/lab/stuck/{herd.environment_id()}/{stuck}"

    with herd.fault("rancher", "process host.remove", match={"id": stuck}, delay_s=1e9):
        first = herd.reconcile()
        assert first.name == "Partial"
        assert f"Host {stuck} is removing after 3 s" in str(first.message)
        assert stuck in herd.ids
        assert not herd.ids & set(others)

        leaving = herd.reconcile()
        herd.set(stuck_after_s=0.1)
        ends = [herd.reconcile(), herd.reconcile()]
        assert [leaving.name, *(end.name for end in ends)] == ["InStep", "Partial", "Partial"]
        assert "1 leaving" in str(leaving.message)
        assert "1 stuck" in str(ends[0].message)
        assert herd.incidents == [("trigger", alert)]

        others = sorted(herd.seed(1))
        assert herd.reconcile().name == "Partial"
        assert not herd.ids & set(others)

    wait_until(lambda: stuck not in herd.ids, ROOM_S, "Rancher goes on")
    assert herd.reconcile().name == "InStep"
    assert herd.incidents == [("trigger", alert), ("resolve", alert)]


def test_a_dry_run_goes_the_same_way_and_changes_and_tells_nothing(herd: Herd):
    phantoms = herd.seed(2)
    before = herd.ids
    herd.stage.lever("DELETE", "/journal")

    end = herd.reconcile(dry_run=True)

    assert end.name == "DryRun"
    for host_id in phantoms:
        assert f"Would remove {host_id}: EC2 says that" in str(end.message)
    assert {row["host"]: row["verdict"] for row in herd.table()} == (
        dict.fromkeys(phantoms, "orphaned")
    )
    assert herd.stage.writes() == []
    assert herd.incidents == []
    assert herd.ids == before

    herd.limit(max_removals=1)

    assert herd.reconcile(dry_run=True).name == "Refused"
    assert herd.incidents == []

    herd.limit(max_removals=2)

    assert herd.reconcile().name == "Repaired"
    assert herd.ids == before - phantoms


def test_environments_have_caps_of_their_own(herd: Herd):
    environment = herd.make_environment("other")
    alert = f"corral/lab/over-cap/{herd.environment_id(environment)}"
    mine, others = herd.seed(1), herd.seed(4, environment)

    end = herd.reconcile()

    assert end.name == "Partial"
    assert "Environment other: " in str(end.message)
    assert not herd.ids & mine
    assert others <= herd.ids
    assert herd.incidents == [("trigger", alert)]

    herd.limit(max_removal_percent=100)

    assert herd.reconcile().name == "Repaired"
    assert not herd.ids & others
    assert herd.incidents[1:] == [("resolve", alert)]


def test_a_cluster_without_an_administrators_key_is_skipped(herd: Herd):
    before = herd.ids

    with herd.fault(
        "aws", "GetSecretValue", status=400, body={"code": "ResourceNotFoundException"}
    ):
        end = herd.reconcile()

    assert end.name == "Skipped"
    assert "lab has no administrator's key in lab/rancher/admin" in str(end.message)
    assert herd.ids == before
    assert herd.incidents == []


def test_an_alert_that_cannot_be_told_stops_no_repair_and_is_told_by_the_next_run(herd: Herd):
    phantoms = herd.seed(1)
    before = herd.ids
    herd.limit(max_removals=0)
    assert herd.reconcile().name == "Refused"
    herd.limit(max_removals=1)

    with herd.fault("alerts", ENQUEUE, status=400):
        end = herd.reconcile()

    assert end.name == "Partial"
    assert "The alert channel pagerduty " in str(end.message)
    assert herd.ids == before - phantoms

    assert herd.reconcile().name == "InStep"
    assert herd.incidents[-1] == ("resolve", f"corral/lab/over-cap/{herd.environment_id()}")
    assert len(herd.messages) == 2


def test_a_run_that_was_killed_half_way_is_finished_by_the_next(herd: Herd):
    [phantom] = herd.seed(1)
    with herd.fault("rancher", "POST /v2-beta/projects/{id}/hosts/{id}?remove", delay_s=2 * ROOM_S):
        run = herd.stage.run_flow("flows.reconcile_hosts.reconcile_hosts", "killed", cluster="lab")
        run.wait_for_line(rf"host {phantom} .*: remove", ROOM_S)
        run.process.send_signal(signal.SIGKILL)
        run.process.wait()
    assert herd.rows[phantom]["state"] == "inactive"
    _bury_the_dead()

    assert herd.reconcile().name == "Repaired"
    assert phantom not in herd.ids


def _bury_the_dead() -> None:
    """Do what an automation does, or a person, with a run whose worker is gone."""
    with get_client(sync_client=True) as client:
        for run in client.read_flow_runs():
            if run.name == "reconcile-lab" and run.state_type is StateType.RUNNING:
                client.set_flow_run_state(run.id, Crashed(message="killed"))
