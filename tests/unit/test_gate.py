"""When a control plane may be used, and what is said if it may not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from corral.domain.gate import (
    GateReading,
    GateRule,
    Member,
    Node,
    find_obstacles,
    judge_gate,
    sizes_to_pass,
)

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
RULE = GateRule(nodes=2, version="v1.6.30")
NODES = (Node("i-1", "10.0.0.1"), Node("i-2", "10.0.0.2"))
MEMBERS = tuple(Member(node.address, clustered=True, heartbeat=NOON) for node in NODES)
GOOD = GateReading(
    nodes=NODES,
    targets={"i-1": "healthy", "i-2": "healthy"},
    ping="200 pong",
    version="v1.6.30",
    upgrade="101",
    members=MEMBERS,
)


def sentences(reading: GateReading) -> list[str]:
    return [str(failure) for failure in judge_gate(reading, RULE, [], NOON)]


def test_a_whole_cluster_passes():
    assert sentences(GOOD) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(
            {"nodes": NODES[:1], "members": MEMBERS[:1]},
            "size of the group: 1 of 2 instances",
            id="an instance is missing",
        ),
        pytest.param(
            {"nodes": NODES[:1], "members": MEMBERS[:1], "launch_failure": "No capacity left."},
            "size of the group: 1 of 2 instances: No capacity left.",
            id="an instance does not start",
        ),
        pytest.param(
            {"launch_failure": "No capacity left.", "ping": "502 Bad Gateway"},
            "/ping of the load balancer: 502 Bad Gateway instead of 200 pong",
            id="a launch failed, but all are there",
        ),
        pytest.param(
            {"ping": "no connection, no answer in time", "reached": False},
            "/ping of the load balancer: no connection, no answer in time instead of 200 pong"
            " (nobody has answered there so far: the address of this worker must be in"
            " network.admin_networks)",
            id="never reached",
        ),
        pytest.param(
            {"targets": {"i-1": "healthy", "i-2": "unhealthy: codes [502]"}},
            "health check of i-2 (10.0.0.2): unhealthy: codes [502]",
            id="a node answers badly",
        ),
        pytest.param(
            {"targets": {"i-1": "healthy"}},
            "health check of i-2 (10.0.0.2): not registered (roll-control-plane replaces a server"
            " that stays so)",
            id="a node is unknown to the load balancer",
        ),
        pytest.param(
            {"ping": "503 Service Unavailable"},
            "/ping of the load balancer: 503 Service Unavailable instead of 200 pong",
            id="no ping",
        ),
        pytest.param(
            {"version": "v1.6.29"},
            "version of the load balancer: v1.6.29 instead of v1.6.30",
            id="another version",
        ),
        pytest.param(
            {"upgrade": "404"},
            "WebSocket upgrade of the load balancer: 404 instead of 101",
            id="no WebSockets",
        ),
        pytest.param(
            {"members": "no answer in time"},
            "membership of the cluster: no answer in time",
            id="the members cannot be read",
        ),
        pytest.param(
            {"members": MEMBERS[:1]},
            "membership of i-2 (10.0.0.2): not in the list of members",
            id="a node is no member",
        ),
        pytest.param(
            {"members": (MEMBERS[0], replace(MEMBERS[1], clustered=False))},
            "membership of i-2 (10.0.0.2): a member, but not clustered",
            id="a node is alone",
        ),
        pytest.param(
            {"members": (MEMBERS[0], replace(MEMBERS[1], heartbeat=NOON - timedelta(seconds=31)))},
            "membership of i-2 (10.0.0.2): its heartbeat is 31 s behind the newest",
            id="a node is silent",
        ),
        pytest.param(
            {"members": (*MEMBERS, Member("10.0.0.9", clustered=True, heartbeat=NOON))},
            "membership of 10.0.0.9: a member, but none of the group's instances",
            id="a stranger is a member",
        ),
    ],
)
def test_each_fault_is_said_once_with_its_node(change, said):
    assert sentences(replace(GOOD, **change)) == [f"{said}, since 12:00:00 UTC"]


def test_heartbeats_are_compared_with_each_other_and_not_with_our_clock():
    old = tuple(replace(member, heartbeat=NOON - timedelta(days=1)) for member in MEMBERS)

    assert sentences(replace(GOOD, members=old)) == []


def test_what_fails_again_fails_since_the_first_time_even_with_another_answer():
    first = judge_gate(replace(GOOD, ping="refused"), RULE, [], NOON)

    again = judge_gate(
        replace(GOOD, ping="502", version="none"), RULE, first, NOON + timedelta(minutes=1)
    )

    assert [failure.since for failure in again] == [NOON, NOON + timedelta(minutes=1)]


def test_what_held_in_between_fails_anew():
    first = judge_gate(replace(GOOD, ping="refused"), RULE, [], NOON)
    second = judge_gate(GOOD, RULE, first, NOON + timedelta(minutes=1))

    third = judge_gate(replace(GOOD, ping="502"), RULE, second, NOON + timedelta(minutes=2))

    assert [failure.since for failure in third] == [NOON + timedelta(minutes=2)]


def test_of_one_that_is_about_to_go_nothing_is_asked_but_that_it_is_still_there():
    rule = replace(RULE, spared=frozenset({"i-2"}))
    ill = replace(GOOD, targets={"i-1": "healthy"}, members=MEMBERS[:1])
    alone = replace(ill, nodes=NODES[:1])

    assert judge_gate(ill, rule, [], NOON) == []
    assert [failure.check for failure in judge_gate(alone, rule, [], NOON)] == ["size"]


@pytest.mark.parametrize(
    ("current", "sizes"),
    [
        pytest.param(1, (1, 3), id="the first server proves itself alone"),
        pytest.param(3, (3,), id="a whole cluster"),
        pytest.param(0, (1, 3), id="nothing there: the first one comes alone"),
        pytest.param(2, (2, 3), id="some live already"),
        pytest.param(5, (3,), id="too many"),
    ],
)
def test_a_group_grows_only_behind_its_gate(current, sizes):
    assert sizes_to_pass(current, 3) == sizes


@pytest.mark.parametrize(
    ("size", "running", "said"),
    [
        pytest.param(3, "v1.6.30", "", id="as the file says"),
        pytest.param(1, "503 without a version", "", id="nobody answers yet"),
        pytest.param(
            5,
            "v1.6.30",
            "The group lab-control has 5 servers, but control.count says 3: a build removes"
            " none, scale-control-plane does; run that, or write 5.",
            id="too many servers",
        ),
        pytest.param(
            3,
            "v1.6.29",
            "Rancher v1.6.29 is running, but rancher.version says v1.6.30: only"
            " upgrade-rancher changes that; run it, or write v1.6.29.",
            id="another version",
        ),
    ],
)
def test_what_a_build_cannot_make_of_living_servers_is_said(size, running, said):
    found = find_obstacles("lab-control", size=size, wanted=3, running=running, version="v1.6.30")

    assert " ".join(found) == said
