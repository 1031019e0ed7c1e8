"""The next step towards a registry with the right log-in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import SecretStr

from corral.domain.set_up.registries import (
    FRESH,
    KnownLogin,
    KnownRegistry,
    Login,
    RegistryMove,
    end_mark,
    find_login,
    find_registry,
    is_fresh,
    is_same,
    next_move,
    secret_mark,
)
from corral.errors import AmbiguousError

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ADDRESS = "registry.example.com"


def registry(state="active", id_="1sp1", address=ADDRESS):
    return KnownRegistry(id_, address, state)


def login(state="active", mark="", id_="1c1", username="robot", registry_id="1sp1"):
    return KnownLogin(id_, registry_id, username, mark, state)


@pytest.mark.parametrize(
    ("known", "its_login", "is_current", "move"),
    [
        (None, None, False, RegistryMove.CREATE),
        (registry("requested"), None, False, RegistryMove.WAIT),
        (registry("activating"), None, False, RegistryMove.WAIT),
        (registry("removing"), None, False, RegistryMove.WAIT),
        (registry("inactive"), login(), True, RegistryMove.ACTIVATE),
        (registry(), None, False, RegistryMove.CREATE_LOGIN),
        (registry(), login("registering"), True, RegistryMove.WAIT),
        (registry(), login("updating-active"), True, RegistryMove.WAIT),
        (registry(), login("inactive"), True, RegistryMove.ACTIVATE_LOGIN),
        (registry(), login(), False, RegistryMove.CHANGE_LOGIN),
        (registry(), login(), True, RegistryMove.KEPT),
    ],
)
def test_the_next_step_follows_from_where_registry_and_login_are(
    known, its_login, is_current, move
):
    assert next_move(known, its_login, is_current=is_current) is move


def test_an_address_is_found_without_regard_to_case():
    found = registry(address="Registry.Example.com")

    assert find_registry("lab", ADDRESS, [registry(address="other"), found]) is found


@pytest.mark.parametrize("state", ["removed", "purging", "purged"])
def test_a_registry_that_is_gone_is_none(state):
    assert find_registry("lab", ADDRESS, [registry(state)]) is None


def test_a_registry_that_is_being_removed_holds_its_address_until_there_is_another():
    leaving, living = registry("removing"), registry(id_="1sp2")

    assert find_registry("lab", ADDRESS, [leaving]) is leaving
    assert find_registry("lab", ADDRESS, [leaving, living]) is living


def test_an_address_that_is_there_twice_is_an_error_with_both_ids():
    with pytest.raises(AmbiguousError, match="of environment lab exists 2 times") as caught:
        find_registry("lab", ADDRESS, [registry(), registry(id_="1sp2")])

    assert caught.value.ids == ["1sp1", "1sp2"]


def test_a_login_is_found_by_its_registry():
    own, gone = login(), login("removed", id_="1c3")
    other = login(registry_id="1sp9", id_="1c2")

    assert find_login(registry(), [other, gone, own]) is own
    assert find_login(registry(), [other, gone]) is None


def test_two_logins_of_one_registry_are_an_error():
    with pytest.raises(AmbiguousError, match="log-in of registry"):
        find_login(registry(), [login(), login(id_="1c2")])


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (login(mark=secret_mark("v1")), True),
        (login(mark=secret_mark("v2")), False),
        (login(mark=secret_mark("v1"), username="somebody"), False),
        (login(mark=""), False),
        (None, False),
    ],
)
def test_a_login_is_known_by_its_user_and_by_the_version_of_its_secret(known, expected):
    wanted = Login("robot", SecretStr("secret"), secret_mark("v1"))

    assert is_same(known, wanted) is expected


@pytest.mark.parametrize(
    ("left", "expected"),
    [(FRESH, True), (timedelta(hours=12), True), (FRESH - timedelta(seconds=1), False)],
)
def test_a_password_of_ecr_is_fresh_while_another_look_comes_in_time(left, expected):
    assert is_fresh(login(mark=end_mark(NOW + left)), NOW) is expected


def test_the_end_of_a_password_is_kept_in_utc_whatever_it_came_in():
    end = datetime(2026, 11, 24, 2, 0, tzinfo=timezone(timedelta(hours=2)))

    assert end_mark(end) == "corral: valid until 2026-11-24T00:00:00Z"


@pytest.mark.parametrize(
    "mark",
    [
        "",
        "somebody's own words",
        secret_mark("v1"),
        "corral: valid until soon",
        "corral: valid until 2026-12-24T00:00:00",
    ],
)
def test_a_password_that_does_not_say_when_it_ends_is_stale(mark):
    assert not is_fresh(login(mark=mark), NOW)
    assert not is_fresh(None, NOW)


def test_two_looks_of_the_flow_lie_within_the_life_of_a_password():
    lifetime, between_looks = timedelta(hours=12), timedelta(hours=6)

    assert lifetime - between_looks < FRESH < lifetime


def test_a_password_is_in_no_representation():
    assert "hunter2" not in repr(Login("robot", SecretStr("hunter2"), "mark"))
