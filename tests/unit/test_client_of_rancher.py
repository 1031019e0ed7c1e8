"""What the client makes of Rancher's answers, and of none."""

import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses
import stamina
from responses import matchers

from corral.clients.rancher import RancherClient
from corral.domain.gate import Member
from corral.domain.set_up.keys import KeyPair
from corral.errors import (
    RancherAnswerError,
    RancherConflictError,
    RancherError,
    RancherGoneError,
    RancherRefusedError,
    RancherUnreachableError,
)

DATA = Path(__file__).parents[1] / "data" / "rancher"
URL = "https://rancher.example.com"
API = f"{URL}/v2-beta"


def rows(name: str) -> list[dict]:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def page(data: list[dict], following: str | None = None) -> dict:
    return {"type": "collection", "data": data, "pagination": {"next": following}}


def problem(status: int, code: str, **more: str) -> dict:
    return {"type": "error", "status": status, "code": code, "message": None, "detail": None} | more


@pytest.fixture(autouse=True)
def _quick_retries():
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture
def answers():
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def rancher():
    return RancherClient(URL, KeyPair("ACCESS", "hidden"))


def test_only_the_environments_own_hosts_are_returned(answers, rancher):
    answers.get(f"{API}/projects/1a7/hosts", json=page(rows("hosts")))

    hosts = rancher.hosts("1a7")

    assert [(h.id, h.name, h.instance_id, h.is_active) for h in hosts] == [
        ("1h5", "ip-10-42-64-23.ec2.internal", "i-0web1", True)
    ]


def test_pages_are_read_to_the_end_without_leaving_for_another_host(answers, rancher):
    first, second = rows("hosts")
    elsewhere = "http://evil.example.com/v2-beta/projects/1a7/hosts?limit=3000&marker=m1"
    answers.get(
        f"{API}/projects/1a7/hosts",
        json=page([first], elsewhere),
        match=[matchers.query_param_matcher({"limit": "3000"})],
    )
    answers.get(
        f"{API}/projects/1a7/hosts",
        json=page([{**second, "accountId": "1a7"}]),
        match=[matchers.query_param_matcher({"limit": "3000", "marker": "m1"})],
    )

    assert [host.id for host in rancher.hosts("1a7")] == ["1h5", "1h6"]


def test_pages_in_a_circle_are_an_error(answers, rancher):
    answers.get(f"{API}/projects/1a7/hosts", json=page([], f"{API}/projects/1a7/hosts?marker=m1"))

    with pytest.raises(RancherAnswerError, match="circle"):
        rancher.hosts("1a7")


def test_members_are_known_by_the_address_they_advertise(answers, rancher):
    answers.get(f"{API}/clustermemberships", json=page(rows("clustermemberships")))

    assert rancher.members() == (
        Member(
            "10.42.64.11",
            clustered=True,
            heartbeat=datetime(2026, 11, 2, 3, 4, 5, tzinfo=UTC),
            id="1cm1",
        ),
        Member(
            "10.42.80.12",
            clustered=True,
            heartbeat=datetime(2026, 11, 2, 3, 4, 3, tzinfo=UTC),
            id="1cm2",
        ),
    )


def test_members_of_a_dead_cluster_are_what_was_answered_instead(answers, rancher):
    answers.get(f"{API}/clustermemberships", status=502, body="<html>Bad Gateway</html>")

    assert rancher.members() == "502 Bad Gateway"


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        pytest.param(200, "pong\n", "200 pong", id="good"),
        pytest.param(200, "hello", "200 hello", id="somebody else"),
        pytest.param(503, "busy", "503 busy", id="no target"),
    ],
)
def test_a_ping_is_told_as_it_was_answered(answers, rancher, status, body, said):
    answers.get(f"{URL}/ping", status=status, body=body)

    assert rancher.ping() == said


def test_a_ping_that_nobody_answers_is_told_in_plain_words():
    nobody = RancherClient("http://127.0.0.1:9", attempts=1)

    assert nobody.ping() == "no connection, connection refused"


def test_the_version_is_read_even_from_a_refusal(answers):
    answers.get(API, status=401, headers={"X-Rancher-Version": "v1.6.30"})

    assert RancherClient(URL).version() == "v1.6.30"
    assert RancherClient(URL).server_version() == "v1.6.30"


def test_what_comes_instead_of_a_version_is_none(answers):
    answers.get(API, status=502)

    assert "without a version" in RancherClient(URL).version()
    with pytest.raises(RancherUnreachableError, match="asked for its version, answered 502"):
        RancherClient(URL).server_version()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RancherAnswerError),
        (401, RancherRefusedError),
        (403, RancherRefusedError),
        (404, RancherGoneError),
        (405, RancherConflictError),
        (409, RancherConflictError),
        (422, RancherConflictError),
        (429, RancherUnreachableError),
        (500, RancherUnreachableError),
        (503, RancherUnreachableError),
    ],
)
def test_errors_are_told_apart_by_what_a_caller_can_do(answers, rancher, status, kind):
    answers.get(
        f"{API}/settings/api.host", status=status, json=problem(status, "Some", detail="why")
    )

    with pytest.raises(RancherError, match=f"answered {status}: Some, why") as caught:
        rancher.setting("api.host")

    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.code) == (status, "Some")


def test_the_auth_services_status_in_words_does_no_harm(answers, rancher):
    answers.get(
        f"{API}/settings/api.host", status=401, json={"type": "error", "status": "401", "code": 1}
    )

    with pytest.raises(RancherRefusedError):
        rancher.setting("api.host")


def test_a_read_is_tried_again_while_nobody_answers(answers, rancher):
    answers.get(f"{API}/projects", body=requests.ConnectionError("reset"))
    answers.get(f"{API}/projects", json=page([{"id": "1a5", "name": "Default", "state": "active"}]))

    assert [project.id for project in rancher.projects()] == ["1a5"]


def test_a_write_is_sent_once(answers, rancher):
    sent = answers.post(f"{API}/apikeys", status=503)

    with pytest.raises(RancherUnreachableError):
        rancher.create_key("1a1", "corral:x", "for a test")

    assert sent.call_count == 1


def test_a_redirect_is_not_followed_with_our_key(answers, rancher):
    answers.get(
        f"{API}/projects", status=302, headers={"Location": "https://elsewhere.example.com"}
    )

    with pytest.raises(RancherAnswerError, match="answered 302"):
        rancher.projects()


def test_a_page_that_is_no_json_is_an_error(answers, rancher):
    answers.get(f"{API}/projects", body="<html>", content_type="text/html")

    with pytest.raises(RancherAnswerError, match=r"no JSON object \(text/html\): is this Rancher"):
        rancher.projects()


def test_what_makes_no_sense_is_named_but_never_quoted(answers, rancher):
    answers.post(f"{API}/apikeys", status=201, json={"type": "apiKey", "secretValue": "s3cret"})

    with pytest.raises(
        RancherAnswerError, match=r"POST .*/apikeys answered 201 with an answer without sense: id"
    ) as caught:
        rancher.create_key("1a1", "corral:x", "for a test")

    assert "s3cret" not in f"{caught.value} {caught.value.__cause__}"


def test_a_strangers_request_carries_no_credentials(answers, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine rancher.example.com login me password mine\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    answers.get(f"{API}/projects", json=page([]))

    RancherClient(URL).is_accepted()

    assert "Authorization" not in answers.calls[0].request.headers


def test_a_key_is_really_looked_at_even_while_access_control_is_off(answers, rancher):
    answers.get(
        f"{API}/projects",
        status=401,
        match=[matchers.header_matcher({"X-ENFORCE-AUTHENTICATION": "true"})],
    )

    assert not rancher.is_accepted()


def test_the_administrator_is_the_oldest_admin_account(answers, rancher):
    accounts = [
        {"id": "1a12", "kind": "admin", "state": "active"},
        {"id": "1a3", "kind": "project", "state": "active"},
        {"id": "1a2", "kind": "admin", "state": "active"},
        {"id": "1a1", "kind": "admin", "state": "purged"},
    ]
    answers.get(f"{API}/accounts", json=page(accounts))

    assert rancher.admin_account_id() == "1a2"


def test_a_template_counts_once_it_is_active(answers, rancher):
    templates = [
        {"id": "1pt1", "name": "Kubernetes", "state": "active"},
        {"id": "1pt2", "name": "Cattle", "state": "activating"},
    ]
    answers.get(f"{API}/projecttemplates", json=page(templates))

    assert rancher.template_id("Cattle") is None


def test_keys_of_other_accounts_are_left_out(answers, rancher):
    born = {"created": "2026-03-01T10:00:00Z"}
    listed = [{"id": "1c1", "accountId": "1a1", **born}, {"id": "1c2", "accountId": "1a7", **born}]
    answers.get(f"{API}/apikeys", json=page(listed))

    assert [key.id for key in rancher.api_keys("1a7")] == ["1c2"]


def test_nothing_secret_is_logged(answers, rancher, caplog):
    caplog.set_level("DEBUG")
    born = "2026-03-01T10:00:00Z"
    made = {"id": "1c1", "created": born, "publicValue": "ACCESS2", "secretValue": "s3cret"}
    answers.post(f"{API}/apikeys", status=201, json=made)
    answers.post(f"{API}/localauthconfigs", status=201, json={"password": "passw0rd"})

    rancher.create_key("1a1", "corral:x", "for a test")
    rancher.switch_on_local_access_control("admin", "passw0rd")

    assert "POST /v2-beta/apikeys: done" in caplog.text
    assert not [word for word in ("s3cret", "passw0rd", "hidden") if word in caplog.text]


def test_every_page_is_asked_for_at_its_largest(answers, rancher):
    answers.get(f"{API}/apikeys", json=page([]))

    rancher.api_keys()

    query = parse_qs(urlsplit(answers.calls[0].request.url).query)
    assert query["limit"] == ["3000"]
