"""What a build must not start servers upon: upgrades and restores that nobody finished."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from corral.domain.restores import Restore, Source
from corral.domain.standing import Standing
from corral.domain.unfinished import Serving, find_half_restore, find_half_upgrade
from corral.domain.upgrades import Attempt

NOW = datetime(2026, 12, 1, 8, 30, tzinfo=UTC)
BEGUN = Attempt("before", "v1.6.29", "v1.6.30", NOW)
DARK = "no connection, refused"
OLD, NEW = "lab-database", "lab-database-20261201t083000"
RESTORE = Restore.new("lab", Source(snapshot="before"), Standing(OLD), NOW).agreed()


@pytest.mark.parametrize(
    "serving",
    [
        pytest.param(Serving(0, DARK), id="stopped"),
        pytest.param(Serving(0, "v1.6.29"), id="the last one answers while all are being stopped"),
        pytest.param(Serving(1, DARK), id="the first one migrates, or cannot"),
        pytest.param(Serving(1, "502 Bad Gateway"), id="the load balancer answers alone"),
        pytest.param(Serving(3, DARK), id="all are there and none answers"),
    ],
)
def test_after_an_upgrade_that_was_begun_nobody_is_started_while_nobody_serves(serving: Serving):
    said = find_half_upgrade("lab", BEGUN, serving)

    assert "write rancher.version: v1.6.30, then run upgrade-rancher/lab" in said
    assert "write rancher.version: v1.6.29" in said
    assert "restore-database/lab --param snapshot=before" in said
    assert said.endswith("Nothing was changed.")


@pytest.mark.parametrize(
    "serving",
    [
        pytest.param(Serving(3, "v1.6.29"), id="it had stopped nobody"),
        pytest.param(Serving(1, "v1.6.30"), id="the first one serves, the others are missing"),
        pytest.param(Serving(3, "v1.6.30"), id="only the infrastructure stacks are missing"),
    ],
)
def test_where_somebody_serves_a_build_may_go_on(serving: Serving):
    assert find_half_upgrade("lab", BEGUN, serving) == ""


@pytest.mark.parametrize("servers", [0, 3])
def test_without_an_upgrade_a_build_starts_whoever_is_missing(servers: int):
    assert find_half_upgrade("lab", None, Serving(servers, DARK)) == ""


@pytest.mark.parametrize(
    ("restore", "standing"),
    [
        pytest.param(RESTORE, "", id="Terraform looks after neither"),
        pytest.param(RESTORE, NEW, id="Terraform looks after the new one"),
        pytest.param(RESTORE.after_switch(), NEW, id="its servers are missing"),
    ],
)
def test_a_restore_is_not_turned_back(restore: Restore, standing: str):
    said = find_half_restore("lab", restore, standing)

    assert f"from snapshot before was begun and is not over: {NEW} takes the place of {OLD}" in said
    assert "restore-database/lab again with the same parameters" in said


@pytest.mark.parametrize(
    ("restore", "standing"),
    [
        pytest.param(None, "", id="there was none"),
        pytest.param(RESTORE, OLD, id="the old database is still Rancher's"),
        pytest.param(RESTORE.after_switch().after_end(NOW), NEW, id="it is over"),
        pytest.param(
            RESTORE.after_switch().after_end(NOW), "", id="it is over, and the cluster destroyed"
        ),
    ],
)
def test_other_restores_keep_no_build_from_going_on(restore: Restore | None, standing: str):
    assert find_half_restore("lab", restore, standing) == ""


def test_the_snapshot_that_leads_back_is_that_of_the_attempt():
    said = find_half_upgrade("lab", replace(BEGUN, snapshot="another"), Serving(0, DARK))

    assert "snapshot=another" in said
