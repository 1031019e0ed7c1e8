"""Whole runs of renew-registries and the tasks of furnishing, on a Rancher without machines."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws
from prefect import flow
from prefect.client.schemas.objects import State

from corral.clients.rancher import Site
from corral.clients.rancher.set_up import (
    ensure_admin_key,
    ensure_environments,
    ensure_local_access,
)
from corral.cluster import ClusterSpec
from corral.domain.set_up.registries import KnownLogin
from corral.errors import PrerequisiteError
from corral.settings import Settings, load_cluster_spec
from flows.renew_registries import renew_registries
from lab.aws import moto_edge
from lab.aws.gaps import registry_tokens
from tasks import connect
from tasks.furnishing import check_furnishing, deploy_stacks, make_registries, set_members
from tasks.progress import start_progress
from tasks.rancher import STACKS_STAGE, rancher_site
from tests.lab.prefect_alone import PrefectAlone
from tests.lab_unit.ranchers import Rancher, Ranchers

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("prefect"), pytest.mark.timeout(600)]

OWN = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
OTHER = "210987654321.dkr.ecr.eu-west-1.amazonaws.com"


@dataclass
class Lab:
    """The lab's cluster without machines: its Rancher, its secrets, and a file that tests write."""

    ranchers: Ranchers
    rancher: Rancher
    folder: Path
    there: PrefectAlone

    def write_file(self, *environments: dict[str, Any]) -> None:
        file = yaml.safe_load((Settings().model_copy().clusters_dir / "lab.yaml").read_text())
        self.folder.mkdir(exist_ok=True)
        file["rancher"]["environments"] = list(environments)
        for pool in file["pools"]:
            pool["environment"] = environments[0]["name"]
        (self.folder / "lab.yaml").write_text(yaml.safe_dump(file))

    @property
    def spec(self) -> ClusterSpec:
        return load_cluster_spec("lab", connect.settings())

    @property
    def site(self) -> Site:
        return rancher_site(self.spec)

    def secure(self) -> None:
        ensure_admin_key(self.site)
        ensure_local_access(self.site)

    def make_environments(self) -> None:
        environments = self.spec.rancher.environments
        list(ensure_environments(self.site, environments))
        for environment in environments:
            self.ranchers.call(self.rancher.cluster.seed_herd, 1, 0, environment.name)
        self.rancher.world.journal.clear()

    def renew(self) -> State[str]:
        state: State[str] = renew_registries("lab", return_state=True)
        return state

    def logins(self, environment: str) -> list[KnownLogin]:
        admin = self.site.administrator()
        [project] = [one.id for one in admin.projects() if one.name == environment]
        return admin.logins(project)


@pytest.fixture
def lab(
    there: PrefectAlone, ranchers: Ranchers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Lab]:
    rancher = ranchers.open()
    opened = Lab(ranchers, rancher, tmp_path / "clusters", there)
    opened.write_file(environment("lab", OWN))
    monkeypatch.setenv("CORRAL_CLUSTERS_DIR", str(opened.folder))
    monkeypatch.setenv("CORRAL_RANCHER_URL", rancher.url)
    monkeypatch.setenv("CORRAL_GATE_INTERVAL_S", "0.05")
    monkeypatch.setenv("CORRAL_ALERT_URLS", there.environment["CORRAL_ALERT_URLS"])
    connect.settings.cache_clear()
    with mock_aws():
        boto3.DEFAULT_SESSION = None
        registry_tokens.close()
        yield opened
    moto_edge.restore()
    ranchers.close(rancher)
    connect.settings.cache_clear()


def environment(name: str, *addresses: str, **keys: str) -> dict[str, Any]:
    registries = [{"kind": "ecr", "address": address, **keys} for address in addresses]
    return {"name": name, "registries": registries}


def test_a_cluster_without_such_a_registry_is_skipped(lab: Lab):
    lab.write_file(environment("lab", OWN, refresher="stack", secret="lab/ecr"))

    end = lab.renew()

    assert (end.name, end.message) == (
        "Skipped",
        "No registry of lab asks for it: none has refresher: flow.",
    )


def test_before_a_build_there_is_nothing_to_renew(lab: Lab):
    end = lab.renew()

    assert end.name == "Skipped"
    assert "it is not built" in (end.message or "")
    assert lab.rancher.writes() == []


def test_passwords_are_renewed_and_then_left_alone_while_they_are_fresh(lab: Lab):
    lab.write_file(environment("lab", OWN, OTHER))
    lab.secure()
    lab.make_environments()

    end = lab.renew()

    assert end.name == "Renewed", end
    assert {login.username for login in lab.logins("lab")} == {"AWS"}
    assert len(lab.logins("lab")) == 2
    assert "auth-token" not in (end.message or "")

    lab.rancher.world.journal.clear()
    again = lab.renew()

    assert again.name == "InStep"
    assert lab.rancher.writes() == []


def test_one_registry_that_fails_stops_no_other_and_people_are_told(lab: Lab):
    lab.write_file(environment("lab", OWN), environment("second", OWN))
    lab.secure()
    lab.write_file(environment("second", OWN))
    lab.make_environments()
    lab.write_file(environment("lab", OWN), environment("second", OWN))

    end = lab.renew()

    assert end.name == "Partial"
    assert "of environment lab: Rancher has no environment lab: run configure-rancher" in (
        end.message or ""
    )
    assert [login.username for login in lab.logins("second")] == ["AWS"]
    assert lab.there.ears.wait_for("the password of a registry is not renewed")

    lab.make_environments()
    assert lab.renew().name == "Renewed"


@flow
def furnish(cluster: str) -> list[str]:
    """Do what configure-rancher does inside environments."""
    spec = load_cluster_spec(cluster, connect.settings())
    start_progress(cluster, [STACKS_STAGE])
    check_furnishing(spec)
    steps = set_members(spec) + make_registries(spec) + deploy_stacks(spec)
    return [str(step) for step in steps]


DIAGNOSTICS = {"name": "nets", "template": "library:infra*network-diagnostics", "version": "0.0.1"}


def furnished(*stacks: dict[str, Any], **registry: Any) -> dict[str, Any]:
    password = {"kind": "password", "address": "r.example.com", "secret": "lab/r", **registry}
    made = environment("lab", OWN)
    registries = [*made["registries"], password]
    return {**made, "members": [], "registries": registries, "stacks": list(stacks)}


def test_what_is_in_an_environment_is_made_kept_and_upgraded_by_its_tasks(lab: Lab):
    lab.secure()
    lab.make_environments()
    lab.write_file(furnished(DIAGNOSTICS))
    lab.site.vault.write("lab/r", {"username": "robot", "password": "hunter2"})

    made = furnish("lab")
    lab.rancher.world.journal.clear()
    again = furnish("lab")

    assert made == [
        "members of environment lab: kept",
        f"registry {OWN} of environment lab: created",
        "registry r.example.com of environment lab: created",
        "stack nets of environment lab: created",
    ]
    assert {step.rpartition(": ")[2] for step in again} == {"kept"}
    assert lab.rancher.writes() == []

    lab.write_file(furnished(DIAGNOSTICS | {"version": "0.0.2"}))
    changed = [step for step in furnish("lab") if not step.endswith(": kept")]
    assert changed == ["stack nets of environment lab: changed"]


def test_all_faults_are_told_at_once_before_anything_is_written(lab: Lab):
    lab.secure()
    lab.make_environments()
    lab.write_file(
        furnished(
            DIAGNOSTICS | {"version": "9"},
            DIAGNOSTICS | {"name": "other", "answers": {"nonsense": "hunter2"}},
        )
        | {"template": "Kubernetes"},
        {"name": "new", "template": "Nomad"},
    )

    with pytest.raises(PrerequisiteError) as refused:
        furnish("lab")

    said = str(refused.value)
    assert "nothing was changed; 5 faults:" in said
    assert "made from the template Cattle" in said
    assert "no project template Nomad" in said
    assert "There is no secret lab/r" in said
    assert "has no version 9" in said
    assert "does not ask 'nonsense'" in said
    assert "hunter2" not in json.dumps(said)
    assert lab.rancher.writes() == []
