"""What is inside the Rancher of a built cluster: set up by the build, put right by a run alone."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.lab.harness import Started
from tests.lab.history import STAGE_S
from tests.lab.stage import Stage

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("stage"), pytest.mark.timeout(900)]

FLOW = "flows.configure_rancher.configure_rancher"
TIMEOUT_S = 10


def _secret(stage: Stage, name: str) -> dict[str, str]:
    answer = stage.client("secretsmanager").get_secret_value(SecretId=name)
    found: dict[str, str] = json.loads(answer["SecretString"])
    return found


def _ask(stage: Stage, method: str, path: str, key: str | None, **body: Any) -> requests.Response:
    """Ask Rancher with the key in a secret, or as a stranger."""
    secret = _secret(stage, key) if key else {}
    return requests.request(
        method,
        f"{stage.ready['rancher_url']}/v2-beta/{path}",
        auth=(secret["access_key"], secret["secret_key"]) if key else None,
        json=body or None,
        timeout=TIMEOUT_S,
    )


ADMIN, HOSTS = "lab/rancher/admin", "lab/environments/lab"


def _rows(stage: Stage, path: str) -> Iterator[dict[str, Any]]:
    answer = _ask(stage, "GET", path, ADMIN)
    answer.raise_for_status()
    yield from (row for row in answer.json()["data"] if row["removed"] is None)


def _project(stage: Stage, name: str = "lab") -> str:
    return next(row["id"] for row in _rows(stage, "projects?all=true") if row["name"] == name)


def test_a_build_leaves_what_the_cluster_file_asks_for(stage: Stage, built: Started):
    project = _project(stage)
    registries = {row["serverAddress"] for row in _rows(stage, f"projects/{project}/registries")}
    users = {row["publicValue"] for row in _rows(stage, f"projects/{project}/registrycredentials")}
    stacks = {row["name"]: row for row in _rows(stage, f"projects/{project}/stacks")}
    setting = _ask(stage, "GET", "settings/api.auth.jwt.token.expiry", ADMIN).json()

    assert {
        "registry.corral.test:5000",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com",
    } <= registries
    assert {_secret(stage, "lab/registry")["username"], "AWS"} <= users
    for name, version in {"crontab": "infra*container-crontab", "ecr": "infra*ecr"}.items():
        assert version in stacks[name]["externalId"]
        assert (stacks[name]["state"], stacks[name]["healthState"]) == ("active", "healthy")
        assert stacks[name]["system"]
    assert setting["activeValue"] == "28800000"


def test_a_second_run_from_its_deployment_writes_nothing(stage: Stage, built: Started):
    stage.lever("DELETE", "/journal")
    with stage.worker():
        run = stage.run("deployment", "run", "configure-rancher/lab", "--watch", log="configure")
        assert run.wait(STAGE_S) == 0, run.tail

    assert "Flow run finished successfully in 'InStep'" in run.text
    assert stage.writes() == []


def test_what_somebody_changed_by_hand_is_put_right(stage: Stage, built: Started):
    name, project = "settings/api.auth.jwt.token.expiry", _project(stage)
    credentials = f"projects/{project}/registrycredentials"
    user = _secret(stage, "lab/registry")["username"]
    credential = next(row for row in _rows(stage, credentials) if row["publicValue"] == user)
    _ask(stage, "PUT", name, ADMIN, value="1").raise_for_status()
    _ask(
        stage, "PUT", f"{credentials}/{credential['id']}", ADMIN, publicValue="somebody"
    ).raise_for_status()

    run = stage.run_flow(FLOW, "put-right", cluster="lab")
    assert run.wait(STAGE_S) == 0, run.tail

    assert "Finished in state Configured" in run.text
    assert _ask(stage, "GET", name, ADMIN).json()["activeValue"] == "28800000"
    assert user in {row["publicValue"] for row in _rows(stage, credentials)}


def test_strangers_are_turned_away_from_everything_that_is_set_up(stage: Stage, built: Started):
    project = _project(stage)
    for path in ("projects", "settings/api.auth.access.mode", "apikeys", f"projects/{project}"):
        assert _ask(stage, "GET", path, None).status_code == 401, path


def test_an_environments_key_reaches_no_other_environment(stage: Stage, built: Started):
    other = _project(stage, "Default")

    assert _ask(stage, "GET", f"projects/{_project(stage)}/hosts", HOSTS).status_code == 200
    assert _ask(stage, "GET", f"projects/{other}/hosts", HOSTS).status_code == 403
    assert _ask(stage, "POST", "projects", HOSTS, name="mine").status_code == 405
    assert "Default" not in {
        row["name"] for row in _ask(stage, "GET", "projects", HOSTS).json()["data"]
    }
