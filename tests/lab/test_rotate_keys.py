"""Whole runs of rotate-keys, with a real Prefect server, on a Rancher that set-up has furnished."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws
from prefect.artifacts import Artifact
from prefect.client.schemas.objects import State

from corral.clients.rancher import RancherClient, Site
from corral.clients.rancher.set_up import (
    ensure_admin_key,
    ensure_environments,
    ensure_local_access,
)
from corral.cluster import Environment
from corral.domain.set_up.keys import KeyPair
from corral.domain.set_up.rotation import OVERLAP
from corral.settings import Settings, load_cluster_spec
from flows.rotate_keys import rotate_keys
from tasks import connect
from tasks.rancher import rancher_site
from tests.lab.prefect_alone import PrefectAlone
from tests.lab_unit.ranchers import Rancher, Ranchers

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("prefect"), pytest.mark.timeout(600)]

KEYS = ("lab/rancher/admin", "lab/environments/lab")


@dataclass
class Lab:
    """The lab's cluster without machines: its Rancher, and its secrets."""

    rancher: Rancher
    site: Site

    def rotate(self, **parameters: int) -> State[str]:
        state: State[str] = rotate_keys("lab", **parameters, return_state=True)
        return state

    def set_up(self) -> None:
        ensure_admin_key(self.site)
        ensure_local_access(self.site)
        assert [*ensure_environments(self.site, [Environment(name="lab")])]

    def pairs(self) -> list[KeyPair]:
        held = [self.site.vault.read(name) or {} for name in KEYS]
        return [KeyPair(secret["access_key"], secret["secret_key"]) for secret in held]

    def opens(self, pair: KeyPair) -> bool:
        return RancherClient(self.rancher.url, pair).is_accepted()

    def table(self) -> list[dict[str, Any]]:
        artifact = Artifact.get("keys-lab")
        assert artifact is not None
        rows: list[dict[str, Any]] = yaml.safe_load(artifact.data)
        return rows


@pytest.fixture
def lab(there: PrefectAlone, ranchers: Ranchers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    assert there
    rancher = ranchers.open()
    monkeypatch.setenv("CORRAL_RANCHER_URL", rancher.url)
    monkeypatch.setenv("CORRAL_GATE_INTERVAL_S", "0.05")
    connect.settings.cache_clear()
    with mock_aws():
        boto3.DEFAULT_SESSION = None
        yield Lab(rancher, rancher_site(load_cluster_spec("lab", Settings())))
    ranchers.close(rancher)
    connect.settings.cache_clear()


def test_before_a_build_there_is_nothing_to_rotate(lab: Lab):
    end = lab.rotate()

    assert end.name == "Skipped"
    assert "it is not built" in (end.message or "")
    assert lab.rancher.writes() == []


def test_young_keys_are_in_step_and_nothing_is_written(lab: Lab):
    lab.set_up()
    lab.rancher.world.journal.clear()

    end = lab.rotate()

    assert end.name == "InStep"
    assert end.message == "lab: no key is due, nothing was written."
    assert lab.rancher.writes() == []
    assert [(row["key of"], row["what was done"], row["until"]) for row in lab.table()] == [
        ("administrator", "kept", ""),
        ("environment lab", "kept", ""),
    ]


def test_all_keys_are_replaced_when_somebody_asks_for_it(lab: Lab):
    lab.set_up()
    old = lab.pairs()

    end = lab.rotate(max_age_days=0)

    assert end.name == "Rotated"
    new = lab.pairs()
    assert not {pair.access_key for pair in old} & {pair.access_key for pair in new}
    assert all(map(lab.opens, [*old, *new]))
    assert [row["what was done"] for row in lab.table()] == [
        *("made", "replaced, works on"),
        *("made", "replaced, works on"),
    ]
    until = datetime.strptime(lab.table()[1]["until"], "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC)
    assert abs(until - datetime.now(UTC) - OVERLAP) < OVERLAP / 10
    assert not [pair for pair in [*old, *new] if pair.secret_key in f"{lab.table()}{end}"]

    again = lab.rotate()

    assert again.name == "InStep"
    assert "replaced, works on until" in (again.message or "")
    assert all(map(lab.opens, [*old, *new]))


def test_an_environment_that_fails_stops_no_other_key_and_is_in_the_table(lab: Lab):
    lab.set_up()
    administrators, _ = lab.pairs()
    admin = lab.site.administrator()
    admin.create_project("lab", "", admin.template_id("Cattle") or "")

    end = lab.rotate(max_age_days=0)

    assert (end.name, end.is_failed()) == ("Partial", True)
    assert "environment lab: " in (end.message or "")
    assert "exists 2 times" in (end.message or "")
    assert lab.pairs()[0] != administrators
    assert [(row["key of"], row["what was done"]) for row in lab.table()] == [
        ("administrator", "made"),
        ("administrator", "replaced, works on"),
        ("environment lab", "failed"),
    ]


def test_an_age_that_makes_no_sense_is_refused_before_anything_is_asked(lab: Lab):
    end = lab.rotate(max_age_days=-1)

    assert end.is_failed()
    assert "max_age_days" in (end.message or "")
    assert lab.rancher.world.journal.rows() == []
