"""Registries and the log-ins there, made in a whole Rancher."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
from furnished import Furnished, outcomes
from mortality import Death, Fate, mortal_writes
from pydantic import SecretStr

from corral.clients.rancher.set_up import (
    await_registries,
    ensure_registries,
    find_registry_faults,
)
from corral.cluster import EcrRegistry, Environment, PasswordRegistry
from corral.domain.set_up.registries import Login, end_mark
from corral.errors import (
    AccessDeniedError,
    AmbiguousError,
    GateTimeoutError,
    PrerequisiteError,
)

ADDRESS = "registry.example.com:5000"
ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
SECRET = {"username": "robot", "password": "hunter2"}


class Ecr:
    """Gives log-ins, each with another password, and counts them."""

    def __init__(self, lifetime: timedelta = timedelta(hours=12)) -> None:
        self.lifetime = lifetime
        self.given = 0

    def __call__(self, address: str) -> Login:
        assert address == ECR
        self.given += 1
        end = datetime.now(UTC) + self.lifetime
        return Login("AWS", SecretStr(f"token-{self.given}"), end_mark(end))


def nobody(_address: str) -> Login:
    raise AssertionError("ECR is asked for nothing")


def with_password(name: str) -> Environment:
    return Environment(
        name=name,
        registries=(PasswordRegistry(kind="password", address=ADDRESS, secret=f"lab/{name}"),),
    )


def with_ecr(name: str, refresher: str = "flow") -> Environment:
    registry = EcrRegistry(kind="ecr", address=ECR, refresher=refresher)
    return Environment(name=name, registries=(registry,))


def stored(furnished: Furnished, name: str) -> dict[str, tuple[str, str, str]]:
    """Return user, password and state of each registry's log-ins, as the double keeps them."""
    account = int(furnished.project(name).removeprefix("1a"))
    store = furnished.rancher.cluster.store
    registries = {row.id: row for row in store.storage_pools.where("account_id", account)}
    return {
        registries[one.registry_id].server_address: (one.public_value, one.secret_value, one.state)
        for one in store.credentials.where("account_id", account)
        if one.registry_id in registries
    }


def ensure(furnished: Furnished, wanted: Environment, ecr=nobody) -> list[str]:
    return outcomes([*ensure_registries(furnished.site, [wanted], ecr)])


def act(furnished: Furnished, name: str, kind: str, action: str) -> None:
    """Do something by hand to the one registry, or log-in, of an environment."""
    path = f"{furnished.rancher.url}/v2-beta/projects/{furnished.project(name)}/{kind}"
    [row] = requests.get(path, auth=furnished.key, timeout=10).json()["data"]
    answer = requests.post(f"{path}/{row['id']}?action={action}", auth=furnished.key, timeout=10)
    assert answer.ok, answer.text


def test_a_registry_is_made_with_its_log_in_and_then_only_looked_at(furnished):
    wanted = with_password("fresh")
    furnished.make(wanted)
    furnished.vault.write("lab/fresh", SECRET)

    assert ensure(furnished, wanted) == [f"registry {ADDRESS} of environment fresh: created"]
    assert stored(furnished, "fresh") == {ADDRESS: ("robot", "hunter2", "active")}

    furnished.rancher.world.journal.clear()
    assert ensure(furnished, wanted) == [f"registry {ADDRESS} of environment fresh: kept"]
    assert furnished.writes() == []


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({**SECRET, "password": "hunter3"}, id="password"),
        pytest.param({**SECRET, "username": "somebody"}, id="user"),
    ],
)
def test_a_secret_that_changed_is_written_once(furnished, changed):
    name = f"new-{'user' if changed['username'] != 'robot' else 'password'}"
    wanted = with_password(name)
    furnished.make(wanted)
    furnished.vault.write(f"lab/{name}", SECRET)
    ensure(furnished, wanted)
    furnished.vault.write(f"lab/{name}", changed)
    furnished.rancher.world.journal.clear()

    assert ensure(furnished, wanted)[0].endswith(": changed")
    assert len(furnished.writes()) == 1
    assert stored(furnished, name)[ADDRESS] == (*changed.values(), "active")
    assert ensure(furnished, wanted)[0].endswith(": kept")


def test_a_log_in_that_somebody_else_made_is_taken_over_in_place(furnished):
    wanted = with_password("foreign")
    furnished.make(wanted)
    furnished.vault.write("lab/foreign", SECRET)
    ensure(furnished, wanted)
    project, admin = furnished.project("foreign"), furnished.admin
    [before] = admin.logins(project)
    admin.change_login(project, before.id, Login("robot", SecretStr("theirs"), "my own words"))

    assert ensure(furnished, wanted)[0].endswith(": changed")

    [after] = admin.logins(project)
    assert after.id == before.id
    assert stored(furnished, "foreign")[ADDRESS] == ("robot", "hunter2", "active")


@pytest.mark.parametrize("kind", ["registries", "registrycredentials"])
def test_what_somebody_switched_off_is_switched_on_again(furnished, kind):
    name = f"off-{kind[:11]}"[:16].rstrip("-")
    wanted = with_password(name)
    furnished.make(wanted)
    furnished.vault.write(f"lab/{name}", SECRET)
    ensure(furnished, wanted)
    act(furnished, name, kind, "deactivate")

    assert ensure(furnished, wanted)[0].endswith(": changed")
    assert stored(furnished, name)[ADDRESS] == ("robot", "hunter2", "active")


def test_a_run_that_died_after_any_write_is_finished_by_the_next_one(furnished):
    """One new environment for each write of a run; the run dies as that write is answered."""
    deaths = 0
    while dies(furnished, f"mortal{deaths}", Fate(calls=deaths)):
        deaths += 1
    assert deaths == 2


def dies(furnished: Furnished, name: str, fate: Fate) -> bool:
    wanted, struck = with_password(name), False
    furnished.make(wanted)
    furnished.vault.write(f"lab/{name}", SECRET)
    with mortal_writes(fate):
        try:
            ensure(furnished, wanted)
        except Death:
            struck = True
    ensure(furnished, wanted)
    assert stored(furnished, name) == {ADDRESS: ("robot", "hunter2", "active")}
    assert len(furnished.admin.logins(furnished.project(name))) == 1
    return struck


def test_a_change_that_died_is_finished_by_the_next_run(furnished):
    wanted = with_password("halfway")
    furnished.make(wanted)
    furnished.vault.write("lab/halfway", SECRET)
    ensure(furnished, wanted)
    furnished.vault.write("lab/halfway", {**SECRET, "password": "hunter3"})

    with pytest.raises(Death), mortal_writes(Fate(calls=0)):
        ensure(furnished, wanted)
    furnished.rancher.world.journal.clear()

    assert ensure(furnished, wanted)[0].endswith(": kept")
    assert furnished.writes() == []
    assert stored(furnished, "halfway")[ADDRESS] == ("robot", "hunter3", "active")


@pytest.mark.parametrize(
    ("secret", "sentence"),
    [
        (None, "There is no secret lab/{name} in AWS Secrets Manager: make it, with username"),
        ({"username": "robot"}, "The secret lab/{name} holds no username and password"),
        ({"password": "hunter2"}, "The secret lab/{name} holds no username and password"),
    ],
    ids=["missing", "no-password", "no-user"],
)
def test_a_secret_that_is_no_log_in_is_told_before_anything_is_made(furnished, secret, sentence):
    name = f"bad{len(str(secret))}"
    wanted = with_password(name)
    furnished.make(wanted)
    if secret:
        furnished.vault.write(f"lab/{name}", secret)
    expected = sentence.format(name=name)

    [fault] = find_registry_faults(furnished.site, [wanted], nobody)
    with pytest.raises(PrerequisiteError) as refused:
        ensure(furnished, wanted)

    assert fault.startswith(expected)
    assert str(refused.value).startswith(expected)
    assert "hunter2" not in fault
    assert furnished.writes() == []


def test_an_address_that_is_there_twice_is_a_fault_with_both_ids(furnished):
    wanted = with_password("twice")
    furnished.make(wanted)
    furnished.vault.write("lab/twice", SECRET)
    ensure(furnished, wanted)
    project = furnished.project("twice")
    furnished.admin.create_registry(project, "other.example.com")
    second = next(
        row
        for row in furnished.rancher.cluster.store.storage_pools
        if row.server_address == "other.example.com"
    )
    second.server_address = ADDRESS.upper()

    [fault] = find_registry_faults(furnished.site, [wanted], nobody)
    with pytest.raises(AmbiguousError):
        ensure(furnished, wanted)

    assert fault.startswith(f"The registry {ADDRESS} of environment twice exists 2 times (1sp")


def test_two_log_ins_of_one_registry_are_a_fault(furnished):
    wanted = with_password("twins")
    furnished.make(wanted)
    furnished.vault.write("lab/twins", SECRET)
    ensure(furnished, wanted)
    project, admin = furnished.project("twins"), furnished.admin
    [registry] = admin.registries(project)
    admin.create_login(project, registry.id, Login("other", SecretStr("x"), ""))

    [fault] = find_registry_faults(furnished.site, [wanted], nobody)

    assert fault.startswith(f"The log-in of registry {ADDRESS} exists 2 times")


def test_a_registry_that_goes_is_waited_for_and_made_again(furnished):
    wanted = with_password("going")
    furnished.make(wanted)
    furnished.vault.write("lab/going", SECRET)
    ensure(furnished, wanted)
    act(furnished, "going", "registries", "deactivate")
    project = furnished.project("going")
    furnished.site.patience.wait(
        "its rest",
        lambda: [r.state for r in furnished.admin.registries(project) if r.state != "inactive"],
    )
    act(furnished, "going", "registries", "remove")

    assert ensure(furnished, wanted)[0].endswith(": created")


def test_ecrs_password_is_fetched_when_it_is_missing_and_then_kept_while_it_is_fresh(furnished):
    wanted, ecr = with_ecr("cloud"), Ecr()
    furnished.make(wanted)

    assert ensure(furnished, wanted, ecr) == [f"registry {ECR} of environment cloud: created"]
    assert stored(furnished, "cloud") == {ECR: ("AWS", "token-1", "active")}

    furnished.rancher.world.journal.clear()
    assert ensure(furnished, wanted, ecr) == [f"registry {ECR} of environment cloud: kept"]
    assert (ecr.given, furnished.writes()) == (1, [])


def test_ecrs_password_is_renewed_in_place_before_it_ends(furnished):
    wanted = with_ecr("ageing")
    furnished.make(wanted)
    ensure(furnished, wanted, Ecr(lifetime=timedelta(hours=6)))
    furnished.rancher.world.journal.clear()
    fresh = Ecr()
    fresh.given = 7

    assert ensure(furnished, wanted, fresh) == [f"registry {ECR} of environment ageing: changed"]
    assert furnished.writes() == ["PUT /v2-beta/projects/{id}/registrycredentials/{id}"]
    assert stored(furnished, "ageing") == {ECR: ("AWS", "token-8", "active")}


def test_a_registry_that_the_stack_renews_is_left_to_the_stack(furnished):
    wanted = with_ecr("stacked", refresher="stack")
    furnished.make(wanted)

    assert ensure(furnished, wanted) == []
    assert find_registry_faults(furnished.site, [wanted], nobody) == []
    assert furnished.writes() == []


def test_a_registry_that_the_stack_is_to_make_is_waited_for(furnished):
    wanted = with_ecr("awaited", refresher="stack")
    furnished.make(wanted)

    with pytest.raises(GateTimeoutError, match="its stack ecr has not made the registry"):
        list(await_registries(furnished.impatient, [wanted]))
    ensure(furnished, with_ecr("awaited"), Ecr())
    furnished.rancher.world.journal.clear()

    steps = outcomes([*await_registries(furnished.site, [wanted])])
    assert steps == [f"registry {ECR} of environment awaited: kept"]
    assert furnished.writes() == []


def test_a_role_that_may_not_ask_ecr_is_a_fault_before_anything_is_made(furnished):
    wanted = with_ecr("denied")
    furnished.make(wanted)

    def deny(_address: str) -> Login:
        raise AccessDeniedError("ecr:GetAuthorizationToken", "no")

    [fault] = find_registry_faults(furnished.site, [wanted], deny)

    assert fault.startswith("AWS refuses ecr:GetAuthorizationToken: allow it")
    assert furnished.writes() == []


def test_no_password_is_in_a_log(furnished, caplog):
    wanted = with_password("quiet")
    furnished.make(wanted)
    furnished.vault.write("lab/quiet", SECRET)

    with caplog.at_level("DEBUG", logger="corral"):
        ensure(furnished, wanted)

    said = [record.getMessage() for record in caplog.records if record.name.startswith("corral")]
    assert said
    assert "hunter2" not in " ".join(said)
