"""Whatever is wrong is said in one clear sentence, before anything is changed."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from corral.settings import PROJECT
from flows.build_cluster import build_cluster
from tests.lab.stage import Stage

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("stage"), pytest.mark.timeout(900)]

LAB = yaml.safe_load((PROJECT / "deployments" / "clusters" / "lab.yaml").read_text())

Edit = Callable[[dict[str, Any]], Any]


def _old_terraform(folder: Path) -> dict[str, str]:
    program = folder / "terraform"
    program.write_text('#!/bin/sh\necho \'{"terraform_version": "1.9.8"}\'\n')
    program.chmod(0o755)
    return {"CORRAL_TERRAFORM": str(program)}


def _no_credentials(folder: Path) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        "AWS_CONFIG_FILE": str(folder / "none"),
    }


def _empty_mirror(folder: Path) -> dict[str, str]:
    mirror = folder / "mirror"
    mirror.mkdir()
    return {"CORRAL_PROVIDER_MIRROR": str(mirror)}


def _nothing(_: Any) -> dict[str, str]:
    return {}


CASES = [
    pytest.param(
        lambda lab: lab["control"].update(count=4),
        _nothing,
        "control.count: 4 is even",
        id="even-number-of-control-nodes",
    ),
    pytest.param(
        lambda lab: lab["aws"].update(account_id="999999999999"),
        _nothing,
        "belong to account 123456789012, but the cluster file says 999999999999",
        id="wrong-account",
    ),
    pytest.param(
        _nothing,
        lambda _: {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"},
        "say region eu-west-1, but the cluster file says us-east-1",
        id="wrong-region",
    ),
    pytest.param(_nothing, _no_credentials, "No AWS credentials are found", id="no-credentials"),
    pytest.param(
        _nothing,
        lambda folder: {"CORRAL_TERRAFORM": str(folder / "nowhere")},
        "There is no program to run at",
        id="no-terraform",
    ),
    pytest.param(_nothing, _old_terraform, "Too old: terraform 1.9.8", id="old-terraform"),
    pytest.param(_nothing, _empty_mirror, "CORRAL_PROVIDER_MIRROR is", id="empty-mirror"),
    pytest.param(
        lambda lab: lab.update(image_name="nothing-like-this-*"),
        _nothing,
        "nothing-like-this-*",
        id="no-matching-image",
    ),
    pytest.param(
        lambda lab: lab["load_balancer"].update(certificate="find"),
        _nothing,
        "certificate",
        id="no-issued-certificate",
    ),
    pytest.param(
        lambda lab: lab["dns"].update(
            zone="nowhere.test", name="rancher.nowhere.test", database_name="db.nowhere.test"
        ),
        _nothing,
        "nowhere.test",
        id="no-hosted-zone",
    ),
    pytest.param(
        lambda lab: lab["rancher"]["environments"][0].update(
            registries=[{"kind": "password", "address": "r.corral.test", "secret": "bad/registry"}]
        ),
        _nothing,
        "AWS Secrets Manager has no secret bad/registry",
        id="missing-secret",
    ),
]


@pytest.mark.parametrize(("edit", "surroundings", "sentence"), CASES)
def test_bad_input_ends_with_one_clear_sentence_and_changes_nothing(
    here: Stage,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    edit: Edit,
    surroundings: Callable[[Path], dict[str, str]],
    sentence: str,
):
    content = copy.deepcopy(LAB) | {"name": "bad"}
    content["aws"]["state_bucket"] = "corral-bad-terraform-states"
    content["rancher"]["environments"] = [{"name": "lab"}]
    edit(content)
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(content))
    for name, value in surroundings(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CORRAL_CLUSTERS_DIR", str(tmp_path))
    before = here.writes()

    state = build_cluster(cluster="bad", return_state=True)

    assert state.is_failed()
    assert sentence in str(state.message)
    assert here.writes() == before
