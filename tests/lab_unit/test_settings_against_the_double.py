"""Settings against a whole Rancher: written once, and refused before anything is written."""

from collections.abc import Iterator
from datetime import timedelta

import boto3
import pytest
from moto import mock_aws
from ranchers import Rancher

from corral.clients.aws import SecretVault
from corral.clients.rancher import Patience, Site
from corral.clients.rancher.set_up import ensure_settings, find_setting_faults

PUBLIC_URL = "https://rancher.corral.test"
EXPIRY = "api.auth.jwt.token.expiry"


@pytest.fixture
def vault() -> Iterator[SecretVault]:
    with mock_aws():
        yield SecretVault(boto3.Session("lab", "lab", region_name="us-east-1"), {})


def site_of(rancher: Rancher, vault: SecretVault) -> Site:
    patience = Patience(deadline=timedelta(seconds=10), interval=timedelta(seconds=0.01))
    return Site("lab", vault, public_url=PUBLIC_URL, reached_at=rancher.url, patience=patience)


def test_settings_are_written_once(lab, vault):
    rancher = lab.open()
    site, wanted = site_of(rancher, vault), {EXPIRY: "28800000", "our.own.note": "hello"}

    first = [str(step) for step in ensure_settings(site, wanted)]
    rancher.world.journal.clear()
    second = [str(step) for step in ensure_settings(site, wanted)]

    assert first == [
        "registration address: created",
        f"setting {EXPIRY}: changed",
        "setting our.own.note: created",
    ]
    assert {line.rpartition(": ")[2] for line in second} == {"kept"}
    assert rancher.writes() == []
    lab.close(rancher)


def test_every_setting_that_the_servers_fix_is_named_before_anything_is_written(lab, vault):
    rancher = lab.open(
        CATTLE_API_HOST="https://elsewhere.example.com", CATTLE_API_AUTH_JWT_TOKEN_EXPIRY="1"
    )

    faults = find_setting_faults(site_of(rancher, vault), {EXPIRY: "28800000"})

    assert [next(word for word in fault.split() if "CATTLE_" in word) for fault in faults] == [
        "CATTLE_API_HOST,",
        "CATTLE_API_AUTH_JWT_TOKEN_EXPIRY,",
    ]
    assert rancher.writes() == []
    lab.close(rancher)


def test_settings_that_may_be_written_have_no_faults(lab, vault):
    rancher = lab.open(CATTLE_API_AUTH_JWT_TOKEN_EXPIRY="28800000")

    assert find_setting_faults(site_of(rancher, vault), {EXPIRY: "28800000", "any": "thing"}) == []
    lab.close(rancher)
