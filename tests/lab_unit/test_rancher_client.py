"""Rancher's own Python client, unmodified, over HTTP."""

import pytest
from gdapi import ApiError
from rancher_lab import RancherLab


@pytest.fixture(scope="module")
def rancher(tmp_path_factory):
    lab = RancherLab(tmp_path_factory.mktemp("rancher"))
    lab.start_server()
    lab.call(lab.cluster.seed_herd, 7, 2)
    yield lab
    lab.close()


@pytest.mark.parametrize("version", ["v1", "v2-beta"])
def test_the_client_finds_the_types_and_the_default_environment(rancher, version):
    client = rancher.client(f"/{version}")

    assert {"host", "project", "apiKey", "setting"} <= set(client.schema.types)
    assert [project.uuid for project in client.list_project()] == ["adminProject"]


def test_an_environment_made_by_the_client_becomes_active(rancher):
    client = rancher.client()

    project = client.create_project(name="staging", description="for trials")

    assert project.state == "registering"
    assert client.wait_success(project).state == "active"
    assert client.list_project(name="STAGING").data[0].id == project.id


def test_a_keys_secret_is_shown_in_the_answer_to_its_creation_only(rancher):
    client = rancher.client()

    key = client.create_apiKey(name="once")

    assert key.state == "registering"
    assert len(key.publicValue) == 20
    assert len(key.secretValue) == 40
    assert client.wait_success(key).secretValue is None


def test_a_registration_token_has_its_text_once_it_is_active(rancher):
    client = rancher.project_client()

    token = client.create_registrationToken()
    assert (token.state, token.token, token.registrationUrl) == ("registering", None, None)

    token = client.wait_success(token)
    assert token.state == "active"
    assert token.registrationUrl == rancher.url(f"/v1/scripts/{token.token}")
    assert token.command.endswith(f"{token.image} {token.registrationUrl}")


def test_a_host_is_deactivated_removed_and_purged_by_the_clients_methods(rancher):
    client = rancher.project_client()
    host = client.list_host(limit=1, sort="id", order="desc").data[0]

    host = client.action(host, "deactivate")
    assert host.state == "deactivating"
    host = client.wait_success(host)
    assert host.state == "inactive"
    host = client.delete(host)
    assert host.state == "removing"
    host = client.wait_success(host)

    assert host.removed is not None
    rancher.wait_for(lambda: client.reload(host).state == "purged")
    assert host.id not in [other.id for other in client.list_host()]


def test_labels_put_by_the_client_replace_the_whole_map(rancher):
    client = rancher.project_client()
    host = client.list_host().data[0]

    client.update(host, labels={"role": "crawler"})

    rancher.wait_for(lambda: client.reload(host).state == "active")
    assert vars(client.reload(host).labels) == {"role": "crawler"}


def test_pages_are_followed_by_their_next_link(rancher):
    client = rancher.client()

    page = client.list_host(limit=3)
    ids = [host.id for host in page]
    while page.pagination.next:
        page = page.next()
        ids += [host.id for host in page]

    assert len(ids) == len(set(ids)) >= 6


def test_a_link_leads_to_the_agent(rancher):
    client = rancher.client()
    host = client.list_host(agentState="disconnected").data[0]

    assert host.agent().state == "disconnected"


def test_what_is_not_there_is_none_by_id(rancher):
    client = rancher.client()

    assert client.by_id_host("1h9999") is None
    assert client.by_id_host("nonsense") is None


def test_settings_are_made_changed_and_reset(rancher):
    client = rancher.client()

    setting = client.create_setting(name="some.name", value="one")
    assert (setting.value, setting.source, setting.inDb) == ("one", "Database", True)
    assert client.update(setting, value="two").value == "two"
    client.delete(setting)

    assert client.by_id_setting("some.name").value is None


def test_errors_reach_the_client_with_code_and_field(rancher):
    client = rancher.project_client()

    with pytest.raises(ApiError) as refused:
        client.create_externalHostEvent(deleteHost=True)

    assert refused.value.error.status == 422
    assert refused.value.error.code == "MissingRequired"
    assert refused.value.error.fieldName == "eventType"


def test_a_removed_row_is_purged_at_a_random_moment_within_ten_minutes(rancher):
    client = rancher.project_client()
    host = client.list_host().data[0]
    client.wait_success(client.action(host, "deactivate"))
    client.wait_success(client.delete(host))

    rows = {row["id"]: row for row in rancher.call(rancher.cluster.stored_hosts)}

    lab_seconds = rows[host.id]["removeTime"] - rows[host.id]["removed"]
    assert 0 <= lab_seconds <= rancher.world.seconds(600)


def test_an_environment_goes_with_its_hosts_and_keys(rancher):
    client = rancher.client()
    project = client.wait_success(client.create_project(name="short-lived"))
    rancher.call(rancher.cluster.seed_herd, 2, 0, "short-lived")
    key = rancher.environment_key(project.id)

    removed = client.delete(project)

    assert removed.state == "deactivating"
    rancher.wait_for(lambda: client.by_id_project(project.id).removed)
    hosts = rancher.call(rancher.cluster.stored_hosts)
    own = [host for host in hosts if host["accountId"] == project.id]
    rancher.wait_for(lambda: all(host["removed"] for host in _stored(rancher, project.id)))
    assert len(own) == 2
    keys = client.list_apiKey(publicValue=key[0]).data
    assert keys == [] or keys[0].state != "active"


def _stored(rancher, project_id):
    rows = rancher.call(rancher.cluster.stored_hosts)
    return [row for row in rows if row["accountId"] == project_id]
