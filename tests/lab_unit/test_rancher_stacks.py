"""Stacks: from files to services, their health, and their upgrades."""

import time

import pytest
from rancher_lab import RancherLab

from lab.rancher.health import (
    ACTIVE_SERVICE,
    DEGRADED,
    HEALTHY,
    INITIALIZING,
    UNHEALTHY,
    overall_health,
    service_health,
)

SCOPED = "/v2-beta/projects/1a5"
COMPOSE = "web:\n  image: nginx:{tag}\n  labels:\n    color: ${{color}}\n"
CHECKED = "web:\n  scale: 2\n  health_check:\n    port: 80\n"


@pytest.fixture(scope="module")
def rancher(tmp_path_factory):
    lab = RancherLab(tmp_path_factory.mktemp("rancher"))
    lab.start_server()
    lab.call(lab.cluster.seed_herd, 2)
    yield lab
    lab.close()


@pytest.fixture(autouse=True)
def no_faults(rancher):
    yield
    rancher.world.faults.clear()


@pytest.fixture
def client(rancher):
    return rancher.project_client()


@pytest.fixture
def empty(rancher):
    """Return a client of an environment without hosts."""
    admin = rancher.client()
    return rancher.project_client(admin.wait_success(admin.create_project(name="empty")).id)


def deploy(client, name, compose=None, **fields):
    files = {"dockerCompose": compose or COMPOSE.format(tag="1"), "environment": {"color": "red"}}
    return client.create_stack(name=name, **{**files, "startOnCreate": True, **fields})


def upgrade(client, stack, tag="2", **fields):
    files = {"dockerCompose": COMPOSE.format(tag=tag), "externalId": f"catalog://x:y:{tag}"}
    return client.action(stack, "upgrade", **{**files, "environment": {"color": "blue"}, **fields})


def services_of(client, stack):
    return client.list_service(stackId=stack.id, sort="id").data


def shown(rancher, kind, row):
    """Return a row as the API writes it, and not as the client wraps it."""
    return rancher.get(f"{SCOPED}/{kind}/{row.id}").json()


def wait_state(rancher, client, stack, state):
    return rancher.wait_for(
        lambda: (now := client.reload(stack)).state == state and now, f"the state {state}"
    )


def wait_service(rancher, client, stack, state):
    """Wait for the first service: a stack does not wait for those that are not to start."""
    rancher.wait_for(lambda: services_of(client, stack)[0].state == state, f"a service {state}")


def test_a_stack_becomes_active_with_its_services_and_then_healthy(rancher, client):
    stack = deploy(client, "first")
    assert (stack.state, stack.transitioning, stack.id[:3]) == ("activating", "yes", "1st")

    stack = client.wait_success(stack)

    (service,) = services_of(client, stack)
    assert (stack.state, stack.healthState, stack.serviceIds) == ("active", "healthy", [service.id])
    assert (service.name, service.state, service.healthState) == ("web", "active", "healthy")
    config = shown(rancher, "services", service)["launchConfig"]
    assert config == {"imageUuid": "docker:nginx:1", "labels": {"color": "red"}, "environment": {}}


def test_containers_are_named_for_stack_and_service(rancher, client):
    stack = client.wait_success(deploy(client, "named"))

    (service,) = services_of(client, stack)
    container = shown(rancher, "containers", client.by_id_container(service.instanceIds[0]))
    assert container["name"].startswith("named-web-")
    assert container["labels"]["io.rancher.stack_service.name"] == "named/web"


def test_a_stack_that_is_to_start_goes_on_activating_without_hosts(rancher, empty):
    stack = deploy(empty, "waiting")

    rancher.wait_for(lambda: services_of(empty, stack), "the service")
    stack = empty.reload(stack)

    assert (stack.state, stack.healthState) == ("activating", "unhealthy")
    assert services_of(empty, stack)[0].state in ("registering", "inactive", "activating")


def test_a_stack_that_is_not_to_start_is_active_and_unhealthy(rancher, client):
    stack = client.wait_success(deploy(client, "idle", startOnCreate=False))

    assert (stack.state, stack.healthState) == ("active", "unhealthy")
    wait_service(rancher, client, stack, "inactive")


def test_services_are_activated_and_deactivated_by_the_stacks_actions(rancher, client):
    stack = client.wait_success(deploy(client, "switched", startOnCreate=False))
    wait_service(rancher, client, stack, "inactive")

    client.action(stack, "activateservices")
    rancher.wait_for(lambda: client.reload(stack).healthState == "healthy", "health")
    client.action(stack, "deactivateservices")

    wait_service(rancher, client, stack, "inactive")


def test_a_service_whose_containers_were_not_checked_yet_is_initializing(rancher, client):
    stack = client.wait_success(deploy(client, "checked", rancherCompose=CHECKED))
    (service,) = services_of(client, stack)
    for container in service.instanceIds:
        row = rancher.cluster.store.instances.get(int(container.removeprefix("1i")))
        row.running_since = time.time() + 60

    assert client.reload(stack).healthState == "initializing"


@pytest.mark.parametrize(
    ("scale", "running", "health"),
    [
        (0, [], HEALTHY),
        (1, [], UNHEALTHY),
        (2, [HEALTHY, HEALTHY], HEALTHY),
        (2, [HEALTHY, INITIALIZING], INITIALIZING),
        (2, [HEALTHY, UNHEALTHY], DEGRADED),
        (2, [HEALTHY], DEGRADED),
        (2, [UNHEALTHY, UNHEALTHY], UNHEALTHY),
    ],
)
def test_a_service_is_as_healthy_as_its_running_containers(scale, running, health):
    assert service_health(scale, running) == health


@pytest.mark.parametrize(
    ("parts", "health"),
    [
        ([], HEALTHY),
        ([("active", HEALTHY), ("upgraded", HEALTHY)], HEALTHY),
        ([("active", HEALTHY), ("active", INITIALIZING)], INITIALIZING),
        ([("active", HEALTHY), ("active", UNHEALTHY)], DEGRADED),
        ([("inactive", HEALTHY)], UNHEALTHY),
        ([("removing", UNHEALTHY), ("active", HEALTHY)], HEALTHY),
    ],
)
def test_a_stack_is_as_healthy_as_its_services(parts, health):
    assert overall_health(parts, ACTIVE_SERVICE) == health


@pytest.mark.parametrize(("times", "health"), [(1, "degraded"), (None, "unhealthy")])
def test_a_fault_in_the_health_check_shows_in_the_stacks_health(rancher, client, times, health):
    stack = client.wait_success(deploy(client, f"sick-{health}", rancherCompose=CHECKED))
    rancher.wait_for(lambda: client.reload(stack).healthState == "healthy", "health")
    match = {"operation": "health check", "service": "web"}

    rancher.world.faults.add(
        {"target": "rancher", "match": match, "effect": {"status": 503}, "times": times}
    )

    assert services_of(client, stack)[0].healthState == health


def test_a_container_that_does_not_start_keeps_its_stack_from_being_healthy(rancher, client):
    rule = {
        "target": "rancher",
        "match": {"operation": "process instance.start"},
        "effect": {"delay_s": 60},
    }
    rancher.world.faults.add(rule)

    stack = deploy(client, "held")
    rancher.wait_for(lambda: services_of(client, stack), "the service")

    assert client.reload(stack).healthState == "unhealthy"
    rancher.world.faults.clear()
    assert client.wait_success(stack).healthState == "healthy"


@pytest.mark.parametrize(
    ("compose", "reason"),
    [("web: [", "parse"), ("web:\n  command: run\n", "no image"), ("- web", "no mapping")],
)
def test_files_that_make_no_services_end_in_an_error(rancher, client, compose, reason):
    stack = deploy(client, f"broken-{reason.replace(' ', '-')}", compose)

    stack = wait_state(rancher, client, stack, "error")

    assert stack.transitioning == "error"
    assert reason in stack.transitioningMessage


def test_a_stack_without_files_is_active_and_healthy(client):
    stack = client.wait_success(client.create_stack(name="nothing"))

    assert (stack.state, stack.healthState, stack.serviceIds) == ("active", "healthy", [])


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("taken", "NotUnique"),
        ("TAKEN", "NotUnique"),
        ("-front", "InvalidCharacters"),
        ("back-", "InvalidCharacters"),
        ("under_score", "InvalidCharacters"),
        ("n" * 64, "MaxLengthExceeded"),
        ("", "MinLengthExceeded"),
        (None, "MissingRequired"),
    ],
)
def test_a_name_that_cannot_be_is_refused(rancher, name, code):
    rancher.post(f"{SCOPED}/stacks", {"name": "taken"})

    answer = rancher.post(f"{SCOPED}/stacks", {"name": name} if name is not None else {})

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["fieldName"] == "name"


def test_the_name_of_a_removed_stack_is_free_again(client):
    client.wait_success(client.delete(client.wait_success(deploy(client, "again"))))

    assert client.wait_success(deploy(client, "again")).state == "active"


def test_an_upgrade_goes_through_upgraded_to_active(rancher, client):
    stack = client.wait_success(deploy(client, "rising", externalId="catalog://x:y:1"))
    (before,) = services_of(client, stack)

    stack = upgrade(client, stack)
    assert stack.state == "upgrading"
    stack = wait_state(rancher, client, stack, "upgraded")
    assert (stack.externalId, stack.previousExternalId) == ("catalog://x:y:2", "catalog://x:y:1")
    assert services_of(client, stack)[0].state == "upgraded"
    assert stack.healthState == "healthy"

    stack = client.action(stack, "finishupgrade")
    assert stack.state == "finishing-upgrade"
    stack = wait_state(rancher, client, stack, "active")
    (after,) = services_of(client, stack)
    config = shown(rancher, "services", after)["launchConfig"]
    assert (config["imageUuid"], config["labels"]) == ("docker:nginx:2", {"color": "blue"})
    assert shown(rancher, "stacks", stack)["environment"] == {"color": "blue"}
    assert stack.previousExternalId is None
    assert set(after.instanceIds).isdisjoint(before.instanceIds)


def test_an_upgrade_is_rolled_back_to_what_there_was(rancher, client):
    stack = client.wait_success(deploy(client, "falling", externalId="catalog://x:y:1"))
    stack = wait_state(rancher, client, upgrade(client, stack), "upgraded")

    stack = wait_state(rancher, client, client.action(stack, "rollback"), "active")

    (service,) = services_of(client, stack)
    assert stack.externalId == "catalog://x:y:1"
    assert shown(rancher, "stacks", stack)["environment"] == {"color": "red"}
    assert (service.state, service.launchConfig.imageUuid) == ("active", "docker:nginx:1")
    rancher.wait_for(lambda: client.reload(stack).healthState == "healthy", "health")


def test_an_upgrade_may_bring_services_and_leaves_others_alone(rancher, client):
    stack = client.wait_success(deploy(client, "growing"))
    more = COMPOSE.format(tag="1") + "side:\n  image: busybox\n"

    stack = upgrade(client, stack, dockerCompose=more, environment={"color": "red"})
    stack = wait_state(rancher, client, stack, "upgraded")

    states = {one.name: one.state for one in services_of(client, stack)}
    assert states == {"web": "active", "side": "active"}


def test_an_upgrade_that_fails_stays_upgrading_and_says_why(rancher, client):
    stack = client.wait_success(deploy(client, "stuck"))
    rule = {
        "target": "rancher",
        "match": {"operation": "compose stack.upgrade", "name": "stuck"},
        "effect": {"body": "no such template"},
        "times": 1,
    }
    rancher.world.faults.add(rule)

    upgrade(client, stack)
    stack = rancher.wait_for(
        lambda: (now := client.reload(stack)).transitioning == "error" and now, "the error"
    )
    assert (stack.state, stack.transitioningMessage) == ("upgrading", "no such template")

    stack = wait_state(rancher, client, client.action(stack, "cancelupgrade"), "canceled-upgrade")
    assert wait_state(rancher, client, upgrade(client, stack), "upgraded").transitioning == "no"


def test_a_failed_upgrade_is_rolled_back(rancher, client):
    stack = client.wait_success(deploy(client, "restored"))
    upgrade(client, stack, dockerCompose="web: [")
    rancher.wait_for(lambda: client.reload(stack).transitioning == "error", "the error")

    stack = wait_state(rancher, client, client.action(client.reload(stack), "rollback"), "active")

    assert stack.transitioning == "no"
    assert shown(rancher, "stacks", stack)["environment"] == {"color": "red"}


@pytest.mark.parametrize("action", ["finishupgrade", "rollback", "cancelupgrade"])
def test_an_action_is_refused_in_the_wrong_state(rancher, client, action):
    stack = client.wait_success(deploy(client, f"calm-{action}"))

    answer = rancher.post(f"{SCOPED}/stacks/{stack.id}?action={action}")

    assert (answer.status_code, answer.json()["code"]) == (422, "ActionNotAvailable")
    assert action not in shown(rancher, "stacks", stack)["actions"]


@pytest.mark.parametrize("action", ["activate", "deactivate"])
def test_a_stack_itself_is_neither_activated_nor_deactivated(rancher, client, action):
    stack = client.wait_success(client.create_stack(name=f"plain-{action}"))

    answer = rancher.post(f"{SCOPED}/stacks/{stack.id}?action={action}")

    assert (answer.status_code, answer.json()["code"]) == (422, "InvalidAction")


def test_a_stack_is_removed_from_active_with_its_services_and_containers(rancher, client):
    stack = client.wait_success(deploy(client, "leaving"))
    (service,) = services_of(client, stack)

    removed = client.wait_success(client.delete(stack))

    assert removed.state == "removed"
    rancher.wait_for(lambda: client.reload(service).state == "removed", "the service's removal")
    container = client.by_id_container(service.instanceIds[0])
    rancher.wait_for(lambda: client.reload(container).state == "removed", "the container's")


def test_files_do_not_change_by_a_put_but_name_and_description_do(rancher, client):
    stack = client.wait_success(client.create_stack(name="puttable"))
    body = {"description": "new", "dockerCompose": "x", "environment": {"a": "b"}}

    answer = rancher.request("PUT", f"{SCOPED}/stacks/{stack.id}", json=body).json()

    assert (answer["description"], answer["dockerCompose"]) == ("new", None)


def test_an_owner_makes_infrastructure_and_an_environments_key_does_not(rancher, client):
    key = rancher.environment_key()
    keyed = rancher.client(f"{SCOPED}/schemas", key)

    assert client.create_stack(name="by-owner", system=True).system is True
    assert keyed.create_stack(name="by-key", system=True).system is False


def test_without_an_environment_stacks_are_only_read(rancher):
    assert rancher.get("/v2-beta/stacks").status_code == 200
    assert rancher.post("/v2-beta/stacks", {"name": "nowhere"}).status_code == 405


def test_a_stack_of_another_environment_is_not_found(client, empty):
    stack = client.create_stack(name="private")

    assert empty.by_id_stack(stack.id) is None
