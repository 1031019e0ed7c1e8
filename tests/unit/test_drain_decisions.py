"""Whether a machine leaves, and whether its host may go: over all that group and EC2 may say."""

from dataclasses import replace

import pytest

from corral.domain.draining import (
    Standing,
    can_move_containers,
    find_objection,
    judge_standing,
)
from corral.domain.herd import Instance
from corral.domain.hosts import Host
from corral.domain.lifecycle import Termination
from tests.unit.drain_doubles import GROUP, HOOK, MACHINE, NOW

NEWS = Termination(GROUP, HOOK, MACHINE, "t-1", NOW)
RUNNING = Instance(MACHINE, "running", NOW, "10.0.0.1", "", "lab", "web")
HOST = Host(
    "1h1", "1a5", "", "10.0.0.1", "active", "active", {"aws.instance_id": MACHINE}, created=NOW
)


def machine(state: str) -> Instance:
    return replace(RUNNING, state=state, private_ip="" if state == "terminated" else "10.0.0.1")


@pytest.mark.parametrize(
    ("membership", "instance", "standing"),
    [
        pytest.param((GROUP, "Terminating:Wait"), RUNNING, Standing.LEAVING, id="held by its hook"),
        pytest.param((GROUP, "Terminating"), RUNNING, Standing.LEAVING, id="about to be held"),
        pytest.param((GROUP, "Terminating:Proceed"), RUNNING, Standing.LEAVING, id="hook is over"),
        pytest.param((GROUP, "Terminated"), machine("terminated"), Standing.LEAVING, id="ended"),
        pytest.param((GROUP, "Terminating:Wait"), None, Standing.LEAVING, id="EC2 lags behind"),
        pytest.param((GROUP, "InService"), RUNNING, Standing.STAYING, id="in service"),
        pytest.param((GROUP, "InService"), machine("terminated"), Standing.STAYING, id="crashed"),
        pytest.param((GROUP, "Standby"), RUNNING, Standing.STAYING, id="in standby"),
        pytest.param((GROUP, "Pending:Wait"), RUNNING, Standing.STAYING, id="starting"),
        pytest.param((GROUP, "Detaching"), RUNNING, Standing.STAYING, id="detached by a person"),
        pytest.param((GROUP, "Warmed:Running"), RUNNING, Standing.STAYING, id="in a warm pool"),
        pytest.param(
            ("lab-celery", "Terminating:Wait"), RUNNING, Standing.STAYING, id="of another group"
        ),
        pytest.param(None, RUNNING, Standing.STAYING, id="runs without a group"),
        pytest.param(None, machine("stopped"), Standing.STAYING, id="stopped without a group"),
        pytest.param(None, machine("shutting-down"), Standing.DEAD, id="shutting down"),
        pytest.param(None, machine("terminated"), Standing.DEAD, id="terminated"),
        pytest.param(None, None, Standing.UNKNOWN, id="forgotten by EC2"),
    ],
)
def test_a_message_is_believed_only_as_far_as_group_and_ec2_agree(
    membership: tuple[str, str] | None, instance: Instance | None, standing: Standing
):
    assert judge_standing(NEWS, membership, instance) is standing


@pytest.mark.parametrize(
    ("standing", "instance", "agent", "may_go"),
    [
        (Standing.LEAVING, RUNNING, "active", True),
        (Standing.LEAVING, RUNNING, "reconnecting", True),
        (Standing.LEAVING, RUNNING, "disconnected", True),
        (Standing.LEAVING, machine("terminated"), "active", False),
        (Standing.LEAVING, machine("terminated"), "reconnecting", True),
        (Standing.LEAVING, None, "active", False),
        (Standing.DEAD, machine("terminated"), "active", False),
        (Standing.DEAD, machine("terminated"), "reconnecting", False),
        (Standing.DEAD, machine("terminated"), "disconnected", True),
    ],
)
def test_an_agent_that_answers_speaks_for_its_machine(
    standing: Standing, instance: Instance | None, agent: str, *, may_go: bool
):
    objection = find_objection(replace(HOST, agent_state=agent), standing, instance)

    assert bool(objection) is not may_go
    if objection:
        assert objection.startswith(f"its agent is {agent}, although EC2 says that {MACHINE} is ")


def test_a_label_is_not_believed_against_an_address():
    forged = replace(HOST, address="10.0.0.9")

    assert find_objection(forged, Standing.LEAVING, RUNNING) == (
        f"it is at 10.0.0.9 and calls itself {MACHINE}, whose address is 10.0.0.1: correct its"
        " label aws.instance_id, or remove it by hand"
    )


@pytest.mark.parametrize("host", [replace(HOST, address=""), HOST])
def test_an_address_that_nobody_knows_contradicts_nothing(host: Host):
    assert find_objection(host, Standing.LEAVING, replace(RUNNING, private_ip="")) == ""


@pytest.mark.parametrize(
    ("instance", "agent", "answer"),
    [
        (RUNNING, "active", True),
        (RUNNING, "reconnecting", True),
        (RUNNING, "disconnected", False),
        (machine("shutting-down"), "active", False),
        (None, "active", False),
    ],
)
def test_containers_are_waited_for_while_somebody_can_move_them(
    instance: Instance | None, agent: str, *, answer: bool
):
    assert can_move_containers(replace(HOST, agent_state=agent), instance) is answer


@pytest.mark.parametrize(
    ("hostname", "private_dns", "is_another"),
    [
        ("ip-10-0-0-1", "ip-10-0-0-1.ec2.internal", False),
        ("IP-10-0-0-1.ec2.internal", "ip-10-0-0-1.ec2.internal", False),
        ("ip-10-0-0-9", "ip-10-0-0-1.ec2.internal", True),
        ("i-0123456789abcdef1.ec2.internal", "ip-10-0-0-1.ec2.internal", True),
        (f"{MACHINE}.ec2.internal", "ip-10-0-0-1.ec2.internal", False),
        ("web-7", "ip-10-0-0-1.ec2.internal", False),
        ("", "ip-10-0-0-1.ec2.internal", False),
        ("ip-10-0-0-9", "", False),
    ],
)
def test_a_name_that_ec2_gave_to_another_machine_is_believed_against_a_label(
    hostname: str, private_dns: str, *, is_another: bool
):
    instance = replace(RUNNING, private_dns=private_dns)

    objection = find_objection(replace(HOST, hostname=hostname), Standing.LEAVING, instance)

    assert bool(objection) is is_another
