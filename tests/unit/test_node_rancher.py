"""What a host asks Rancher: its own row, and a way to register."""

import pytest
import requests
import responses
from corral_node.errors import GoneError, NotYetError, RefusedError
from corral_node.rancher import Found, Host, Rancher, Registration

URL = "https://rancher.example.org"
PROJECT = f"{URL}/v2-beta/projects/1a5"
ADDRESS = "10.0.0.7"
ACTIVE = {"state": "active", "image": "rancher/agent:v1.2.11", "registrationUrl": f"{URL}/v1/x"}


@pytest.fixture
def api():
    with responses.RequestsMock() as api:
        yield api


@pytest.fixture
def rancher():
    rancher = Rancher(URL, project_id="1a5", access_key="key", secret_key="s3cret")
    yield rancher
    rancher.close()


def rows(*data: dict, following: str | None = None) -> dict:
    return {"type": "collection", "data": list(data), "pagination": {"next": following}}


def host(host_id: str, instance_id: str, **more: object) -> dict:
    labels = {"aws.instance_id": instance_id}
    row = {"id": host_id, "state": "active", "labels": labels, "agentIpAddress": ADDRESS}
    return {**row, **more}


def test_a_host_is_found_by_its_instance_id(api, rancher):
    api.get(f"{PROJECT}/hosts", json=rows(host("1h1", "i-1"), host("1h2", "i-2")))

    assert rancher.find_host("i-2", ADDRESS) == Found(Host("1h2", "active", address=ADDRESS))


def test_further_pages_are_read_from_the_same_server_whatever_the_link_says(api, rancher):
    link = "http://10.0.0.1:8080/v2-beta/projects/1a5/hosts?marker=m2"
    api.get(f"{PROJECT}/hosts", json=rows({"id": "1h1", "labels": None}, following=link))
    api.get(
        f"{PROJECT}/hosts",
        json=rows(host("1h2", "i-2")),
        match=[responses.matchers.query_param_matcher({"marker": "m2"})],
    )

    assert rancher.find_host("i-2", ADDRESS) == Found(Host("1h2", "active", address=ADDRESS))


@pytest.mark.parametrize("more", [{"state": "removing"}, {"removed": "2026-01-01T00:00:00Z"}])
def test_a_host_on_its_way_out_does_not_count(api, rancher, more):
    api.get(f"{PROJECT}/hosts", json=rows(host("1h1", "i-1", **more)))

    assert rancher.find_host("i-1", ADDRESS) == Found()


def test_a_label_makes_no_host_this_machines_whose_address_is_another(api, rancher):
    stranger, nobody = host("1h9", "i-1", agentIpAddress="10.0.0.99"), host("1h8", "i-1")
    del nobody["agentIpAddress"]
    ours, older = host("1h7", "i-1"), host("1h6", "i-1")
    api.get(f"{PROJECT}/hosts", json=rows(stranger, nobody, ours, older))

    found = rancher.find_host("i-1", ADDRESS)

    assert found.host == Host("1h7", "active", address=ADDRESS)
    assert [one.id for one in found.strangers] == ["1h9", "1h8"]
    assert "wrong on 1h9 at 10.0.0.99, 1h8 at no address" in found.warning


def test_an_active_registration_is_used(api, rancher):
    waiting = {"state": "activating", "image": None, "registrationUrl": None}
    api.get(f"{PROJECT}/registrationtokens", json=rows(waiting, ACTIVE))

    assert rancher.registration() == Registration("rancher/agent:v1.2.11", f"{URL}/v1/x")


@pytest.mark.parametrize(
    "token", [{"state": "registering"}, {**ACTIVE, "registrationUrl": None}], ids=["state", "url"]
)
def test_a_registration_that_is_being_made_is_waited_for(api, rancher, token):
    api.get(f"{PROJECT}/registrationtokens", json=rows(token))

    with pytest.raises(NotYetError, match="not active yet"):
        rancher.registration()


@pytest.mark.parametrize("tokens", [[], [{**ACTIVE, "state": "inactive"}]], ids=["none", "off"])
def test_a_registration_is_asked_for_when_there_is_none(api, rancher, tokens):
    api.get(f"{PROJECT}/registrationtokens", json=rows(*tokens))
    api.post(f"{PROJECT}/registrationtokens", json={"state": "registering"}, status=201)

    with pytest.raises(NotYetError, match="was asked for"):
        rancher.registration()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param({"status": 503}, "answered 503 to GET /v2-beta/projects/1a5/hosts", id="503"),
        pytest.param({"status": 301, "headers": {"Location": "/x"}}, "answered 301", id="redirect"),
        pytest.param({"body": requests.ConnectionError()}, "does not answer", id="silent"),
        pytest.param({"body": "<html>"}, "did not answer with JSON", id="no-json"),
    ],
)
def test_a_server_that_is_not_ready_is_waited_for(api, rancher, answer, told):
    api.get(f"{PROJECT}/hosts", **answer)

    with pytest.raises(NotYetError, match=told) as caught:
        rancher.find_host("i-1", ADDRESS)
    assert not isinstance(caught.value, RefusedError)


@pytest.mark.parametrize("status", [401, 403])
def test_refused_keys_are_told_apart(api, rancher, status):
    api.get(f"{PROJECT}/hosts", status=status)

    with pytest.raises(RefusedError, match=str(status)):
        rancher.find_host("i-1", ADDRESS)


def test_a_host_is_read_by_its_id_with_what_it_offers(api, rancher):
    offered = {"evacuate": f"{PROJECT}/hosts/1h1?action=evacuate"}
    row = host("1h1", "i-1", state="inactive", agentState="active", actions=offered)
    api.get(f"{PROJECT}/hosts/1h1", json=row)

    assert rancher.host("1h1") == Host(
        "1h1", "inactive", "active", frozenset({"evacuate"}), address=ADDRESS
    )


def test_a_removed_host_says_so_and_a_forgotten_one_is_none(api, rancher):
    row = host("1h1", "i-1", state="removed", removed="2026-01-01T00:00:00Z")
    api.get(f"{PROJECT}/hosts/1h1", json=row)
    api.get(f"{PROJECT}/hosts/1h2", status=404)

    assert rancher.host("1h1").removed
    assert rancher.host("1h2") is None


def test_an_answer_that_is_no_host_is_waited_for(api, rancher):
    api.get(f"{PROJECT}/hosts/1h1", json={"type": "error"})

    with pytest.raises(NotYetError, match="a host without 'id'"):
        rancher.host("1h1")


def test_an_action_is_posted_within_the_environment(api, rancher):
    api.post(
        f"{PROJECT}/hosts/1h1",
        status=202,
        json={},
        match=[responses.matchers.query_param_matcher({"action": "evacuate"})],
    )

    rancher.act(Host("1h1", "active"), "evacuate")


@pytest.mark.parametrize(("status", "error"), [(409, NotYetError), (404, GoneError)])
def test_an_action_that_is_not_possible_any_more_is_decided_again(api, rancher, status, error):
    api.post(f"{PROJECT}/hosts/1h1", status=status)

    with pytest.raises(error, match=str(status)):
        rancher.act(Host("1h1", "active"), "evacuate")


@pytest.mark.parametrize(
    ("container", "is_busy"),
    [
        pytest.param({"state": "running"}, True, id="users"),
        pytest.param({"state": "stopping", "labels": None}, True, id="not-stopped-yet"),
        pytest.param({"state": "stopped"}, False, id="stopped"),
        pytest.param({"state": "running", "system": True}, False, id="ranchers"),
        pytest.param(
            {"state": "running", "labels": {"io.rancher.container.system": "true"}},
            False,
            id="ranchers-by-label",
        ),
    ],
)
def test_a_host_is_busy_while_containers_of_users_run(api, rancher, container, is_busy):
    api.get(f"{PROJECT}/hosts/1h1/instances", json=rows(container))

    assert rancher.is_busy(Host("1h1", "inactive")) is is_busy
