"""What an upgrade leaves for people."""

from datetime import UTC, datetime

import pytest

from corral.domain.set_up.steps import Did, Step
from corral.domain.upgrades import Attempt, Look, plan_upgrade
from corral.errors import GateTimeoutError, UpgradeError
from corral.settings import Settings, load_cluster_spec
from tasks.upgrades import end_of_upgrade, with_way_back

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
LAB = load_cluster_spec("lab", Settings())
BEGUN = Attempt("before", "v1.6.29", "v1.6.30", NOW)


def upgrade(running: str, *attempts: Attempt):
    return plan_upgrade(Look("lab", "lab-database", running, attempts), "v1.6.30", NOW)


def test_an_upgrade_that_had_nothing_to_do_ends_in_step():
    end = end_of_upgrade(LAB, upgrade("v1.6.30"), [], [Step("stack ipsec", Did.KEPT)])

    assert (end.name, end.is_completed()) == ("InStep", True)


def test_an_upgrade_ends_with_where_it_came_from_its_snapshot_and_what_it_did():
    steps = [Step("lab-control at 1", Did.CHANGED), Step("stack ipsec", Did.CHANGED)]

    end = end_of_upgrade(LAB, upgrade("v1.6.29", BEGUN), [], steps)

    assert (end.name, end.is_completed()) == ("Upgraded", True)
    assert end.message.endswith(
        "Rancher v1.6.30, from v1.6.29, snapshot before; lab-control at 1: changed;"
        " stack ipsec: changed"
    )


def test_a_run_that_only_upgraded_stacks_says_nothing_of_a_snapshot():
    end = end_of_upgrade(LAB, upgrade("v1.6.30"), [], [Step("stack ipsec", Did.CHANGED)])

    assert end.name == "Upgraded"
    assert "snapshot" not in end.message


def test_without_a_way_back_an_error_is_what_it_was():
    with pytest.raises(GateTimeoutError), with_way_back(upgrade("v1.6.30")):
        raise GateTimeoutError("it", NOW - NOW, [])


def test_an_upgrade_that_stops_says_at_what_and_how_to_get_back():
    cause = GateTimeoutError("served by 1", NOW - NOW, ["/ping of the load balancer: 502"])
    way_back = upgrade("v1.6.29", BEGUN).way_back

    said = str(UpgradeError("lab", "before", way_back, cause))

    assert "The upgrade of lab stops" in said
    assert "/ping of the load balancer: 502" in said
    assert "restore-database/lab --param snapshot=before" in said
