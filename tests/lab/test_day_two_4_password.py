"""The database's password changes, by a run that is killed and one that is not, unnoticed."""

import json
import ssl
from contextlib import closing
from pathlib import Path

import pymysql
import pytest

from tests.lab.pinger import Pinger
from tests.lab.stage import Stage

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("day_two"), pytest.mark.timeout(1800)]

FLOW = "flows.rotate_database_password.rotate_database_password"
DNS_NAME = "rancher-db.corral.test"
STEP_S = 300.0
"""Seconds that a run has until it does what the test waits for."""


def password_of(second: Stage) -> str:
    secret = second.client("secretsmanager").get_secret_value(SecretId="lab/database")
    password: str = json.loads(secret["SecretString"])["password"]
    return password


def servers_of(second: Stage) -> set[str]:
    groups = second.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=["lab-control"]
    )
    return {one["InstanceId"] for one in groups["AutoScalingGroups"][0]["Instances"]}


def lets_in(second: Stage, password: str) -> bool:
    """Say whether the database lets Rancher's user in, over a connection of its own."""
    names = json.loads(Path(second.environment["CORRAL_DATABASE_NAMES"]).read_text())
    host, port = names[DNS_NAME].rsplit(":", 1)
    trust = ssl.create_default_context(cafile=second.environment["CORRAL_DATABASE_CA"])
    trust.check_hostname = False
    given = {"user": "rancher", "password": password, "database": "rancher", "ssl": trust}
    try:
        with closing(pymysql.connect(host=host, port=int(port), **given)):
            return True
    except pymysql.err.OperationalError:
        return False


def test_a_change_that_is_killed_half_way_is_finished_by_the_next_run_and_no_ping_is_lost(
    second: Stage,
):
    old, servers = password_of(second), servers_of(second)

    with Pinger(second.ready["rancher_url"]) as pinger:
        killed = second.run_flow(FLOW, "password-killed", cluster="lab")
        killed.wait_for_line("taking i-\\w+ out of the load balancer", STEP_S)
        killed.kill()
        new = password_of(second)
        run = second.finish(FLOW, "password")

    assert pinger.lost == []
    assert "This finished a rotation that had died" in run.tail
    assert password_of(second) == new != old
    assert servers_of(second).isdisjoint(servers)
    assert (lets_in(second, new), lets_in(second, old)) == (True, False)
    assert second.locks() == []
    assert all(secret not in one.text for one in second.started for secret in (old, new))
