"""Access control by GitHub against a whole Rancher: shut, opened, kept, changed, finished."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
import pytest
import requests
from mortality import Death, Fate, MortalVault, mortal_writes
from moto import mock_aws
from ranchers import Rancher, Ranchers

from corral.clients.aws import SecretVault
from corral.clients.rancher import Patience, RancherClient, Site, read_admin_key
from corral.clients.rancher.set_up import (
    admit,
    ensure_access,
    ensure_admin_key,
    find_access_faults,
    find_code_request,
    resolve_identities,
)
from corral.cluster import GithubAccess, LocalAccess
from corral.domain.set_up.identities import Identity
from corral.domain.set_up.steps import Did
from corral.errors import CodeRefusedError, PrerequisiteError
from lab.github.directory import CLIENT_ID, CLIENT_SECRET

PUBLIC_URL = "https://rancher.corral.test"
PATIENCE = Patience(deadline=timedelta(seconds=10), interval=timedelta(seconds=0.01))
SECRET = "lab/rancher/github"
LOCAL = LocalAccess(kind="local")
OCTOCAT = Identity("github_user", "octocat")
HUBOT = Identity("github_user", "hubot")
ACME, OPS = "github_org:9919", "github_team:4101"


def github(*, organizations=("acme",), teams=("acme/ops",), **more: Any) -> GithubAccess:
    wish = {"kind": "github", "secret": SECRET, "organizations": organizations, "teams": teams}
    return GithubAccess(**wish, **more)


@pytest.fixture
def vault() -> Iterator[SecretVault]:
    with mock_aws():
        yield new_vault()


def new_vault() -> SecretVault:
    vault = SecretVault(boto3.Session("lab", "lab", region_name="us-east-1"), {"Cluster": "lab"})
    vault.write(SECRET, {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET})
    return vault


def site_of(rancher: Rancher, vault: Any) -> Site:
    return Site("lab", vault, public_url=PUBLIC_URL, reached_at=rancher.url, patience=PATIENCE)


def secure(site: Site, access: Any, others: Any = ()) -> Any:
    ensure_admin_key(site)
    return take(site, access, others)


def take(site: Site, access: Any, others: Any) -> Any:
    """Do what needs nobody, and see whom it takes to go on."""
    steps = [*ensure_access(site, access, others)]
    return steps, find_code_request(site, access, others)


def come(rancher: Rancher, site: Site, access: Any, *, who="octocat", others: Any = ()) -> Any:
    """Have somebody press Authorize and bring the code, as often as a run asks."""
    steps, request = secure(site, access, others)
    if request is None:
        return steps
    admitted = admit(site, access, rancher.world.github.authorize(who), others)
    more, request = take(site, access, others)
    assert request is None
    return [*steps, admitted, *more]


def said(steps: Any) -> list[str]:
    return [str(step) for step in steps]


def setting(site: Site, name: str) -> str:
    return site.administrator().setting(name).effective


def log_in(rancher: Rancher, who: str) -> requests.Response:
    code = rancher.world.github.authorize(who)
    return requests.post(f"{rancher.url}/v2-beta/token", json={"code": code}, timeout=10)


def assert_shut(rancher: Rancher, site: Site) -> None:
    assert not RancherClient(rancher.url).is_accepted()
    assert site.administrator().is_accepted()
    assert log_in(rancher, "octocat").status_code == 403


def assert_open_to_acme(rancher: Rancher, site: Site) -> None:
    assert not RancherClient(rancher.url).is_accepted()
    assert site.administrator().is_accepted()
    assert log_in(rancher, "octocat").json()["userType"] == "admin"
    assert log_in(rancher, "hubot").json()["userType"] == "user"
    assert log_in(rancher, "stranger").status_code == 403


def test_nobody_but_corral_gets_in_while_a_person_is_waited_for(rancher, vault):
    site = site_of(rancher, vault)

    steps, request = secure(site, github())

    assert said(steps) == ["OAuth application of GitHub: created"]
    assert request.url.startswith(
        f"https://github.com/login/oauth/authorize?client_id={CLIENT_ID}&scope=read%3Aorg&state="
    )
    assert_shut(rancher, site)


def test_a_person_becomes_administrator_and_the_named_may_log_in(rancher, vault):
    site = site_of(rancher, vault)

    steps = come(rancher, site, github())

    assert said(steps) == [
        "OAuth application of GitHub: created",
        "octocat of GitHub: created",
        "administrator octocat: created",
        "access control: created",
    ]
    assert setting(site, "api.auth.access.mode") == "restricted"
    assert set(setting(site, "api.auth.allowed.identities").split(",")) == {ACME, OPS}
    assert_open_to_acme(rancher, site)


def test_a_second_run_only_looks_and_asks_github_nothing(rancher, vault):
    site = site_of(rancher, vault)
    come(rancher, site, github())
    rancher.world.journal.clear()

    steps, request = secure(site, github())

    assert (said(steps), request) == (["access control: kept"], None)
    assert rancher.writes() == []
    assert not [row for row in rancher.world.journal.rows() if row["target"] == "github"]


def test_a_rancher_built_anew_asks_nobody_who_came_before(lab, vault):
    first, second = lab.open(), lab.open()
    come(first, site_of(first, vault), github())

    steps, request = secure(site_of(second, vault), github())

    assert request is None
    assert said(steps) == [
        "OAuth application of GitHub: created",
        "administrator octocat: created",
        "access control: created",
    ]
    assert_open_to_acme(second, site_of(second, vault))
    lab.close(first)
    lab.close(second)


def test_corrals_key_does_not_depend_on_who_gave_the_code(rancher, vault):
    site = site_of(rancher, vault)
    come(rancher, site, github())
    log_in(rancher, "octocat")
    rancher.world.github.revoke("octocat")

    steps, _ = secure(site, github())

    assert said(steps) == ["access control: kept"]


@dataclass
class VaultOfWrites(MortalVault):
    """The same, of which nobody dies who only reads: that changes nothing to be finished."""

    def read(self, name: str) -> dict[str, str] | None:
        return self.vault.read(name)

    def version(self, name: str) -> str:
        return self.vault.version(name)


def test_a_run_that_died_after_any_write_is_finished_by_the_next_one(lab, vault):
    """One new Rancher for each write; the run dies as that write is answered."""
    deaths = 0
    while dies(lab, vault, Fate(calls=deaths)):
        deaths += 1
    assert deaths >= 8, "a key, its secret, two configurations, a code, an account, what is known"


def dies(lab: Ranchers, vault: SecretVault, fate: Fate) -> bool:
    rancher, struck = lab.open(), False
    try:
        with mortal_writes(fate):
            come(rancher, site_of(rancher, VaultOfWrites(vault, fate)), github())
    except Death:
        struck = True
    site = site_of(rancher, vault)
    come(rancher, site, github())
    assert_open_to_acme(rancher, site)
    assert len(site.administrator().github_administrators()) == 1
    lab.close(rancher)
    for name in ("lab/rancher/admin", "lab/rancher/people"):
        boto3.client("secretsmanager", region_name="us-east-1").delete_secret(
            SecretId=name, ForceDeleteWithoutRecovery=True
        )
    return struck


@pytest.mark.parametrize(
    ("bring", "reason"),
    [
        pytest.param(lambda _: "0123456789", "wrong, was used before, or is older", id="wrong"),
        pytest.param(
            lambda hub: hub.authorize("octocat", expired=True), "older than ten", id="expired"
        ),
        pytest.param(
            lambda hub: hub.authorize("stranger"),
            "stranger is in none of those whom the cluster file lets in",
            id="somebody who is not let in",
        ),
    ],
)
def test_a_code_that_does_not_do_leaves_everything_shut_for_the_next(rancher, vault, bring, reason):
    site = site_of(rancher, vault)
    secure(site, github())

    with pytest.raises(CodeRefusedError, match=reason):
        admit(site, github(), bring(rancher.world.github))

    assert_shut(rancher, site)
    come(rancher, site, github())
    assert_open_to_acme(rancher, site)


def test_a_wrong_client_secret_is_named_and_its_correction_is_noticed(rancher, vault):
    site = site_of(rancher, vault)
    vault.write(SECRET, {"client_id": CLIENT_ID, "client_secret": "mistyped"})
    secure(site, github())

    with pytest.raises(PrerequisiteError, match=f"correct .* in the secret {SECRET}") as caught:
        admit(site, github(), rancher.world.github.authorize("octocat"))
    assert "mistyped" not in str(caught.value)

    vault.write(SECRET, {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET})
    assert said(come(rancher, site, github()))[0] == "OAuth application of GitHub: changed"
    assert_open_to_acme(rancher, site)


def test_a_new_client_secret_shuts_nobody_out(rancher, vault):
    site = site_of(rancher, vault)
    come(rancher, site, github())
    people = vault.read("lab/rancher/people")
    vault.write("lab/rancher/people", {**people, "application": "an earlier one"})

    steps, request = secure(site, github())

    assert said(steps) == ["OAuth application of GitHub: changed", "access control: kept"]
    assert request is None
    assert_open_to_acme(rancher, site)


@pytest.mark.parametrize(
    ("access", "sentence"),
    [
        pytest.param(
            github(organizations=("acme", "acmee")), "GitHub knows no organization acmee", id="org"
        ),
        pytest.param(
            github(teams=("acme/opps",)),
            "GitHub knows no team acme/opps: .* only found if octocat",
            id="team",
        ),
        pytest.param(
            github(teams=("acme/developers",)), "no team acme/developers", id="another's team"
        ),
    ],
)
def test_a_name_that_github_does_not_know_is_a_sentence(rancher, vault, access, sentence):
    site = site_of(rancher, vault)
    secure(site, access)

    with pytest.raises(PrerequisiteError, match=sentence):
        admit(site, access, rancher.world.github.authorize("octocat"))

    assert_shut(rancher, site)


def test_a_change_in_the_file_needs_no_person_where_the_first_may_still_look(rancher, vault):
    site = site_of(rancher, vault)
    come(rancher, site, github(teams=()))

    wish = github(organizations=("initech",), teams=("acme/ops",), mode="required")
    steps, request = secure(site, wish)

    assert request is None
    assert said(steps) == ["names at GitHub: changed", "access control: changed"]
    assert setting(site, "api.auth.access.mode") == "required"
    assert set(setting(site, "api.auth.allowed.identities").split(",")) == {
        "github_org:9920",
        OPS,
    }


def test_a_change_asks_for_a_person_once_the_first_took_the_right_back(rancher, vault):
    site = site_of(rancher, vault)
    come(rancher, site, github(teams=()))
    rancher.world.github.revoke("octocat")

    _, request = secure(site, github())
    assert request is not None
    assert_open = log_in(rancher, "hubot")
    assert assert_open.ok, "whoever was let in stays"

    come(rancher, site, github())
    assert set(setting(site, "api.auth.allowed.identities").split(",")) == {ACME, OPS}


def test_an_unknown_name_in_a_later_file_is_a_sentence_and_changes_nothing(rancher, vault):
    site = site_of(rancher, vault)
    come(rancher, site, github())
    rancher.world.journal.clear()

    with pytest.raises(PrerequisiteError, match="knows no organization acmee"):
        secure(site, github(organizations=("acmee",)))

    assert rancher.writes() == []


def test_members_are_known_with_the_first_person(rancher, vault):
    site = site_of(rancher, vault)
    come(rancher, site, github(), others=(HUBOT,))
    rancher.world.journal.clear()

    assert resolve_identities(site, [HUBOT]) == {HUBOT: "github_user:480938"}
    assert not [row for row in rancher.world.journal.rows() if row["target"] == "github"]


def test_a_later_member_is_looked_up_in_the_first_persons_name(rancher, vault):
    site = site_of(rancher, vault)
    come(rancher, site, github())

    assert resolve_identities(site, [HUBOT, OCTOCAT]) == {
        HUBOT: "github_user:480938",
        OCTOCAT: "github_user:583231",
    }
    with pytest.raises(PrerequisiteError, match="GitHub knows no user nobody"):
        resolve_identities(site, [Identity("github_user", "nobody")])


def test_members_cannot_be_known_before_anybody_came(rancher, vault):
    site = site_of(rancher, vault)
    secure(site, github())

    with pytest.raises(PrerequisiteError, match="run configure-rancher"):
        resolve_identities(site, [HUBOT])


@pytest.mark.parametrize(
    ("first", "then", "sentence"),
    [
        pytest.param(LOCAL, github(), "is localAuthConfig, and .* says github", id="to GitHub"),
        pytest.param(github(), LOCAL, "is githubconfig, and .* says local", id="to local"),
    ],
)
def test_another_provider_is_refused_before_anything_is_written(
    rancher, vault, first, then, sentence
):
    site = site_of(rancher, vault)
    come(rancher, site, first)
    rancher.world.journal.clear()

    [fault] = find_access_faults(site, then)
    with pytest.raises(PrerequisiteError, match=sentence) as caught:
        secure(site, then)

    assert str(caught.value) == fault
    assert rancher.writes() == []


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [
        pytest.param({}, "has no client_id and no client_secret", id="empty"),
        pytest.param({"client_id": "x", "client_secret": ""}, "has no client_secret:", id="half"),
    ],
)
def test_a_secret_without_the_application_is_found_before_anything_is_written(
    rancher, vault, kept, sentence
):
    vault.write(SECRET, kept)
    site = site_of(rancher, vault)

    [fault] = find_access_faults(site, github())

    assert sentence in fault
    assert SECRET in fault
    assert rancher.writes() == []


def test_a_right_wish_has_no_faults(rancher, vault):
    site = site_of(rancher, vault)

    assert find_access_faults(site, github()) == find_access_faults(site, LOCAL) == []


def test_what_people_changed_by_hand_is_put_right(rancher, vault):
    site = site_of(rancher, vault)
    come(rancher, site, github())
    site.administrator().set_setting("api.auth.access.mode", "unrestricted")

    steps, _ = secure(site, github())

    assert [(step.what, step.did) for step in steps] == [("access control", Did.CHANGED)]
    assert_open_to_acme(rancher, site)


def test_secrets_are_in_nobodys_words(rancher, vault, caplog):
    caplog.set_level("DEBUG", logger="corral")
    site = site_of(rancher, vault)
    come(rancher, site, github())
    token = vault.read("lab/rancher/people")["access_token"]

    assert token
    assert token not in caplog.text
    assert CLIENT_SECRET not in caplog.text
    assert read_admin_key(vault, "lab").secret_key not in caplog.text
