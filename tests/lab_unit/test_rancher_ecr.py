"""The stack that keeps logins to ECR fresh, from the catalog to the registry."""

import pytest
from moto.server import ThreadedMotoServer
from rancher_lab import RancherLab

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
TEMPLATE = "/v1-catalog/templates/library:infra*ecr:v2.0.1"


@pytest.fixture(scope="module")
def aws():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def rancher(tmp_path, aws):
    lab = RancherLab(tmp_path, scale=20_000.0)
    lab.world.aws_endpoint = aws
    lab.start_server()
    lab.call(lab.cluster.seed_herd, 1)
    lab.wait_for(lambda: lab.cluster.catalog_loaded, "the catalog")
    yield lab
    lab.close()


def launch(rancher, **answers):
    """Deploy the catalog's stack as a person would, and wait until it is healthy."""
    version = rancher.get(TEMPLATE).json()
    client = rancher.project_client()
    stack = client.create_stack(
        name="ecr",
        system=True,
        startOnCreate=True,
        externalId=f"catalog://{version['id']}",
        dockerCompose=version["files"]["docker-compose.yml.tpl"],
        rancherCompose=version["files"]["rancher-compose.yml"],
        environment=answers,
    )
    stack = client.wait_success(stack)
    assert (stack.state, stack.healthState) == ("active", "healthy")
    return client


def login_of(rancher, client, registry):
    (login,) = rancher.wait_for(lambda: client.list_registryCredential(registryId=registry.id).data)
    return rancher.cluster.store.credentials.get(int(login.id.removeprefix("1c")))


def test_a_registry_is_made_where_that_is_wanted(rancher):
    client = launch(rancher, auto_create="true")

    (registry,) = rancher.wait_for(lambda: client.list_registry(state="active").data, "a registry")

    login = login_of(rancher, client, registry)
    assert registry.serverAddress == HOST
    assert (login.public_value, login.secret_value) == ("AWS", "123456789012-auth-token")


def test_a_login_that_is_there_is_kept_fresh(rancher):
    client = rancher.project_client()
    registry = client.wait_success(client.create_registry(serverAddress=HOST))
    made = client.create_registryCredential(
        registryId=registry.id, publicValue="me", secretValue=""
    )
    client.wait_success(made)

    launch(rancher)
    login = login_of(rancher, client, registry)
    for _ in range(2):
        rancher.wait_for(lambda: login.secret_value == "123456789012-auth-token", "a password")
        login.secret_value = "stale"

    assert login.public_value == "AWS"


def test_a_registry_at_another_address_is_left_alone(rancher):
    client = rancher.project_client()
    other = client.wait_success(client.create_registry(serverAddress="other.example.com"))
    made = client.create_registryCredential(registryId=other.id, publicValue="me", secretValue="x")
    client.wait_success(made)

    launch(rancher, auto_create="true")
    rancher.wait_for(lambda: len(client.list_registry(state="active").data) == 2, "the other")

    assert login_of(rancher, client, other).secret_value == "x"
