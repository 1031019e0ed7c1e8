"""Verbs, actions and codes."""

import pytest
from rancher_lab import RancherLab

ADMIN = "/v2-beta"
SCOPED = "/v2-beta/projects/1a5"
ACTIVE, INACTIVE, REMOVED = "1h1", "1h2", "1h3"


@pytest.fixture(scope="module")
def rancher(tmp_path_factory):
    lab = RancherLab(tmp_path_factory.mktemp("rancher"))
    lab.start_server(environment={"CATTLE_OBJECT_HOST_REMOVE_TIME_DELAY_SECONDS": "86400"})
    lab.call(lab.cluster.seed_herd, 12)
    client = lab.project_client()
    for host_id in (INACTIVE, REMOVED):
        client.wait_success(client.action(client.by_id_host(host_id), "deactivate"))
    client.wait_success(client.delete(client.by_id_host(REMOVED)))
    yield lab
    lab.close()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"{SCOPED}/hosts/{ACTIVE}", 200, None),
        ("GET", f"{SCOPED}/hosts/{REMOVED}", 200, None),
        ("GET", f"{SCOPED}/hosts/1h999", 404, "Not Found"),
        ("GET", f"{SCOPED}/hosts/h1", 404, "Not Found"),
        ("GET", f"{SCOPED}/nothings", 404, "Not Found"),
        ("GET", "/v3", 404, "Not Found"),
        ("DELETE", f"{SCOPED}/hosts/{ACTIVE}", 405, "Method not allowed"),
        ("DELETE", f"{SCOPED}/hosts/{REMOVED}", 200, None),
        ("DELETE", f"{ADMIN}/hosts/{INACTIVE}", 405, "Method not allowed"),
        ("POST", f"{SCOPED}/hosts", 405, "Method not allowed"),
        ("POST", f"{ADMIN}/registrationtokens", 405, "Method not allowed"),
        ("DELETE", f"{SCOPED}/registrationtokens/1c1", 405, "Method not allowed"),
        ("PUT", f"{SCOPED}/hosts/{REMOVED}", 200, None),
        ("POST", f"{SCOPED}/hosts/{ACTIVE}?action=explode", 422, "InvalidAction"),
        ("POST", f"{SCOPED}/hosts?action=deactivate", 422, "InvalidAction"),
        ("POST", f"{SCOPED}/hosts/{ACTIVE}?action=activate", 422, "ActionNotAvailable"),
        ("POST", f"{SCOPED}/hosts/{ACTIVE}?action=remove", 422, "ActionNotAvailable"),
        ("POST", f"{SCOPED}/hosts/{ACTIVE}?action=purge", 422, "ActionNotAvailable"),
        ("POST", f"{SCOPED}/hosts/{ACTIVE}?action=upgrade", 404, "Not Found"),
        ("POST", f"{SCOPED}/hosts/{ACTIVE}?action=delete", 404, "Not Found"),
        ("POST", f"{SCOPED}/hosts/1h999?action=deactivate", 404, "Not Found"),
        ("POST", f"{SCOPED}/apikeys", 201, None),
    ],
)
def test_a_request_is_answered_with_its_code(rancher, method, path, status, code):
    answer = rancher.request(method, path, json={})

    assert answer.status_code == status
    assert answer.json().get("code") == code
    if code:
        assert answer.json()["type"] == "error"
        assert answer.json()["status"] == status


def test_a_process_action_is_accepted_and_an_action_with_a_handler_is_done(rancher):
    assert rancher.post(f"{SCOPED}/hosts/1h4?action=deactivate").status_code == 202
    assert rancher.post(f"{SCOPED}/hosts/1h5?action=evacuate").status_code == 200
    rancher.wait_for(lambda: _state(rancher, "1h5") == "inactive")


def test_a_put_that_starts_a_process_is_a_conflict_in_the_wrong_state(rancher):
    answer = rancher.request("PUT", f"{SCOPED}/hosts/{REMOVED}", json={"labels": {"a": "b"}})

    assert (answer.status_code, answer.json()["code"]) == (409, "Conflict")


def test_a_body_that_is_no_json_is_refused(rancher):
    answer = rancher.request("POST", f"{SCOPED}/apikeys", data="{not json")

    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidBodyContent")


def test_unknown_fields_are_dropped_silently(rancher):
    answer = rancher.post(
        f"{SCOPED}/apikeys", {"name": "plain", "colour": "red", "state": "active"}
    )

    assert answer.status_code == 201
    assert answer.json()["state"] == "registering"
    assert "colour" not in answer.json()


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"eventType": "host.evacuate", "hostId": "1h999"}, "InvalidReference", "hostId"),
        ({"hostId": ACTIVE}, "MissingRequired", "eventType"),
        ({"eventType": None}, "MissingRequired", "eventType"),
        ({"eventType": "e", "deleteHost": None}, "NotNullable", "deleteHost"),
        ({"eventType": "e", "name": "n" * 256}, "MaxLengthExceeded", "name"),
    ],
)
def test_a_wrong_field_is_refused_by_name(rancher, body, code, field):
    answer = rancher.post(f"{SCOPED}/externalhostevents", body)

    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["fieldName"]) == (code, field)


@pytest.mark.parametrize(
    ("host_id", "shown"),
    [
        (ACTIVE, {"delete", "upgrade", "deactivate", "update", "evacuate", "dockersocket"}),
        (
            INACTIVE,
            {"delete", "upgrade", "activate", "remove", "update", "evacuate", "dockersocket"},
        ),
        (REMOVED, {"delete", "upgrade", "purge"}),
    ],
)
def test_the_actions_shown_follow_the_stored_state(rancher, host_id, shown):
    assert set(rancher.get(f"{SCOPED}/hosts/{host_id}").json()["actions"]) == shown


def test_one_event_evacuates_removes_and_purges_by_label(rancher):
    label = rancher.get(f"{SCOPED}/hosts/1h7").json()["labels"]["aws.instance_id"]
    body = {
        "eventType": "host.evacuate",
        "hostLabel": f"aws.instance_id={label}",
        "deleteHost": True,
    }

    event = rancher.post(f"{SCOPED}/externalhostevents", body).json()
    assert event["state"] == "creating"

    rancher.wait_for(lambda: _event_state(rancher, event["id"]) == "created")
    assert _state(rancher, "1h7") in ("purging", "purged")
    assert _state(rancher, "1h8") == "active"


def test_an_event_of_another_kind_does_nothing(rancher):
    body = {"eventType": "host.notevacuate", "hostId": "1h9", "deleteHost": True}

    event = rancher.post(f"{SCOPED}/externalhostevents", body).json()

    rancher.wait_for(lambda: _event_state(rancher, event["id"]) == "created")
    assert _state(rancher, "1h9") == "active"


def _state(rancher, host_id):
    return rancher.get(f"{SCOPED}/hosts/{host_id}").json()["state"]


def _event_state(rancher, event_id):
    return rancher.get(f"{SCOPED}/externalhostevents/{event_id}").json()["state"]
