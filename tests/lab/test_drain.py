"""Runs of drain-hosts on a living cluster: who leaves, who stays, what comes again, who is told."""

import signal
import time

import pytest

from tests.lab.drains_of_stage import GROUP, SPOT_QUEUE, Drains, spot_warning, termination
from tests.lab.harness import wait_until
from tests.lab.herd_of_stage import Herd

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("herd"), pytest.mark.timeout(1200)]

REACTION_S = 20.0
ROOM_S = 60.0
"""Seconds that a run in a process of its own has for everything."""
AGAIN_S = 20.0
"""Seconds after which a message that was left comes again, and some."""
LOAN_S = 70.0
"""Seconds after which SQS gives a message to somebody else, and some."""
HEARTBEAT = "RecordLifecycleActionHeartbeat"
COMPLETE = "CompleteLifecycleAction"
LOOK_AT_CONTAINERS = "GET /v2-beta/projects/{id}/hosts/{id}/instances"
EVACUATE = "POST /v2-beta/projects/{id}/hosts/{id}?evacuate"


@pytest.fixture
def drains(herd: Herd) -> Drains:
    """The pool web, whole, with nothing in its queue."""
    drains = Drains(herd)
    wait_until(drains.is_quiet, LOAN_S, "the queue is empty")
    return drains


def test_a_machine_that_its_group_ends_is_drained_first_and_nobody_else(drains: Drains):
    before = drains.herd.ids
    instance_id, host_id = drains.scale_in()

    end = drains.run()

    assert end.name == "Drained", end.message
    assert f"lab-web ends {instance_id}: host {host_id} is out of Rancher, lab-web goes on." in str(
        end.message
    )
    assert before - drains.herd.ids == {host_id}
    assert drains.count(EVACUATE) == 1
    assert drains.messages() == 0
    assert drains.state_of(instance_id) in ("shutting-down", "terminated")
    assert drains.run().name == "InStep"


def test_containers_have_left_before_their_host_goes(drains: Drains):
    drains.stage.lever("POST", "/services", name="shop", scale=6, environment="lab")
    wait_until(drains.is_busy, ROOM_S, "containers run on the machine that will be ended")
    _, host_id = drains.scale_in()

    end = drains.run()

    assert end.name == "Drained", end.message
    assert drains.count(LOOK_AT_CONTAINERS) > 1
    assert drains.count(EVACUATE) == 1
    assert drains.is_gone(host_id)


def test_a_listening_run_reacts_within_seconds(drains: Drains):
    run = drains.start("drain-listening", listen_s=25)
    run.wait_for_line("listening to web, celery, crawler", ROOM_S)
    _, host_id = drains.end_one()

    run.wait_for_line(f"host {host_id} .*: evacuate", REACTION_S)
    wait_until(lambda: drains.is_gone(host_id), 30, f"host {host_id} is gone")
    assert run.wait(ROOM_S) == 0, run.tail
    assert "Drained" in run.tail


def test_a_machine_in_service_is_not_touched_whatever_a_message_says(drains: Drains):
    before = drains.herd.rows
    drains.send(termination(drains.in_service()))

    end = drains.run()

    assert end.name == "InStep", end.message
    assert {key: row["state"] for key, row in drains.herd.rows.items()} == {
        key: row["state"] for key, row in before.items()
    }
    assert drains.messages() == 0


def test_messages_that_are_not_for_us_are_dropped(drains: Drains):
    drains.send({"Service": "AWS Auto Scaling", "Event": "autoscaling:TEST_NOTIFICATION"})
    drains.send("no JSON at all")
    drains.send(termination("i-0123456789abcdef0", group="other-group"))

    end = drains.run()

    assert end.name == "InStep", end.message
    assert str(end.message).count("A message was dropped") == 3
    assert drains.messages() == 0


def test_what_failed_is_left_and_done_by_the_next_run(drains: Drains):
    instance_id, host_id = drains.scale_in()

    with drains.herd.fault("rancher", "GET /v2-beta/hosts", status=500, body="<html>oops</html>"):
        end = drains.run()

    assert end.name == "Partial", end.message
    assert f"{instance_id} is left for another try" in str(end.message)
    assert drains.members()[instance_id] == "Terminating:Wait"
    assert drains.messages() == 1
    wait_until(drains.waiting, AGAIN_S, "the message comes again")
    assert drains.run().name == "Drained"
    assert drains.is_gone(host_id)


def test_what_fails_for_ever_is_taken_out_of_the_way_and_told_once(drains: Drains):
    with drains.giving_up_after(1):
        _, host_id = drains.scale_in()
        with drains.herd.fault("rancher", "GET /v2-beta/hosts", status=500):
            assert drains.run().name == "Partial"
        wait_until(drains.waiting, AGAIN_S, "the message comes again")

        ends = [drains.run(), drains.run()]

        assert [end.name for end in ends] == ["InStep", "InStep"]
        assert "redrive the queue lab-web-terminations-failed" in str(ends[0].message)
        assert drains.herd.incidents == [("trigger", "corral/lab/dead-letter/web")]
    # So much later its group has long given up waiting, and the machine took its host along.
    wait_until(lambda: drains.is_gone(host_id), ROOM_S, f"host {host_id} is gone")
    drains.redrive()
    assert drains.run().name == "Drained"
    assert drains.is_gone(host_id)
    assert drains.herd.incidents[1:] == [("resolve", "corral/lab/dead-letter/web")]


def test_a_hook_that_has_ended_already_is_fine(drains: Drains):
    instance_id, host_id = drains.scale_in()
    drains.groups.complete_lifecycle_action(
        AutoScalingGroupName=GROUP,
        LifecycleHookName=f"{GROUP}-drain",
        InstanceId=instance_id,
        LifecycleActionResult="CONTINUE",
    )
    wait_until(lambda: drains.is_gone(host_id), ROOM_S, "the machine has taken its host along")

    end = drains.run()

    assert end.name == "Drained", end.message
    assert "Rancher has no host of it, lab-web no longer waited." in str(end.message)
    assert drains.messages() == 0


def test_what_takes_long_keeps_the_group_waiting_by_signs_of_life(drains: Drains):
    instance_id, host_id = drains.scale_in()
    held = {"operation": "process host.remove", "id": host_id}
    drains.stage.lever(
        "POST", "/faults", target="rancher", match=held, effect={"delay_s": 6}, times=1
    )

    end = drains.run()

    assert end.name == "Drained", end.message
    assert drains.count(HEARTBEAT) >= 2
    assert drains.count("ChangeMessageVisibility") >= 2
    assert drains.count(COMPLETE) == 1
    assert drains.state_of(instance_id) in ("shutting-down", "terminated")


def test_a_run_that_is_killed_half_way_is_finished_by_the_next(drains: Drains):
    instance_id, host_id = drains.scale_in()
    with drains.changed("VisibilityTimeout", "15"):
        first = drains.start("drain-killed")
        first.wait_for_line(f"host {host_id} .*: evacuate", ROOM_S)
        first.kill()
    wait_until(drains.waiting, AGAIN_S, "the message comes again")

    end = drains.run()

    assert end.name == "Drained", end.message
    assert drains.is_gone(host_id)
    assert drains.state_of(instance_id) in ("shutting-down", "terminated")


def test_a_run_that_is_told_to_stop_gives_its_message_back(drains: Drains):
    _, host_id = drains.scale_in()
    held = {"operation": "process host.remove", "id": host_id}
    with drains.herd.fault("rancher", "process host.remove", match=held, delay_s=1e9):
        run = drains.start("drain-stopped", listen_s=300)
        run.wait_for_line(f"host {host_id} .*: remove", ROOM_S)
        begun = time.monotonic()
        run.process.send_signal(signal.SIGTERM)
        run.wait(20)

        assert time.monotonic() - begun < 10
        assert drains.waiting() == 1
    assert drains.run().name == "Drained"


def test_two_runs_and_two_copies_of_a_message_do_the_work_once(drains: Drains):
    before = drains.herd.ids
    _, host_id = drains.scale_in()
    received = drains.sqs.receive_message(QueueUrl=drains.url(), VisibilityTimeout=0)
    drains.send(received["Messages"][0]["Body"])

    runs = [drains.start(f"drain-beside-{number}", listen_s=5) for number in range(2)]

    for run in runs:
        assert run.wait(ROOM_S) == 0, run.tail
    assert before - drains.herd.ids == {host_id}
    assert drains.messages() == 0


def test_a_wrong_account_is_refused_before_any_queue_is_heard(drains: Drains):
    _, host_id = drains.scale_in()
    drains.stage.lever("DELETE", "/journal")
    answer = (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        "<GetCallerIdentityResult><Arn>arn:aws:iam::999999999999:user/somebody</Arn>"
        "<UserId>AIDACKCEVSQ6C2EXAMPLE</UserId><Account>999999999999</Account>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>"
    )

    with drains.herd.fault("aws", "GetCallerIdentity", body=answer):
        ends = [drains.run(), drains.run()]

    assert [end.name for end in ends] == ["Refused", "Refused"]
    assert drains.count("ReceiveMessage") == 0
    assert not drains.is_gone(host_id)
    assert drains.herd.incidents == [("trigger", "corral/lab/account/aws")]
    assert drains.run().name == "Drained"


def test_a_spot_machine_that_is_taken_back_is_evacuated_and_its_host_stays(drains: Drains):
    before = drains.herd.ids
    instance_id = drains.spot_machine()
    host_id = drains.host_of(instance_id)
    drains.send(spot_warning(instance_id), SPOT_QUEUE)

    end = drains.run()

    assert end.name == "Drained", end.message
    assert f"{instance_id} is about to be taken back by AWS: host {host_id} is evacuated." in str(
        end.message
    )
    assert drains.herd.ids == before
    assert drains.herd.rows[host_id]["state"] == "inactive"
    # It is kept there until it is seen whether it came true.
    drains.sqs.purge_queue(QueueUrl=drains.url(SPOT_QUEUE))
    drains.stage.lever("POST", f"/instances/{instance_id}/crash")
    drains.herd.wait_for_agents("disconnected", {host_id})


def test_a_machine_that_is_no_spot_machine_is_not_touched_whatever_a_warning_says(drains: Drains):
    instance_id = drains.in_service()
    drains.send(spot_warning(instance_id))

    end = drains.run()

    assert end.name == "InStep", end.message
    assert "EC2 says that it is no spot instance" in str(end.message)
    assert drains.herd.rows[drains.host_of(instance_id)]["state"] == "active"


def test_a_pool_that_is_not_built_yet_is_passed_over(drains: Drains):
    drains.plan_pool("batch")
    _, host_id = drains.scale_in()

    end = drains.run()

    assert end.name == "Drained", end.message
    assert "Pool batch has no queue yet: it is not built." in str(end.message)
    assert drains.is_gone(host_id)
