"""The stand-in for GitHub, on its port and by the lever."""

import asyncio
import threading
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from aiohttp import web

from lab.github import CLIENT_ID, CLIENT_SECRET, UnreachableError, application
from lab.lever import Lever
from lab.world import World

PATIENCE_S = 10


class Nobody:
    """Has no machines and no hosts."""


class Served:
    """A world with GitHub and the lever on ports."""

    def __init__(self, root):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.world = World(1000.0, root, self.loop)
        self._runners = []
        self.github = self._run(self._serve(application(self.world.github)))
        lever = Lever(self.world, Nobody(), Nobody())
        self.lever = self._run(self._serve(lever.application()))

    async def _serve(self, app):
        runner = web.AppRunner(app)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE_S)

    def code(self, user, **body):
        answer = requests.post(f"{self.lever}/github/codes", json={"user": user, **body}, timeout=5)
        assert answer.status_code == 201
        return answer.json()["code"]

    def exchange(self, code, client_id=CLIENT_ID, client_secret=CLIENT_SECRET):
        form = {"client_id": client_id, "client_secret": client_secret, "code": code}
        url = f"{self.github}/login/oauth/access_token"
        return requests.post(url, data=form, timeout=5)

    def get(self, path, token=""):
        headers = {"Authorization": f"token {token}"}
        return requests.get(f"{self.github}{path}", headers=headers, timeout=5)

    def close(self):
        for runner in self._runners:
            self._run(runner.cleanup())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE_S)
        self.loop.close()


@pytest.fixture
def served(tmp_path):
    served = Served(tmp_path)
    yield served
    served.close()


@pytest.fixture
def token(served):
    return served.exchange(served.code("octocat")).json()["access_token"]


def test_a_code_is_exchanged_for_a_token(served):
    answer = served.exchange(served.code("octocat"))

    assert answer.status_code == 200
    granted = answer.json()
    assert (granted["token_type"], granted["scope"]) == ("bearer", "read:org")
    assert served.get("/user", granted["access_token"]).json()["login"] == "octocat"


def test_a_wrong_used_or_expired_code_is_an_error_with_status_200(served):
    used = served.code("octocat")
    served.exchange(used)

    for code in ("nonsense", used, served.code("octocat", expired=True)):
        answer = served.exchange(code)
        assert (answer.status_code, answer.json()["error"]) == (200, "bad_verification_code")


@pytest.mark.parametrize("wrong", [{"client_id": "x"}, {"client_secret": "x"}])
def test_wrong_credentials_of_the_application_do_not_use_a_code_up(served, wrong):
    code = served.code("octocat")

    answer = served.exchange(code, **wrong)

    assert (answer.status_code, answer.json()["error"]) == (200, "incorrect_client_credentials")
    assert "access_token" in served.exchange(code).json()


def test_a_token_shows_its_users_organisations_and_teams(served, token):
    (organisation,) = served.get("/user/orgs", token).json()
    (team,) = served.get("/user/teams", token).json()

    assert (organisation["login"], organisation["id"]) == ("acme", 9919)
    assert "name" not in organisation
    assert (team["slug"], team["organization"]["login"]) == ("ops", "acme")


def test_who_is_in_nothing_has_no_organisations(served):
    token = served.exchange(served.code("stranger")).json()["access_token"]

    assert served.get("/user/orgs", token).json() == []
    assert served.get("/user/teams", token).json() == []


@pytest.mark.parametrize(
    ("path", "login"),
    [
        ("/users/stranger", "stranger"),
        ("/users/acme", "acme"),
        ("/orgs/acme", "acme"),
        ("/user/9919", "acme"),
        ("/api/v3/user/583231", "octocat"),
    ],
)
def test_accounts_are_found_by_login_and_number(served, token, path, login):
    assert served.get(path, token).json()["login"] == login


@pytest.mark.parametrize(
    "path", ["/orgs/octocat", "/orgs/nowhere", "/users/nobody", "/user/1", "/teams/1", "/nonsense"]
)
def test_what_is_not_there_is_not_found(served, token, path):
    answer = served.get(path, token)

    assert (answer.status_code, answer.json()["message"]) == (404, "Not Found")


def test_a_token_that_was_taken_back_is_worth_nothing(served, token):
    served.world.github.revoke("octocat")

    for path in ("/user", "/user/orgs", "/orgs/acme"):
        answer = served.get(path, token)
        assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")


def test_the_page_to_log_in_on_goes_back_with_a_code(served):
    query = {"client_id": CLIENT_ID, "state": "s", "login": "octocat", "redirect_uri": "http://r/x"}
    url = f"{served.github}/login/oauth/authorize"

    answer = requests.get(url, params=query, timeout=5, allow_redirects=False)

    assert answer.status_code == 302
    back = urlsplit(answer.headers["Location"])
    given = parse_qs(back.query)
    assert (back.netloc, given["state"]) == ("r", ["s"])
    assert "access_token" in served.exchange(given["code"][0]).json()
    unknown = requests.get(url, params=query | {"client_id": "x"}, timeout=5)
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"user": "nobody"}, 404),
        ({}, 400),
        ({"user": "octocat", "expired": "yes"}, 400),
        ({"user": "octocat", "nonsense": 1}, 400),
    ],
)
def test_the_lever_makes_codes_for_those_whom_github_knows(served, body, status):
    answer = requests.post(f"{served.lever}/github/codes", json=body, timeout=5)

    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_fault_reaches_github_on_its_port(served, token):
    rule = {"target": "github", "match": {"operation": "GET /user/orgs"}, "effect": {"status": 500}}
    served.world.faults.add(rule)

    assert served.get("/user/orgs", token).status_code == 500
    assert served.get("/user", token).status_code == 200


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://github.com/user", "unsupported protocol scheme"),
        ("https://github.example.com/user", "no such host"),
    ],
)
def test_github_is_at_its_own_addresses_only(served, url, complaint):
    with pytest.raises(UnreachableError, match=complaint):
        served.world.github.visit("GET", url)


def test_a_list_comes_in_pages(served):
    token = served.exchange(served.code("hubot")).json()["access_token"]

    first = served.get("/user/orgs?per_page=1", token)
    second = served.world.github.visit("GET", first.links["next"]["url"], token)

    assert [one["login"] for one in first.json()] == ["acme"]
    assert [one["login"] for one in second.document] == ["initech"]
    assert second.next_page is None
