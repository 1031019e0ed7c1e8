"""What the client makes of the answers about access control by GitHub."""

from datetime import timedelta
from typing import Any

import pytest
import responses
import stamina
from responses import matchers

from corral.clients.rancher import Patience, RancherClient, Site
from corral.clients.rancher.access import NotReadyError
from corral.clients.rancher.set_up import admit
from corral.cluster import GithubAccess
from corral.domain.set_up.access import Application
from corral.domain.set_up.identities import Identity, KnownIdentity
from corral.errors import CodeRefusedError, PrerequisiteError, RancherUnreachableError

URL = "https://rancher.example.com"
AUTH = f"{URL}/v1-auth"
TOKEN = "gho_hush"
OCTOCAT = {"externalId": "1", "externalIdType": "github_user", "login": "octocat", "user": True}
ACME = {"externalId": "2", "externalIdType": "github_org", "login": "acme"}
OPS = {
    "externalId": "3",
    "externalIdType": "github_team",
    "login": "ops",
    "profileUrl": "https://github.com/orgs/Acme/teams/ops",
}
ANSWER = {"type": "token", "identities": [OCTOCAT, ACME, OPS], "AccessToken": TOKEN}
WISH = GithubAccess(kind="github", organizations=("acme",), secret="lab/rancher/github")


class Drawer:
    """A vault in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {
            WISH.secret: {"client_id": "id", "client_secret": "hush"},
            "lab/rancher/admin": {"access_key": "a", "secret_key": "b"},
        }

    def read(self, name: str) -> Any:
        return self.kept.get(name)

    def version(self, name: str) -> str:
        return str(self.kept.get(name))

    def write(self, name: str, value: Any) -> None:
        self.kept[name] = dict(value)


@pytest.fixture(autouse=True)
def _quick_retries():
    with stamina.set_testing(True, attempts=1):
        yield


@pytest.fixture
def answers():
    with responses.RequestsMock() as mock:
        yield mock


def refuse(message: str) -> dict[str, Any]:
    return {"status": 500, "json": {"type": "error", "status": "500", "message": message}}


def site(vault: Drawer) -> Site:
    patience = Patience(deadline=timedelta(seconds=5), interval=timedelta(seconds=0.01))
    return Site("lab", vault, public_url=URL, reached_at=URL, patience=patience)


def test_a_code_is_exchanged_for_who_gave_it(answers):
    answers.post(
        f"{AUTH}/token", json=ANSWER, match=[matchers.json_params_matcher({"code": "c0de"})]
    )

    person = RancherClient(URL).spend_code("c0de")

    assert person.user == KnownIdentity("github_user", "1", "octocat")
    assert [known.identity for known in person.identities] == [
        Identity("github_user", "octocat"),
        Identity("github_org", "acme"),
        Identity("github_team", "acme/ops"),
    ]
    assert (person.access_token, TOKEN in repr(person)) == (TOKEN, False)


@pytest.mark.parametrize(
    ("message", "error", "sentence"),
    [
        pytest.param(
            "Received Error from github bad_verification_code, description from github The code",
            CodeRefusedError,
            "does not take this code",
            id="code",
        ),
        pytest.param(
            "Received Error from github incorrect_client_credentials, description from github x",
            PrerequisiteError,
            "no OAuth application",
            id="application",
        ),
        pytest.param("No auth provider configured", NotReadyError, "No auth", id="not ready"),
        pytest.param('Post "https://github.com": EOF', RancherUnreachableError, "EOF", id="else"),
    ],
)
def test_what_github_has_against_a_code_has_a_class_for_each_reaction(
    answers, message, error, sentence
):
    answers.post(f"{AUTH}/token", **refuse(message))

    with pytest.raises(error, match=sentence) as caught:
        RancherClient(URL).spend_code("c0de")

    assert type(caught.value) is error
    assert "c0de" not in str(caught.value)


def test_a_server_that_has_not_heard_of_the_application_is_asked_again(answers):
    answers.post(f"{AUTH}/token", **refuse("No auth provider configured"))
    answers.post(f"{AUTH}/token", json=ANSWER)
    vault = Drawer()

    assert str(admit(site(vault), WISH, "c0de")) == "octocat of GitHub: created"
    assert vault.kept["lab/rancher/people"] == {
        "application": "",
        "login": "octocat",
        "user_id": "1",
        "access_token": TOKEN,
        "github_org acme": "github_org:2",
    }


def test_nothing_is_remembered_of_somebody_who_is_not_let_in(answers):
    answers.post(f"{AUTH}/token", json={**ANSWER, "identities": [OCTOCAT]})
    vault = Drawer()

    with pytest.raises(CodeRefusedError, match=r"octocat is in none of .*organization acme"):
        admit(site(vault), WISH, "c0de")

    assert "lab/rancher/people" not in vault.kept


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"type": "collection"}, id="no list"),
        pytest.param({"type": "collection", "data": None}, id="Go's empty list"),
    ],
)
def test_a_token_that_github_takes_no_longer_belongs_to_nobody(answers, body):
    answers.get(
        f"{AUTH}/me/identities",
        json=body,
        match=[matchers.header_matcher({"X-API-AUTH-HEADER": f"Bearer {TOKEN}"})],
    )

    assert RancherClient(URL).identities_of(TOKEN) == []


def test_access_control_is_switched_on_with_the_whole_address_of_enterprise(answers):
    saved = answers.post(f"{AUTH}/config", json={"type": "config"})

    application = Application("id", "hush", "git.acme.io")
    RancherClient(URL).save_github_access(application, "required", {"github_org:2"})

    assert matchers.json_params_matcher(
        {
            "type": "config",
            "provider": "githubconfig",
            "enabled": True,
            "accessMode": "required",
            "allowedIdentities": [{"externalIdType": "github_org", "externalId": "2"}],
            "githubConfig": {
                "hostname": "git.acme.io",
                "scheme": "https://",
                "clientId": "id",
                "clientSecret": "hush",
            },
        }
    )(saved.calls[0].request) == (True, "")
