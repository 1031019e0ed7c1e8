"""Machines that join while the key of their environment is replaced again and again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Self

import boto3
import pytest
from aws_lab import KEYS, eventually
from machines_cluster import Cluster
from machines_surroundings import JOIN, PAGERDUTY, RANCHER
from pydantic import SecretStr

from corral.clients.aws import SecretVault
from corral.clients.rancher import Patience, Site
from corral.clients.rancher.set_up import (
    ensure_admin_key,
    ensure_environments,
    ensure_local_access,
    ensure_settings,
    rotate_environment_key,
)
from corral.cluster import Environment
from corral.domain.set_up.rotation import OVERLAP, Fate, KeyFate, RotationRule

ENVIRONMENT = Environment(name="default")
PATIENCE = Patience(deadline=timedelta(seconds=30), interval=timedelta(seconds=0.05))
MACHINES = 4
NO_OVERLAP = timedelta(0)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A control node behind the balancer, set up, with nobody joined yet."""
    cluster = Cluster(tmp_path_factory.mktemp("rotation"))
    try:
        cluster.serve()
        site = site_of(cluster)
        ensure_admin_key(site)
        ensure_local_access(site)
        for _ in ensure_settings(site, {}):
            pass
        for _ in ensure_environments(site, [ENVIRONMENT], [SecretStr(PAGERDUTY)]):
            pass
        yield cluster
    finally:
        cluster.stop()


def site_of(cluster: Cluster) -> Site:
    session = boto3.Session(
        KEYS["aws_access_key_id"], KEYS["aws_secret_access_key"], region_name=KEYS["region_name"]
    )
    world = cluster.lab.world
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", world.aws_endpoint)
        vault = SecretVault(session, {"Cluster": "lab"})
    return Site("lab", vault, f"https://{RANCHER}", world.rancher_url, PATIENCE)


class Rotation:
    """Replaces the environment's key until it is told to stop."""

    def __init__(self, site: Site, overlap: timedelta) -> None:
        self.fates: list[KeyFate] = []
        self._site, self._overlap = site, overlap
        self._over = Event()
        self._thread = Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(PATIENCE.deadline.total_seconds())

    def count(self, fate: Fate) -> int:
        return sum(one.fate is fate for one in self.fates)

    def _run(self) -> None:
        while not self._over.is_set():
            rule = RotationRule(datetime.now(UTC), timedelta(0), self._overlap)
            self.fates += rotate_environment_key(self._site, ENVIRONMENT, rule)


@pytest.mark.parametrize(
    "overlap",
    [
        pytest.param(OVERLAP, id="with the overlap"),
        pytest.param(NO_OVERLAP, id="even without one"),
    ],
)
def test_every_machine_joins_while_the_key_is_replaced(cluster, overlap):
    with Rotation(site_of(cluster), overlap) as rotation:
        eventually(lambda: rotation.count(Fate.MADE), 20)
        machines = [cluster.launch(JOIN, "join") for _ in range(MACHINES)]
        eventually(lambda: all("node ended with" in cluster.console(one) for one in machines), 90)
        made = rotation.count(Fate.MADE)

    for one in machines:
        assert "node ended with 0" in cluster.console(one)
        assert cluster.row(one)["state"] == "active"
        if overlap:
            assert "answered 401" not in cluster.console(one)
    assert made > MACHINES
    assert (rotation.count(Fate.REMOVED) > 0) is (overlap == NO_OVERLAP)
    assert cluster.alerts() == []
