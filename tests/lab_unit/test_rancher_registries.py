"""Registries and the logins there."""

import pytest
from gdapi import ApiError
from rancher_lab import RancherLab

SCOPED = "/v2-beta/projects/1a5"
SECRET = "correct horse"


@pytest.fixture(scope="module")
def rancher(tmp_path_factory):
    lab = RancherLab(tmp_path_factory.mktemp("rancher"))
    lab.start_server(environment={"CATTLE_OBJECT_REMOVE_TIME_DELAY_SECONDS": "86400"})
    yield lab
    lab.close()


@pytest.fixture
def client(rancher):
    return rancher.project_client()


def create_registry(client, address):
    return client.wait_success(client.create_registry(serverAddress=address))


def create_login(client, registry, secret=SECRET):
    made = client.create_registryCredential(
        registryId=registry.id, publicValue="robot", secretValue=secret
    )
    return client.wait_success(made)


def remove(client, row):
    return client.wait_success(client.delete(client.wait_success(row.deactivate())))


def test_a_registry_and_its_login_become_active(client):
    registry = create_registry(client, "one.example.com")
    login = create_login(client, registry)

    assert (registry.state, registry.id[:3]) == ("active", "1sp")
    assert (login.state, login.registryId, login.publicValue) == ("active", registry.id, "robot")


@pytest.mark.parametrize("address", ["two.example.com", "TWO.example.com"])
def test_an_address_is_used_once_in_an_environment(rancher, address):
    rancher.post(f"{SCOPED}/registries", {"serverAddress": "two.example.com"})

    answer = rancher.post(f"{SCOPED}/registries", {"serverAddress": address})

    assert (answer.status_code, answer.json()["code"]) == (400, "ServerAddressUsed")


def test_another_environment_may_use_the_same_address(rancher, client):
    create_registry(client, "three.example.com")
    other = rancher.client().wait_success(rancher.client().create_project(name="other"))

    registry = create_registry(rancher.project_client(other.id), "three.example.com")

    assert registry.accountId == other.id


def test_an_address_is_free_again_once_its_registry_is_removed(client):
    registry = create_registry(client, "four.example.com")

    removed = remove(client, registry)

    assert removed.state == "removed"
    assert create_registry(client, "four.example.com").id != registry.id


def test_a_registry_that_is_only_deactivated_keeps_its_address(client):
    registry = create_registry(client, "five.example.com")
    client.wait_success(registry.deactivate())

    with pytest.raises(ApiError) as refusal:
        client.create_registry(serverAddress="five.example.com")

    assert refusal.value.error.code == "ServerAddressUsed"


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "MissingRequired", "serverAddress"),
        ({"serverAddress": ""}, "MinLengthExceeded", "serverAddress"),
    ],
)
def test_a_registry_without_an_address_is_refused(rancher, body, code, field):
    answer = rancher.post(f"{SCOPED}/registries", body)

    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["fieldName"]) == (code, field)


def test_a_login_for_a_registry_elsewhere_is_refused(rancher):
    admin = rancher.client()
    other = admin.wait_success(admin.create_project(name="elsewhere"))
    registry = create_registry(rancher.project_client(other.id), "six.example.com")

    answer = rancher.post(f"{SCOPED}/registrycredentials", {"registryId": registry.id})

    assert (answer.status_code, answer.json()["code"]) == (422, "InvalidReference")


def test_a_password_is_in_the_answer_to_its_creation_only(rancher, client):
    registry = create_registry(client, "seven.example.com")
    body = {"registryId": registry.id, "publicValue": "robot", "secretValue": SECRET}

    made = rancher.post(f"{SCOPED}/registrycredentials", body).json()
    client.wait_success(client.by_id_registryCredential(made["id"]))
    path = f"{SCOPED}/registrycredentials/{made['id']}"
    later = [rancher.get(path), rancher.request("PUT", path, json={"secretValue": "new"})]

    assert made["secretValue"] == SECRET
    assert [answer.json()["secretValue"] for answer in later] == [None, None]


def test_a_login_is_rotated_in_place(rancher, client):
    login = create_login(client, create_registry(client, "eight.example.com"))
    path = f"{SCOPED}/registrycredentials/{login.id}"

    answer = rancher.request("PUT", path, json={"publicValue": "AWS", "secretValue": "fresh"})

    stored = rancher.cluster.store.credentials.get(int(login.id.removeprefix("1c")))
    assert (answer.status_code, answer.json()["state"]) == (200, "active")
    assert (stored.public_value, stored.secret_value) == ("AWS", "fresh")


def test_logins_are_found_by_their_registry(client):
    registry = create_registry(client, "nine.example.com")
    login = create_login(client, registry)
    create_login(client, create_registry(client, "ten.example.com"))

    found = client.list_registryCredential(registryId=registry.id)

    assert [one.id for one in found] == [login.id]


def test_logins_go_when_their_registry_is_purged_and_not_before(rancher, client):
    registry = create_registry(client, "eleven.example.com")
    login = create_login(client, registry)

    removed = remove(client, registry)
    assert client.reload(login).state == "active"
    client.wait_success(removed.purge())

    rancher.wait_for(lambda: client.reload(login).state == "removed", "the login's removal")


def test_an_active_registry_is_not_removed_at_once(rancher, client):
    registry = create_registry(client, "twelve.example.com")

    answer = rancher.request("DELETE", f"{SCOPED}/registries/{registry.id}")

    assert answer.status_code == 405


@pytest.mark.parametrize("kind", ["registries", "registrycredentials"])
def test_without_an_environment_registries_are_only_read(rancher, kind):
    assert rancher.get(f"/v2-beta/{kind}").status_code == 200
    assert rancher.post(f"/v2-beta/{kind}", {}).status_code == 405
