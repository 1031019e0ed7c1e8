"""Servers of a living cluster come and go, and the machines of a pool, while Rancher answers."""

from typing import Any

import pytest

from corral.domain.hosts import INSTANCE_LABEL
from tests.lab.drains_of_stage import FLOW as DRAIN
from tests.lab.pinger import Pinger
from tests.lab.stage import Stage

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("day_two"), pytest.mark.timeout(1800)]

ROLL = "flows.roll_control_plane.roll_control_plane"
SCALE = "flows.scale_control_plane.scale_control_plane"
CONTROL, WEB = "lab-control", "lab-web"
LISTEN_S = 240
STEP_S = 300.0
"""Seconds that a run has until it does what a test waits for."""


def group_of(second: Stage, name: str) -> dict[str, Any]:
    groups = second.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    found: dict[str, Any] = groups["AutoScalingGroups"][0]
    return found


def types_of(second: Stage, name: str) -> dict[str, str]:
    """Return the machine type of each instance of a group."""
    ids = [one["InstanceId"] for one in group_of(second, name)["Instances"]]
    answer = second.client("ec2").describe_instances(InstanceIds=ids)
    rows = [row for each in answer["Reservations"] for row in each["Instances"]]
    return {row["InstanceId"]: row["InstanceType"] for row in rows}


def connections_of(second: Stage) -> str:
    """Return how many connections the database allows for."""
    pages = second.client("rds").get_paginator("describe_db_parameters")
    answers = pages.paginate(DBParameterGroupName="lab-mysql-5-7")
    found: str = next(
        one["ParameterValue"]
        for answer in answers
        for one in answer["Parameters"]
        if one["ParameterName"] == "max_connections"
    )
    return found


def test_servers_are_rolled_by_a_run_that_is_killed_and_one_that_is_not_and_no_ping_is_lost(
    second: Stage,
):
    before = types_of(second, CONTROL)
    second.edit(lambda content: content["control"].update(instance_type="m5.xlarge"))

    with Pinger(second.ready["rancher_url"]) as pinger:
        killed = second.run_flow(ROLL, "roll-killed", cluster="lab")
        killed.wait_for_line("taking i-\\w+ out of the load balancer", STEP_S)
        killed.kill()
        run = second.finish(ROLL, "roll")

    assert pinger.lost == []
    assert "Rolled" in run.tail
    after = types_of(second, CONTROL)
    assert set(after.values()) == {"m5.xlarge"}
    assert (len(after), after.keys() & before.keys()) == (3, set())
    assert second.locks() == []


def test_where_no_server_is_outdated_a_roll_only_looks(second: Stage):
    before = types_of(second, CONTROL)

    run = second.finish(ROLL, "roll-again")

    assert "InStep" in run.tail
    assert types_of(second, CONTROL) == before


def test_servers_become_five_and_three_again_and_no_ping_is_lost(second: Stage):
    with Pinger(second.ready["rancher_url"]) as pinger:
        with second.edited(lambda content: content["control"].update(count=5)):
            second.finish(SCALE, "scale-up")
        grown, allowed = group_of(second, CONTROL), connections_of(second)
        refused = second.refuse("flows.build_cluster.build_cluster", "build-with-fewer")
        second.finish(SCALE, "scale-down")

    assert pinger.lost == []
    assert (len(grown["Instances"]), grown["MinSize"], grown["MaxSize"], allowed) == (
        5,
        5,
        5,
        "800",
    )
    assert "scale-control-plane does" in refused.tail
    shrunk = group_of(second, CONTROL)
    assert (len(shrunk["Instances"]), shrunk["MinSize"], shrunk["MaxSize"]) == (3, 3, 3)
    assert connections_of(second) == "500"


def test_a_build_replaces_the_machines_of_a_pool_whose_file_names_another_type(second: Stage):
    before = types_of(second, WEB)
    drain = second.run_flow(DRAIN, "drain-servers", cluster="lab", listen_s=LISTEN_S)

    second.edit(lambda content: content["pools"][0].update(instance_type="m5.xlarge"))
    run = second.build("build-pool")
    drain.terminate()

    assert "Built" in run.tail
    after = types_of(second, WEB)
    assert set(after.values()) == {"m5.xlarge"}
    hosts = [row for row in second.lever("GET", "/hosts") if row["removed"] is None]
    ours = {row["labels"].get(INSTANCE_LABEL) for row in hosts}
    assert after.keys() <= ours
    assert ours.isdisjoint(before)
