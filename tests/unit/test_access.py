"""What set-up decides about keys, settings and environments."""

from datetime import UTC, datetime

import pytest

from corral.domain.set_up.environments import KnownProject, find_project
from corral.domain.set_up.keys import (
    KeyPair,
    KnownKey,
    find_leftovers,
    find_stored,
    key_name,
    next_removal_action,
)
from corral.domain.set_up.settings import needs_setting
from corral.errors import AmbiguousError, PrerequisiteError

NAME = key_name("lab/rancher/admin")
PAIR = KeyPair("ACCESS", "hidden")
BORN = datetime(2026, 3, 1, tzinfo=UTC)


def key(key_id: str = "1c1", *, name: str = NAME, state: str = "active", access: str = "ACCESS"):
    return KnownKey(id=key_id, name=name, state=state, access_key=access, created=BORN)


def test_a_key_never_shows_its_secret_half():
    assert "hidden" not in repr(PAIR)


@pytest.mark.parametrize(
    ("stored", "listed", "found"),
    [
        pytest.param(PAIR, [key()], "1c1", id="there"),
        pytest.param(PAIR, [key(state="registering")], "1c1", id="on its way"),
        pytest.param(PAIR, [key(name="made by hand")], "1c1", id="under another name"),
        pytest.param(None, [key()], None, id="nothing stored"),
        pytest.param(PAIR, [key(access="OTHER")], None, id="Rancher has another"),
        pytest.param(PAIR, [key(state="inactive")], None, id="switched off by somebody"),
        pytest.param(PAIR, [key(state="removed")], None, id="removed by somebody"),
    ],
)
def test_the_stored_key_counts_if_rancher_lets_it_in(stored, listed, found):
    known = find_stored(stored, listed)

    assert (known.id if known else None) == found


@pytest.mark.parametrize(
    ("listed", "stored", "leftovers"),
    [
        pytest.param([key()], None, ["1c1"], id="made but never stored"),
        pytest.param([key(state="inactive")], None, ["1c1"], id="half removed"),
        pytest.param([key(state="removing")], None, [], id="being removed"),
        pytest.param([key()], PAIR, [], id="in use"),
        pytest.param([key(), key("1c2", access="B")], PAIR, [], id="one stored, one replaced"),
        pytest.param([key(state="inactive")], PAIR, ["1c1"], id="switched off by somebody"),
        pytest.param([key(name="by hand")], None, [], id="other people's"),
    ],
)
def test_only_our_own_keys_that_nobody_can_use_are_removed(listed, stored, leftovers):
    assert [found.id for found in find_leftovers(NAME, listed, stored)] == leftovers


@pytest.mark.parametrize(
    ("state", "action"),
    [("active", "deactivate"), ("inactive", "remove"), ("deactivating", None)],
)
def test_an_active_key_is_deactivated_before_it_is_removed(state, action):
    assert next_removal_action(state) == action


@pytest.mark.parametrize(
    ("value", "source", "needed"),
    [
        pytest.param("https://r.example.com", "Database", False, id="as wanted"),
        pytest.param("https://r.example.com", "Environment Variables", False, id="fixed as wanted"),
        pytest.param("", "cattle-global.properties", True, id="empty"),
        pytest.param("http://old", "Database", True, id="another"),
        pytest.param("http://old", "Default Environment Variables", True, id="a mere default"),
    ],
)
def test_a_setting_is_written_only_if_it_differs(value, source, needed):
    wanted = "https://r.example.com"

    assert needs_setting("api.host", value=value, source=source, wanted=wanted) is needed


def test_a_setting_fixed_by_the_servers_environment_is_an_error_that_names_the_variable():
    with pytest.raises(PrerequisiteError, match="CATTLE_API_HOST"):
        needs_setting(
            "api.host", value="http://x", source="Environment Variables", wanted="http://y"
        )


def test_a_removed_environment_does_not_count():
    gone = KnownProject("1a7", "main", "removed")

    assert find_project("main", [gone, KnownProject("1a5", "Default", "active")]) is None


def test_an_environment_that_exists_twice_is_an_error_with_both_ids():
    twice = [KnownProject("1a7", "main", "active"), KnownProject("1a9", "main", "active")]

    with pytest.raises(AmbiguousError, match=r"main exists 2 times \(1a7, 1a9\)"):
        find_project("main", twice)
