"""Rotation of keys in a whole Rancher: nobody loses access, a death is mended, the old ones go."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import requests
from mortality import Death, Fate, MortalVault, mortal_calls
from moto import mock_aws
from ranchers import Rancher, Ranchers

from corral.clients.aws import SecretVault
from corral.clients.rancher import Patience, RancherClient, Site
from corral.clients.rancher.set_up import (
    ensure_admin_key,
    ensure_environments,
    ensure_local_access,
    rotate_admin_key,
    rotate_environment_key,
)
from corral.cluster import Environment
from corral.domain.set_up.keys import KeyPair
from corral.domain.set_up.rotation import OVERLAP, RotationRule
from corral.domain.set_up.rotation import Fate as KeyIs
from corral.domain.set_up.steps import Did
from corral.errors import AccessDeniedError, GateTimeoutError

ENVIRONMENTS = (Environment(name="main"), Environment(name="other"))
PATIENCE = Patience(deadline=timedelta(seconds=10), interval=timedelta(seconds=0.01))
ADMIN, MAIN = "lab/rancher/admin", "lab/environments/main"
MONTHS = timedelta(days=90)
AT_ONCE = timedelta(0)


@dataclass
class Lab:
    """A Rancher that was set up, and the vault with its keys."""

    rancher: Rancher
    vault: SecretVault

    def site(self, vault: Any = None, patience: Patience = PATIENCE) -> Site:
        url = self.rancher.url
        return Site("lab", vault or self.vault, public_url=url, reached_at=url, patience=patience)

    def set_up(self) -> list[Did]:
        site = self.site()
        steps = [ensure_admin_key(site), ensure_local_access(site)]
        return [step.did for step in [*steps, *ensure_environments(site, ENVIRONMENTS)]]

    def rotate(
        self, max_age: timedelta = AT_ONCE, *, after: timedelta = AT_ONCE, vault: Any = None
    ) -> list[str]:
        """Run a rotation so long after now, and return what it did."""
        rule = RotationRule(datetime.now(UTC) + after, max_age)
        site = self.site(vault)
        fates = [*rotate_admin_key(site, rule)]
        for environment in ENVIRONMENTS:
            fates += rotate_environment_key(site, environment, rule)
        return [f"{fate.whose}: {fate.fate}" for fate in fates]

    def pair(self, path: str) -> KeyPair:
        secret = self.vault.read(path)
        assert secret
        return KeyPair(secret["access_key"], secret["secret_key"])

    def opens(self, pair: KeyPair) -> bool:
        return RancherClient(self.rancher.url, pair).is_accepted()

    def keys(self) -> Counter[str]:
        """Return how many keys that work there are of each name."""
        keys = RancherClient(self.rancher.url, self.pair(ADMIN)).api_keys()
        return Counter(key.name for key in keys if key.state == "active")

    def assert_whole(self, others: int = 0) -> None:
        """See that every stored key works, in its own place, beside so many others of main."""
        for path in (ADMIN, MAIN, "lab/environments/other"):
            assert self.opens(self.pair(path))
        assert self.keys()[f"corral:{MAIN}"] == 1 + others


@pytest.fixture(scope="module")
def ranchers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ranchers]:
    started = Ranchers(tmp_path_factory.mktemp("lab"))
    yield started
    started.stop()


@pytest.fixture
def lab(ranchers: Ranchers) -> Iterator[Lab]:
    with mock_aws():
        session = boto3.Session("lab", "lab", region_name="us-east-1")
        rancher = ranchers.open()
        lab = Lab(rancher, SecretVault(session, {"Cluster": "lab"}))
        lab.set_up()
        yield lab
        ranchers.close(rancher)


def test_young_keys_are_kept_and_nothing_is_written(lab):
    lab.rancher.world.journal.clear()
    before = lab.vault.read(MAIN)

    done = lab.rotate(MONTHS)

    assert done == ["administrator: kept", "environment main: kept", "environment other: kept"]
    assert lab.rancher.writes() == []
    assert lab.vault.read(MAIN) == before


def test_old_keys_are_replaced_and_work_on_until_nobody_holds_them(lab):
    old = {path: lab.pair(path) for path in (ADMIN, MAIN)}

    assert lab.rotate(MONTHS, after=MONTHS)[:2] == [
        "administrator: made",
        "administrator: replaced, works on",
    ]
    new = {path: lab.pair(path) for path in (ADMIN, MAIN)}
    assert all(map(lab.opens, [*old.values(), *new.values()]))

    assert "environment main: replaced, works on" in lab.rotate(MONTHS, after=OVERLAP * 0.9)
    assert all(map(lab.opens, [*old.values(), *new.values()]))

    assert "environment main: removed" in lab.rotate(MONTHS, after=OVERLAP)
    assert [lab.opens(pair) for pair in old.values()] == [False, False]
    assert {path: lab.pair(path) for path in (ADMIN, MAIN)} == new
    lab.assert_whole()

    lab.rancher.world.journal.clear()
    assert set(lab.rotate(MONTHS, after=OVERLAP)) == {
        "administrator: kept", "environment main: kept", "environment other: kept",
    }  # fmt: skip
    assert lab.rancher.writes() == []


def test_set_up_in_between_touches_no_key(lab):
    old = lab.pair(MAIN)
    lab.rotate()
    lab.rancher.world.journal.clear()

    assert set(lab.set_up()) == {Did.KEPT}

    assert lab.rancher.writes() == []
    assert lab.opens(old)
    lab.assert_whole(others=1)


def test_whatever_else_a_secret_holds_stays(lab):
    site = lab.site()
    before = {path: lab.vault.read(path) for path in (ADMIN, MAIN)}
    lab.vault.write(MAIN, {**before[MAIN], "alerts": "json://chat"})

    lab.rotate()

    after = lab.vault.read(MAIN)
    assert (after["alerts"], after["url"]) == ("json://chat", site.public_url)
    assert after["access_key"] != before[MAIN]["access_key"]
    assert lab.vault.read(ADMIN)["password"] == before[ADMIN]["password"]


def test_a_run_that_died_after_any_call_is_finished_and_nobody_lost_access(lab):
    """One more rotation for each of its calls; each dies as that call is answered."""
    deaths = 0
    while dies(lab, Fate(calls=deaths)):
        deaths += 1
    assert deaths > 15

    lab.rotate(MONTHS, after=OVERLAP)
    lab.assert_whole()
    assert sum(lab.keys().values()) == 3


def dies(lab: Lab, fate: Fate) -> bool:
    """Replace a key and remove older ones until fate strikes; who held the key holds it still."""
    held, struck = lab.pair(MAIN), False
    rule = RotationRule(datetime.now(UTC) + OVERLAP, AT_ONCE)
    try:
        with mortal_calls(fate):
            site = lab.site(MortalVault(lab.vault, fate))
            rotate_environment_key(site, ENVIRONMENTS[0], rule)
    except Death:
        struck = True
    assert lab.opens(held)
    assert lab.opens(lab.pair(MAIN))
    return struck


def test_a_removal_that_died_half_way_is_finished_by_set_up_too(lab):
    lab.rotate()
    admin = RancherClient(lab.rancher.url, lab.pair(ADMIN))
    stored = lab.pair(MAIN).access_key
    [old] = [
        key for key in admin.api_keys() if key.name == f"corral:{MAIN}" and key.access_key != stored
    ]
    admin.act_on_key(old.id, "deactivate")

    lab.set_up()

    assert old.id not in {key.id for key in admin.api_keys() if key.state != "removed"}
    lab.assert_whole()


def test_a_key_that_never_works_is_not_stored(lab):
    before = lab.vault.read(MAIN)
    impatient = Patience(deadline=timedelta(seconds=0.5), interval=timedelta(seconds=0.05))
    rule = RotationRule(datetime.now(UTC), AT_ONCE)
    # Looking for the environment and trying the stored key pass; the new key is turned away.
    match = {"operation": "GET /v2-beta/projects"}
    refusal = {"target": "rancher", "match": match, "effect": {"status": 401}, "after": 2}
    lab.rancher.world.faults.add({**refusal, "times": None})

    with pytest.raises(GateTimeoutError, match="Rancher does not accept it"):
        rotate_environment_key(lab.site(patience=impatient), ENVIRONMENTS[0], rule)

    lab.rancher.world.faults.clear()
    assert lab.vault.read(MAIN) == before
    lab.assert_whole(others=1)


class ReadOnlyVault:
    """Secrets Manager, as seen by a role that may read only."""

    def __init__(self, vault: SecretVault) -> None:
        self.read = vault.read

    def write(self, name: str, _: object) -> None:
        raise AccessDeniedError("secretsmanager:PutSecretValue", name)


def test_keys_that_cannot_be_stored_do_not_pile_up(lab):
    site = lab.site(ReadOnlyVault(lab.vault))
    for runs in range(1, 5):
        rule = RotationRule(datetime.now(UTC) + runs * OVERLAP, AT_ONCE)
        with pytest.raises(AccessDeniedError, match="PutSecretValue"):
            rotate_environment_key(site, ENVIRONMENTS[0], rule)

    lab.assert_whole(others=1)


def test_two_runs_at_once_leave_a_key_that_works_and_take_none_away(lab):
    old = lab.pair(MAIN)

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(lab.rotate) for _ in range(2)]
        done = [run.result() for run in runs]

    assert all("environment main: made" in one for one in done)
    assert lab.opens(old)
    lab.assert_whole(others=2)


def test_an_environment_that_is_not_set_up_is_left_to_set_up(lab):
    rule = RotationRule(datetime.now(UTC), AT_ONCE)
    lab.rancher.world.journal.clear()

    [fate] = rotate_environment_key(lab.site(), Environment(name="late"), rule)
    lab.vault.write(MAIN, {**(lab.vault.read(MAIN) or {}), "project_id": "1a99"})
    [stale] = rotate_environment_key(lab.site(), ENVIRONMENTS[0], rule)

    assert (fate.fate, stale.fate) == (KeyIs.MISSING, KeyIs.MISSING)
    assert lab.rancher.writes() == []


def test_a_key_that_was_switched_off_is_replaced_at_any_age(lab):
    admin = RancherClient(lab.rancher.url, lab.pair(ADMIN))
    [key] = [key for key in admin.api_keys() if key.name == f"corral:{MAIN}"]
    admin.act_on_key(key.id, "deactivate")

    done = lab.rotate(MONTHS)

    assert {"environment main: made", "environment main: removed"} <= set(done)
    lab.assert_whole()


def test_strangers_get_nothing_and_an_environments_key_nothing_of_another(lab):
    lab.rotate()
    url = f"{lab.rancher.url}/v2-beta/projects"
    own, other = (lab.vault.read(f"lab/environments/{name}") for name in ("main", "other"))
    auth = (own["access_key"], own["secret_key"])

    def status(path: str, **options: Any) -> int:
        return requests.get(f"{url}/{path}", timeout=5, **options).status_code

    assert status("") == 401
    assert status(f"{own['project_id']}/hosts", auth=auth) == 200
    assert status(f"{other['project_id']}/hosts", auth=auth) == 403
    assert status(f"{other['project_id']}/registrationtokens", auth=auth) == 403
    keys = requests.get(f"{lab.rancher.url}/v2-beta/apikeys", auth=auth, timeout=5).json()["data"]
    assert {key["accountId"] for key in keys} == {own["project_id"]}


def test_the_double_says_when_a_key_was_born_as_rancher_does(lab):
    secret = lab.vault.read(ADMIN)
    auth = (secret["access_key"], secret["secret_key"])
    rows = requests.get(f"{lab.rancher.url}/v2-beta/apikeys", auth=auth, timeout=5).json()["data"]

    for row in rows:
        born = datetime.strptime(row["created"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        assert row["createdTS"] // 1000 == born.timestamp()
        assert abs(datetime.now(UTC) - born) < timedelta(minutes=5)
