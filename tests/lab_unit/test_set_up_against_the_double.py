"""Set-up against a whole Rancher: made once, found again, and finished after a death anywhere."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from aws_lab import eventually
from mortality import Death, Fate, MortalVault, mortal_calls
from moto import mock_aws
from pydantic import SecretStr
from ranchers import Rancher, Ranchers

from corral.clients.aws import SecretVault
from corral.clients.rancher import Patience, RancherClient, Site, read_admin_key
from corral.clients.rancher.set_up import (
    ensure_admin_key,
    ensure_environments,
    ensure_local_access,
    ensure_settings,
)
from corral.cluster import Environment
from corral.domain.set_up.keys import KeyPair
from corral.domain.set_up.steps import Did, Step
from corral.errors import AmbiguousError, PrerequisiteError

PUBLIC_URL = "https://rancher.corral.test"
ENVIRONMENTS = (Environment(name="main", description="All that earns money"),)
PATIENCE = Patience(deadline=timedelta(seconds=10), interval=timedelta(seconds=0.01))


@pytest.fixture
def vault() -> Iterator[SecretVault]:
    with mock_aws():
        yield new_vault()


def new_vault() -> SecretVault:
    session = boto3.Session("lab", "lab", region_name="us-east-1")
    return SecretVault(session, {"Cluster": "lab"})


def site_of(rancher: Rancher, vault: Any) -> Site:
    return Site("lab", vault, public_url=PUBLIC_URL, reached_at=rancher.url, patience=PATIENCE)


def secure(site: Site) -> list[Step]:
    return [ensure_admin_key(site), ensure_local_access(site)]


def set_up(rancher: Rancher, vault: Any, environments=ENVIRONMENTS, alerts=()) -> list[Step]:
    site, urls = site_of(rancher, vault), [SecretStr(url) for url in alerts]
    return [
        *secure(site),
        *ensure_settings(site, {}),
        *ensure_environments(site, environments, urls),
    ]


def administrator(rancher: Rancher, vault: SecretVault) -> RancherClient:
    return RancherClient(rancher.url, read_admin_key(vault, "lab"))


def assert_whole(rancher: Rancher, vault: SecretVault) -> None:
    """See that everything is there, once, and that every secret opens what it should."""
    admin = administrator(rancher, vault)
    [project] = [project for project in admin.projects() if project.name == "main"]
    hosts_secret = vault.read("lab/environments/main")
    admin_secret = vault.read("lab/rancher/admin")
    assert hosts_secret
    assert admin_secret

    assert not RancherClient(rancher.url).is_accepted()
    assert rancher.logs_in(admin_secret["username"], admin_secret["password"])
    assert admin.setting("api.host").effective == PUBLIC_URL
    assert {key.name: (key.access_key, key.state) for key in admin.api_keys()} == {
        "corral:lab/rancher/admin": (admin_secret["access_key"], "active"),
        "corral:lab/environments/main": (hosts_secret["access_key"], "active"),
    }
    assert len(admin.api_keys()) == 2
    assert (hosts_secret["url"], hosts_secret["project_id"]) == (PUBLIC_URL, project.id)
    pair = KeyPair(hosts_secret["access_key"], hosts_secret["secret_key"])
    assert RancherClient(rancher.url, pair).hosts(project.id) == []


def test_a_new_rancher_is_secured_and_furnished(rancher, vault):
    steps = set_up(rancher, vault)

    assert [str(step) for step in steps] == [
        "administrator's key: created",
        "access control: created",
        "registration address: created",
        "environment main: created",
        "key of environment main: created",
    ]
    assert_whole(rancher, vault)


def test_the_default_environment_is_left_alone(rancher, vault):
    client = RancherClient(rancher.url)
    # A Rancher that has just begun gives this environment its template a little later.
    eventually(lambda: all(one.template_id for one in client.projects()))
    before = client.projects()

    set_up(rancher, vault)

    default = [p for p in administrator(rancher, vault).projects() if p.name == "Default"]
    assert default == before


def test_a_second_run_only_looks(rancher, vault):
    set_up(rancher, vault)
    rancher.world.journal.clear()

    steps = set_up(rancher, vault)

    assert {step.did for step in steps} == {Did.KEPT}
    assert rancher.writes() == []


def test_hosts_learn_whom_to_tell_and_learn_it_anew_when_it_changes(rancher, vault):
    set_up(rancher, vault)
    assert "alerts" not in vault.read("lab/environments/main")

    *_, told = set_up(rancher, vault, alerts=("pagerduty://key@token", "json://chat"))
    before = vault.read("lab/environments/main")
    assert before["alerts"] == "pagerduty://key@token\njson://chat"
    assert told.did is Did.CHANGED

    *_, same = set_up(rancher, vault, alerts=("pagerduty://key@token", "json://chat"))
    assert same.did is Did.KEPT

    *_, fewer = set_up(rancher, vault, alerts=("json://chat",))
    assert fewer.did is Did.CHANGED
    assert vault.read("lab/environments/main") == {**before, "alerts": "json://chat"}


def test_a_run_that_died_after_any_call_is_finished_by_the_next_one(lab, vault):
    """One new Rancher for each call of a set-up; its run dies as that call is answered."""
    deaths = 0
    while dies(lab, vault, Fate(calls=deaths)):
        deaths += 1
    assert deaths > 20


def dies(lab: Ranchers, vault: SecretVault, fate: Fate) -> bool:
    """Set a new Rancher up until fate strikes, then again in peace; say whether it struck."""
    rancher, struck = lab.open(), False
    try:
        with mortal_calls(fate):
            set_up(rancher, MortalVault(vault, fate))
    except Death:
        struck = True
    set_up(rancher, vault)
    assert_whole(rancher, vault)
    lab.close(rancher)
    forget_secrets()
    return struck


def forget_secrets() -> None:
    manager = boto3.client("secretsmanager", region_name="us-east-1")
    for secret in manager.list_secrets()["SecretList"]:
        manager.delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)


def test_a_key_switched_off_by_somebody_is_replaced(rancher, vault):
    set_up(rancher, vault)
    admin = administrator(rancher, vault)
    [key] = [key for key in admin.api_keys() if key.name == "corral:lab/environments/main"]
    admin.act_on_key(key.id, "deactivate")

    steps = set_up(rancher, vault)

    assert [str(step) for step in steps if step.did is not Did.KEPT] == [
        "key of environment main: replaced"
    ]
    assert_whole(rancher, vault)


def test_a_secret_that_opens_nothing_is_replaced(rancher, vault):
    set_up(rancher, vault)
    secret = vault.read("lab/environments/main")
    vault.write("lab/environments/main", {**secret, "secret_key": "mistyped"})

    steps = set_up(rancher, vault)

    assert steps[-1].did is Did.REPLACED
    admin = administrator(rancher, vault)
    [old] = [key for key in admin.api_keys() if key.access_key == secret["access_key"]]
    assert old.state == "active", "somebody who read the right one may work with it"
    admin.act_on_key(old.id, "deactivate")
    set_up(rancher, vault)
    assert_whole(rancher, vault)


def test_a_lost_secret_of_an_environment_is_made_anew(rancher, vault):
    set_up(rancher, vault)
    vault.write("lab/environments/main", {})

    set_up(rancher, vault)

    assert_whole(rancher, vault)


def test_secrets_of_an_earlier_rancher_give_way_to_those_of_a_new_one(rancher, vault):
    stale = {"access_key": "OLD", "secret_key": "old"}
    vault.write("lab/rancher/admin", {**stale, "username": "admin", "password": "kept"})
    vault.write("lab/environments/main", {**stale, "project_id": "1a99", "url": "http://old"})

    set_up(rancher, vault)

    assert vault.read("lab/rancher/admin")["password"] == "kept"
    assert_whole(rancher, vault)


def test_a_secret_with_an_old_address_keeps_its_key(rancher, vault):
    set_up(rancher, vault)
    secret = vault.read("lab/environments/main")
    vault.write("lab/environments/main", {**secret, "url": "https://old.corral.test"})

    steps = set_up(rancher, vault)

    assert steps[-1].did is Did.CHANGED
    assert vault.read("lab/environments/main") == secret


def test_a_closed_rancher_without_a_key_says_what_to_do(rancher, vault):
    set_up(rancher, vault)
    vault.write("lab/rancher/admin", {})

    with pytest.raises(PrerequisiteError, match="lab/rancher/admin holds no key: log in"):
        set_up(rancher, vault)


def test_a_closed_rancher_with_a_wrong_key_says_what_to_do(rancher, vault):
    set_up(rancher, vault)
    secret = vault.read("lab/rancher/admin")
    vault.write("lab/rancher/admin", {**secret, "secret_key": "mistyped"})
    rancher.world.journal.clear()

    with pytest.raises(PrerequisiteError, match="holds a key that it does not accept: log in"):
        set_up(rancher, vault)

    assert rancher.writes() == []


def test_half_switched_on_access_control_is_finished(rancher, vault):
    set_up(rancher, vault)
    admin = administrator(rancher, vault)
    admin.set_setting("api.auth.provider.configured", "none")

    steps = set_up(rancher, vault)

    assert steps[1].did is Did.CREATED
    assert admin.setting("api.auth.provider.configured").effective == "localAuthConfig"


def test_an_environment_that_exists_twice_is_an_error_with_both_ids(rancher, vault):
    set_up(rancher, vault)
    admin = administrator(rancher, vault)
    template = admin.template_id("Cattle")
    second = admin.create_project("main", "", template)
    rancher.world.journal.clear()

    with pytest.raises(AmbiguousError, match="main exists 2 times") as caught:
        set_up(rancher, vault)

    assert second.id in caught.value.ids
    assert rancher.writes() == []


def test_an_environment_that_exists_twice_is_found_behind_a_shut_door(rancher, vault):
    nobody = RancherClient(rancher.url)
    template = nobody.template_id("Cattle")
    for _ in range(2):
        nobody.create_project("late", "", template)

    with pytest.raises(AmbiguousError, match="late exists 2 times"):
        set_up(rancher, vault, (*ENVIRONMENTS, Environment(name="late")))

    assert not nobody.is_accepted()
    names = [project.name for project in administrator(rancher, vault).projects()]
    assert "main" not in names


def test_a_closed_rancher_lets_no_stranger_in_before_it_has_environments(rancher, vault):
    steps = secure(site_of(rancher, vault))

    assert [step.what for step in steps] == ["administrator's key", "access control"]
    assert not RancherClient(rancher.url).is_accepted()
    assert [p.name for p in administrator(rancher, vault).projects()] == ["Default"]


def test_an_address_fixed_by_the_servers_environment_is_an_error_that_names_the_variable(
    lab, vault
):
    rancher = lab.open(CATTLE_API_HOST="https://elsewhere.example.com")
    try:
        with pytest.raises(PrerequisiteError, match="CATTLE_API_HOST"):
            set_up(rancher, vault)
    finally:
        lab.close(rancher)


def test_the_gates_answers_come_from_the_same_rancher(rancher, vault):
    set_up(rancher, vault)
    admin = administrator(rancher, vault)

    assert (admin.ping(), admin.version(), admin.websocket()) == ("200 pong", "v1.6.30", "101")
    assert len(admin.members()) == 1
