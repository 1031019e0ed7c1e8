"""Which step comes next on the way to the access control that is wanted."""

from typing import Any

import pytest

from corral.cluster import GithubAccess, LocalAccess
from corral.domain.set_up.access import (
    AccessFound,
    AccessMove,
    Acquaintances,
    Application,
    find_code,
    find_provider_fault,
    next_access_move,
)
from corral.domain.set_up.identities import Identity
from corral.errors import PrerequisiteError

LOCAL = LocalAccess(kind="local")
GITHUB = GithubAccess(
    kind="github",
    organizations=("Acme",),
    teams=("initech/ops",),
    mode="restricted",
    secret="lab/rancher/github",
)
ACME = Identity("github_org", "acme")
OPS = Identity("github_team", "initech/ops")
OCTOCAT = Identity("github_user", "octocat")
IDS = {ACME: "github_org:9919", OPS: "github_team:4101"}
ALLOWED = frozenset(IDS.values())


def by_github(**facts: Any) -> AccessFound:
    shown: dict[str, Any] = {
        "enabled": True,
        "provider": "githubconfig",
        "mode": "restricted",
        "allowed": ALLOWED,
        "application_saved": True,
        "has_administrator": True,
    }
    return AccessFound(**{**shown, **facts})


@pytest.mark.parametrize(
    ("enabled", "provider", "move"),
    [
        pytest.param(False, "none", AccessMove.SWITCH_LOCAL_ON, id="a new Rancher"),
        pytest.param(True, "", AccessMove.SWITCH_LOCAL_ON, id="half switched on"),
        pytest.param(True, "none", AccessMove.SWITCH_LOCAL_ON, id="half switched on, said so"),
        pytest.param(False, "localAuthConfig", AccessMove.SWITCH_LOCAL_ON, id="switched off"),
        pytest.param(False, "githubconfig", AccessMove.SWITCH_LOCAL_ON, id="GitHub's, off"),
        pytest.param(True, "localAuthConfig", AccessMove.KEEP, id="on"),
        pytest.param(True, "ldapconfig", AccessMove.KEEP, id="by what no cluster file can name"),
    ],
)
def test_local_access_control_is_switched_on_until_it_is_whole(enabled, provider, move):
    assert next_access_move(LOCAL, AccessFound(enabled, provider)) is move


@pytest.mark.parametrize(
    ("found", "move"),
    [
        pytest.param(
            AccessFound(enabled=False, provider="none"),
            AccessMove.SAVE_APPLICATION,
            id="a new Rancher",
        ),
        pytest.param(
            AccessFound(enabled=True, provider=""),
            AccessMove.SAVE_APPLICATION,
            id="half switched on",
        ),
        pytest.param(by_github(enabled=False), AccessMove.SAVE_APPLICATION, id="switched off"),
        pytest.param(
            by_github(application_saved=False), AccessMove.SAVE_APPLICATION, id="a new secret"
        ),
        pytest.param(
            by_github(has_administrator=False, allowed=frozenset()),
            AccessMove.MAKE_ADMINISTRATOR,
            id="nobody of GitHub is an administrator",
        ),
        pytest.param(by_github(mode="required"), AccessMove.LET_IN, id="another mode"),
        pytest.param(by_github(allowed=frozenset()), AccessMove.LET_IN, id="nobody let in yet"),
        pytest.param(
            by_github(allowed=ALLOWED | {"github_user:7"}), AccessMove.LET_IN, id="somebody more"
        ),
        pytest.param(by_github(), AccessMove.KEEP, id="as wanted"),
    ],
)
def test_github_is_shut_first_and_opened_once_everybody_is_known(found, move):
    assert next_access_move(GITHUB, found, Acquaintances(IDS)) is move


@pytest.mark.parametrize(
    ("known", "others", "move"),
    [
        pytest.param(Acquaintances(), (), AccessMove.ASK_FOR_CODE, id="nobody came yet"),
        pytest.param(
            Acquaintances({ACME: IDS[ACME]}), (), AccessMove.ASK_FOR_CODE, id="a new team"
        ),
        pytest.param(
            Acquaintances({ACME: IDS[ACME]}, can_look_up=True),
            (),
            AccessMove.LOOK_UP,
            id="a new team, and somebody let us look",
        ),
        pytest.param(Acquaintances(IDS), (OCTOCAT,), AccessMove.ASK_FOR_CODE, id="a new member"),
        pytest.param(
            Acquaintances({**IDS, OCTOCAT: "github_user:1"}),
            (OCTOCAT,),
            AccessMove.KEEP,
            id="a known member",
        ),
    ],
)
def test_a_person_is_asked_only_for_names_that_nobody_knows(known, others, move):
    assert next_access_move(GITHUB, by_github(), known, others) is move


@pytest.mark.parametrize(
    ("wish", "provider", "sentence"),
    [
        pytest.param(LOCAL, "githubconfig", "is githubconfig, and .* says local", id="to local"),
        pytest.param(GITHUB, "localAuthConfig", "is localAuthConfig, .* github", id="to GitHub"),
        pytest.param(GITHUB, "ldapconfig", "build a cluster anew", id="from LDAP"),
    ],
)
def test_a_provider_in_force_is_not_changed(wish, provider, sentence):
    with pytest.raises(PrerequisiteError, match=sentence):
        next_access_move(wish, AccessFound(enabled=True, provider=provider))


def test_a_provider_that_is_off_binds_nobody():
    assert (
        find_provider_fault("github", AccessFound(enabled=False, provider="localAuthConfig"))
        is None
    )


def test_names_of_github_are_the_same_in_any_case():
    assert Identity.of("github_org", " Acme ") == ACME


def test_an_application_tells_its_secret_to_nobody():
    application = Application("id", "hush")

    assert "hush" not in repr(application)
    assert "hush" not in application.fingerprint + application.authorize_url("state")


def test_each_part_of_an_application_counts():
    parts = [("id", "a", None), ("id", "b", None), ("ix", "a", None), ("id", "a", "github.acme.io")]

    assert len({Application(*part).fingerprint for part in parts}) == len(parts)


@pytest.mark.parametrize(
    ("hostname", "start"),
    [
        pytest.param(None, "https://github.com/login/oauth/authorize?", id="GitHub"),
        pytest.param("git.acme.io", "https://git.acme.io/login/oauth/authorize?", id="Enterprise"),
    ],
)
def test_a_person_lets_the_application_in_where_github_is(hostname, start):
    url = Application("the-id", "hush", hostname).authorize_url("s1")

    assert url == f"{start}client_id=the-id&scope=read%3Aorg&state=s1"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param("abc123", "abc123", id="the code"),
        pytest.param("  abc123\n", "abc123", id="with blanks"),
        pytest.param("https://r.acme.io/?code=abc123&state=s1", "abc123", id="the address"),
        pytest.param("?code=abc123&state=s1", "abc123", id="the end of the address"),
        pytest.param("code=abc123", "abc123", id="one part of the address"),
        pytest.param("https://r.acme.io/?code=abc123&state=other", None, id="another visit's"),
        pytest.param("https://r.acme.io/login", None, id="an address without a code"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_code_is_found_in_what_people_enter(answer, code):
    assert find_code(answer, "s1") == code
