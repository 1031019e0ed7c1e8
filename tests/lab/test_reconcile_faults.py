"""Whatever the world answers a reconcile: it says so, the herd is untouched, the next run recovers.

Every case has a phantom that would be removed if all went well.
"""

from typing import Any

import pytest

from tests.lab.herd_of_stage import Herd

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("herd"), pytest.mark.timeout(1200)]

INSTANCES = "DescribeInstances"
HOSTS = "GET /v2-beta/hosts"
STEP = "POST /v2-beta/projects/{id}/hosts/{id}?deactivate"
HTML = {"body": "<html><body>Bad gateway</body></html>", "content_type": "text/html"}

AWS_FAULTS = [
    pytest.param(
        {"status": 503, "body": {"code": "RequestLimitExceeded"}},
        "unreachable/aws",
        "DescribeInstances with RequestLimitExceeded",
        id="throttled",
    ),
    pytest.param(
        {"status": 403, "body": {"code": "UnauthorizedOperation"}},
        "credentials/aws",
        "AWS refuses ec2:DescribeInstances",
        id="403",
    ),
    pytest.param(
        {"status": 400, "body": {"code": "RequestExpired"}},
        "credentials/aws",
        "credentials have expired",
        id="expired",
    ),
    pytest.param({"status": 500}, "unreachable/aws", "DescribeInstances with", id="500"),
    pytest.param({"reset": True}, "unreachable/aws", "Connection", id="reset"),
    pytest.param({"cut": True}, "unreachable/aws", "an answer that was cut", id="truncated"),
    pytest.param(HTML, "unreachable/aws", "DescribeInstances", id="HTML"),
]
RANCHER_FAULTS = [
    pytest.param({"status": 401}, "credentials/rancher", "401", id="401"),
    pytest.param({"status": 403}, "credentials/rancher", "403", id="403"),
    pytest.param({"status": 409}, "unreachable/rancher", "409", id="409"),
    pytest.param({"status": 422}, "unreachable/rancher", "422", id="422"),
    pytest.param({"status": 500}, "unreachable/rancher", "500", id="500"),
    pytest.param({"status": 503}, "unreachable/rancher", "503", id="503"),
    pytest.param({"reset": True}, "unreachable/rancher", "/v2-beta/hosts", id="reset"),
    pytest.param({"cut": True}, "unreachable/rancher", "/v2-beta/hosts", id="cut-off"),
    pytest.param(
        {"body": '{"type": "collec'}, "unreachable/rancher", "no JSON", id="truncated-JSON"
    ),
    pytest.param(HTML, "unreachable/rancher", "no JSON", id="HTML"),
]
STEP_FAULTS = [
    pytest.param({"status": 401}, "401", id="401"),
    pytest.param({"status": 403}, "403", id="403"),
    pytest.param({"status": 500}, "500", id="500"),
    pytest.param({"status": 503}, "503", id="503"),
    pytest.param({"reset": True}, "hosts", id="reset"),
]
CONFLICTS = [
    pytest.param({"status": 409}, id="409"),
    pytest.param({"status": 422}, id="422"),
]
ANSWERED_BADLY = [
    pytest.param({"cut": True}, id="cut-off"),
    pytest.param({"trickle_s": 2}, id="slow"),
]


def _is_refused_once_and_recovers(
    herd: Herd, target: str, operation: str, effect: dict[str, Any], alert: str, said: str
) -> None:
    phantoms = herd.seed(1)
    before = herd.ids

    with herd.fault(target, operation, **effect):
        end = herd.reconcile()

    assert end.name == "Refused", end.message
    assert said in str(end.message)
    assert herd.ids == before
    assert herd.incidents == [("trigger", f"corral/lab/{alert}")]

    assert herd.reconcile().name == "Repaired"
    assert herd.ids == before - phantoms
    assert herd.incidents[1:] == [("resolve", f"corral/lab/{alert}")]


@pytest.mark.parametrize(("effect", "alert", "said"), AWS_FAULTS)
def test_an_ec2_that_cannot_be_read_ends_in_refusal(
    herd: Herd, effect: dict[str, Any], alert: str, said: str
):
    _is_refused_once_and_recovers(herd, "aws", INSTANCES, effect, alert, said)


@pytest.mark.parametrize(("effect", "alert", "said"), RANCHER_FAULTS)
def test_a_rancher_that_cannot_be_read_ends_in_refusal(
    herd: Herd, effect: dict[str, Any], alert: str, said: str
):
    _is_refused_once_and_recovers(herd, "rancher", HOSTS, effect, alert, said)


@pytest.mark.parametrize(("target", "operation"), [("aws", INSTANCES), ("rancher", HOSTS)])
def test_who_answers_slowly_is_waited_for(herd: Herd, target: str, operation: str):
    phantoms = herd.seed(1)
    before = herd.ids

    with herd.fault(target, operation, trickle_s=3):
        assert herd.reconcile().name == "Repaired"

    assert herd.ids == before - phantoms


@pytest.mark.parametrize(("effect", "said"), STEP_FAULTS)
def test_a_removal_that_fails_is_said_and_made_up_for_by_the_next_run(
    herd: Herd, effect: dict[str, Any], said: str
):
    [phantom] = herd.seed(1)
    before = herd.ids
    alert = f"corral/lab/removal/{herd.environment_id()}/{phantom}"

    with herd.fault("rancher", STEP, **effect):
        end = herd.reconcile()

    assert end.name == "Partial"
    assert f"Host {phantom} could not be removed: " in str(end.message)
    assert said in str(end.message)
    assert herd.ids == before
    assert herd.incidents == [("trigger", alert)]

    assert herd.reconcile().name == "Repaired"
    assert herd.ids == before - {phantom}
    assert herd.incidents[1:] == [("resolve", alert)]


@pytest.mark.parametrize("effect", CONFLICTS)
def test_a_step_that_is_refused_for_ever_is_left_to_the_next_run(
    herd: Herd, effect: dict[str, Any]
):
    herd.set(removal_deadline_s=2)
    [phantom] = herd.seed(1)
    before = herd.ids

    with herd.fault("rancher", STEP, **effect):
        end = herd.reconcile()

    assert end.name == "Partial"
    assert f"Host {phantom} is disconnected after 2 s" in str(end.message)
    assert herd.ids == before

    assert herd.reconcile().name == "Repaired"
    assert herd.ids == before - {phantom}


@pytest.mark.parametrize("effect", ANSWERED_BADLY)
def test_a_step_that_was_taken_is_not_taken_again_whatever_its_answer(
    herd: Herd, effect: dict[str, Any]
):
    [phantom] = herd.seed(1)
    before = herd.ids

    with herd.fault("rancher", STEP, **effect):
        end = herd.reconcile()

    assert end.name == "Repaired"
    assert herd.ids == before - {phantom}


def test_a_second_look_that_fails_leaves_the_herd_as_it_is(herd: Herd):
    [phantom] = herd.seed(1)
    before = herd.ids

    with herd.fault("aws", INSTANCES, after=1, status=503):
        end = herd.reconcile()

    assert end.name == "Partial"
    assert f"Host {phantom} was not removed, since nothing could be looked at a second time" in str(
        end.message
    )
    assert herd.ids == before
    assert herd.reconcile().name == "Repaired"
    assert herd.ids == before - {phantom}
