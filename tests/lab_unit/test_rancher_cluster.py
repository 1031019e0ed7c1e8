"""Servers on one database: starting, membership, settings, websockets, faults."""

import itertools
import json
import socket
import time

import pytest
import requests
import websocket
from rancher_lab import RancherLab


@pytest.fixture
def rancher(tmp_path):
    lab = RancherLab(tmp_path, scale=200.0)
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    lab = RancherLab(tmp_path_factory.mktemp("rancher"))
    lab.start_server(environment={"CATTLE_API_HOST": "https://rancher.corral.test"})
    yield lab
    lab.close()


def _memberships(rancher, server=0):
    return rancher.get("/v2-beta/clustermemberships", server=server).json()["data"]


def test_connections_are_refused_until_the_server_is_up(rancher):
    server = rancher.start_server(wait=False)
    with socket.socket() as probe:
        assert probe.connect_ex(server.listen) != 0

    rancher.wait_for(server.is_up.is_set)

    assert rancher.get("/ping").text == "pong\n"


def test_servers_of_one_database_share_data_and_list_each_other(rancher):
    for number in range(3):
        rancher.start_server(f"10.77.0.{number + 1}")
    name = rancher.client().create_project(name="shared").name

    assert name in [
        row["name"] for row in rancher.get("/v2-beta/projects?all=true", server=2).json()["data"]
    ]
    members = _memberships(rancher, server=1)
    assert [member["uuid"] for member in members] == [f"10.77.0.{n}:9345" for n in (1, 2, 3)]
    assert all(member["clustered"] for member in members)
    assert json.loads(members[0]["config"]) == {
        "advertiseAddress": "10.77.0.1:9345",
        "httpPort": 8080,
        "clustered": True,
    }
    assert abs(members[0]["heartbeat"] / 1000 - time.time()) < 5


def test_a_stopped_server_is_refused_and_its_row_grows_stale_until_it_is_gone(rancher):
    rancher.start_server("10.77.0.1")
    rancher.start_server("10.77.0.2")
    rancher.run(rancher.servers[0].stop())

    with pytest.raises(requests.ConnectionError):
        rancher.get("/ping")
    assert len(_memberships(rancher, server=1)) == 2
    rancher.wait_for(lambda: len(_memberships(rancher, server=1)) == 1)


def test_a_new_server_waits_for_a_dead_master_to_be_forgotten(rancher):
    rancher.start_server("10.77.0.1")
    rancher.start_server("10.77.0.2")
    rancher.run(rancher.servers[0].stop())
    rancher.run(rancher.servers[1].stop())

    third = rancher.start_server("10.77.0.3", wait=False)
    rancher.wait_for(lambda: len(rancher.cluster.store.memberships) == 3)
    assert not third.is_up.is_set()

    rancher.wait_for(third.is_up.is_set)
    assert [row["uuid"] for row in _memberships(rancher, server=2)] == ["10.77.0.3:9345"]


def test_of_two_servers_on_an_empty_database_one_fails(rancher):
    lines = []
    rancher.start_server("10.77.0.1", wait=False)
    second = rancher.start_server("10.77.0.2", wait=False, say=lines.append)

    assert rancher.run(second.wait_exit()) == 1
    assert any("STARTUP FAILED" in line and "already exists" in line for line in lines)
    rancher.wait_for(rancher.servers[0].is_up.is_set)


def test_a_later_start_is_quicker_than_the_first(rancher):
    begin = time.monotonic()
    rancher.start_server("10.77.0.1")
    first = time.monotonic() - begin
    begin = time.monotonic()
    rancher.start_server("10.77.0.2")

    assert time.monotonic() - begin < first * 0.8


def test_a_migration_that_died_leaves_its_lock_which_can_be_released(rancher):
    first = rancher.start_server("10.77.0.1", wait=False)
    rancher.wait_for(lambda: rancher.cluster.migration.is_locked)
    rancher.run(first.stop())

    second = rancher.start_server("10.77.0.2", wait=False)
    assert rancher.run(second.wait_exit()) == 1

    rancher.start_server("10.77.0.3", environment={"CATTLE_DB_RELEASE_CHANGE_LOCK": "true"})
    assert rancher.get("/ping", server=2).status_code == 200


def test_a_server_whose_row_is_gone_ends(rancher):
    lines = []
    server = rancher.start_server(say=lines.append)

    rancher.call(lambda: [rancher.cluster.store.memberships.drop(row) for row in _rows(rancher)])

    assert rancher.run(server.wait_exit()) == 1
    assert any("FATAL: Exiting due to failed cluster check-in" in line for line in lines)


def _rows(rancher):
    return list(rancher.cluster.store.memberships)


def test_the_log_shows_variables_but_no_password(rancher):
    lines = []
    rancher.start_server(
        environment={"CATTLE_DB_CATTLE_PASSWORD": "s3cret", "CATTLE_DB_CATTLE_USERNAME": "u"},
        say=lines.append,
    )

    assert "CATTLE_DB_CATTLE_USERNAME=u" in lines
    assert not any("s3cret" in line for line in lines)


def test_templates_of_environments_come_some_time_after_the_first_start(rancher):
    rancher.start_server()
    query = "/v2-beta/projecttemplates?isPublic=true&name=Cattle"
    assert rancher.get(query).json()["data"] == []

    found = rancher.wait_for(lambda: rancher.get(query).json()["data"])

    assert found[0]["externalId"].startswith("catalog://library:project*cattle:")


def test_a_variable_wins_over_the_database_and_says_so(shared):
    answer = shared.request("PUT", "/v2-beta/settings/api.host", json={"value": "http://x"})

    assert answer.status_code == 200
    setting = shared.get("/v2-beta/settings/api.host").json()
    assert setting["activeValue"] == "https://rancher.corral.test"
    assert setting["source"] == "Environment Variables"
    assert setting["inDb"] is True
    listed = {one["name"]: one for one in shared.get("/v2-beta/settings").json()["data"]}
    assert listed["host.remove.delay.seconds"]["value"] == "-1"
    assert listed["host.remove.delay.seconds"]["source"] == "Code Packaged Defaults"


def test_the_configured_host_is_where_agents_register(shared):
    client = shared.project_client()
    token = client.wait_success(client.create_registrationToken())

    assert token.registrationUrl == f"https://rancher.corral.test/v1/scripts/{token.token}"
    script = shared.get(f"/v1/scripts/{token.token}")
    assert script.status_code == 200
    assert 'CATTLE_URL="https://rancher.corral.test/v1"' in script.text
    assert f'CATTLE_REGISTRATION_SECRET_KEY="{token.token}"' in script.text
    assert shared.get("/v1/scripts/a:1:b").status_code == 404


@pytest.mark.parametrize(
    "path", ["/v1/subscribe", "/v2-beta/subscribe", "/v2-beta/projects/1a5/subscribe"]
)
def test_a_websocket_opens_and_is_pinged(shared, path):
    url = shared.url(path).replace("http", "ws") + "?eventNames=resource.change"
    client = websocket.create_connection(url, timeout=5)

    assert client.getstatus() == 101
    names = (json.loads(client.recv())["name"] for _ in range(1000))
    pings = (name for name in names if name == "ping")
    assert len(list(itertools.islice(pings, 2))) == 2
    client.close()


def test_subscribers_hear_of_changes_in_their_environment(shared):
    url = shared.url("/v2-beta/projects/1a5/subscribe").replace("http", "ws")
    client = websocket.create_connection(url, timeout=5)
    client.recv()

    key = shared.post("/v2-beta/projects/1a5/apikeys").json()

    events = (json.loads(client.recv()) for _ in range(1000))
    changes = (event for event in events if event["name"] == "resource.change")
    change = next(event for event in changes if event["resourceType"] == "apiKey")
    client.close()
    assert change["resourceId"] == key["id"]
    assert change["data"]["resource"]["secretValue"] is None


def test_a_subscription_without_a_websocket_is_refused(shared):
    assert shared.get("/v2-beta/subscribe").status_code == 400


def test_calls_are_journaled_by_template_and_faults_answer_for_them(shared):
    shared.world.journal.clear()
    operation = "POST /v2-beta/projects/{id}/hosts/{id}?deactivate"
    shared.world.faults.add(
        {
            "target": "rancher",
            "match": {"operation": operation},
            "effect": {"status": 503},
            "times": 1,
        }
    )
    path = "/v2-beta/projects/1a5/hosts/1h1/?action=deactivate"

    assert shared.post(path).status_code == 503
    assert shared.post(path).status_code == 404
    shared.get("/ping")

    rows = {(row["operation"], row["status"]): row["count"] for row in shared.world.journal.rows()}
    assert rows == {(operation, 503): 1, (operation, 404): 1, ("GET /ping", 200): 1}


def test_a_fault_may_cut_the_connection(shared):
    shared.world.faults.add(
        {
            "target": "rancher",
            "match": {"operation": "GET /ping"},
            "effect": {"reset": True},
            "times": 1,
        }
    )

    with pytest.raises(requests.ConnectionError):
        shared.get("/ping")
    assert shared.get("/ping").status_code == 200


def _fail(rancher, path, **effect):
    match = {"operation": "GET /v2-beta/projects/{id}", "path": path}
    rule = {"target": "rancher", "match": match, "effect": effect, "times": 1}
    rancher.world.faults.add(rule)


PROJECT = "/v2-beta/projects/1a5"


def test_a_fault_may_answer_a_page_of_html(shared):
    _fail(shared, PROJECT, status=200, body="<html></html>", content_type="text/html")

    answer = shared.get(PROJECT)
    assert (answer.text, answer.headers["Content-Type"]) == (
        "<html></html>",
        "text/html; charset=utf-8",
    )


def test_a_fault_may_break_an_answer_off_in_the_middle(shared):
    _fail(shared, PROJECT, cut=True)

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        shared.get(PROJECT)
    assert shared.get(PROJECT).json()["id"] == "1a5"


def test_a_fault_may_send_an_answer_slowly(shared):
    _fail(shared, PROJECT, trickle_s=0.4)
    began = time.monotonic()

    assert shared.get(PROJECT).json()["id"] == "1a5"
    assert time.monotonic() - began >= 0.4


def test_a_fault_may_be_about_one_resource_of_one_environment(shared):
    match = {"operation": "GET /v2-beta/projects/{id}/hosts/{id}", "project": "1a5", "id": "1h8"}
    shared.world.faults.add(
        {"target": "rancher", "match": match, "effect": {"status": 503}, "times": 1}
    )

    assert shared.get(f"{PROJECT}/hosts/1h7").status_code == 404
    assert shared.get(f"{PROJECT}/hosts/1h8").status_code == 503


def test_a_clustered_server_waits_while_a_lone_one_uses_the_database(rancher):
    rancher.start_server("10.77.0.1", advertise=None)

    clustered = rancher.start_server("10.77.0.2", wait=False)
    rancher.wait_for(lambda: len(rancher.cluster.store.memberships) == 2)
    time.sleep(0.2)
    assert not clustered.is_up.is_set()

    rancher.run(rancher.servers[0].stop())
    rancher.wait_for(clustered.is_up.is_set)


def test_a_restarted_server_has_a_new_row_in_the_place_of_its_old_one(rancher):
    rancher.start_server("10.77.0.1")
    (before,) = _memberships(rancher)
    rancher.run(rancher.servers[0].stop())

    rancher.start_server("10.77.0.1")

    (after,) = _memberships(rancher, server=1)
    assert after["uuid"] == before["uuid"]
    assert int(after["id"].removeprefix("1cm")) > int(before["id"].removeprefix("1cm"))


def test_an_address_that_is_none_cannot_be_advertised(rancher):
    lines = []
    server = rancher.start_server("10.77.0.1", advertise="awslocal", wait=False, say=lines.append)

    assert rancher.run(server.wait_exit()) == 1
    assert "STARTUP FAILED" in lines[-1]
