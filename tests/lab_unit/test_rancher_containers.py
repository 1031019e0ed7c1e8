"""Containers on hosts: where they run, how an evacuation moves them, what ends with a host."""

import pytest
from rancher_lab import RancherLab

SCOPED = "/v2-beta/projects/1a5"
ONE_BY_ONE = 300.0


@pytest.fixture
def rancher(tmp_path):
    lab = RancherLab(tmp_path, scale=ONE_BY_ONE)
    lab.start_server()
    yield lab
    lab.close()


def _seed(rancher, hosts, phantoms=0):
    return [one.host_id for one in rancher.call(rancher.cluster.seed_herd, hosts, phantoms)]


def _serve(rancher, name, scale):
    account = rancher.cluster.store.accounts.where("uuid", "adminProject")[0]
    rancher.call(rancher.cluster.services.plant, account, name, scale)


def _on(rancher, host_id, **parameters):
    answer = rancher.get(f"{SCOPED}/hosts/{host_id}/instances", params=parameters)
    assert answer.status_code == 200
    return answer.json()["data"]


def _running(rancher, host_id):
    return [one["name"] for one in _on(rancher, host_id) if one["state"] == "running"]


def _state(rancher, host_id):
    return rancher.get(f"{SCOPED}/hosts/{host_id}").json()["state"]


def _contain(rancher, name, **fields):
    return rancher.post(f"{SCOPED}/containers", {"name": name, **fields}).json()


def test_a_container_runs_on_the_host_that_was_asked_for(rancher):
    _, wanted = _seed(rancher, 2)

    made = _contain(rancher, "db", imageUuid="docker:mysql", requestedHostId=wanted)
    assert made["state"] == "creating"
    rancher.wait_for(lambda: _running(rancher, wanted) == ["db"])

    (shown,) = _on(rancher, wanted)
    assert (shown["type"], shown["baseType"], shown["hostId"]) == ("container", "instance", wanted)
    assert (shown["imageUuid"], shown["system"]) == ("docker:mysql", False)
    assert rancher.get(f"{SCOPED}/hosts/{wanted}").json()["instanceIds"] == [made["id"]]


def test_a_container_that_finds_no_host_is_an_error(rancher):
    (only,) = _seed(rancher, 1, 1)

    made = _contain(rancher, "lost", requestedHostId=only)

    path = f"{SCOPED}/containers/{made['id']}"
    rancher.wait_for(lambda: rancher.get(path).json()["state"] == "error")


def test_a_running_container_is_stopped_before_it_is_removed(rancher):
    (host,) = _seed(rancher, 1)
    path = f"{SCOPED}/containers/{_contain(rancher, 'web')['id']}"
    rancher.wait_for(lambda: _running(rancher, host) == ["web"])

    assert rancher.request("DELETE", path).status_code == 405
    assert rancher.post(f"{path}?action=stop").status_code == 202
    rancher.wait_for(lambda: rancher.get(path).json()["state"] == "stopped")
    assert rancher.request("DELETE", path).status_code == 200
    rancher.wait_for(lambda: _on(rancher, host) == [])


def test_the_instances_of_a_host_come_in_pages_and_filtered(rancher):
    (host,) = _seed(rancher, 1)
    _serve(rancher, "web", 3)
    rancher.wait_for(lambda: len(_running(rancher, host)) == 3)

    page = rancher.get(f"{SCOPED}/hosts/{host}/instances?limit=2").json()
    assert len(page["data"]) == 2
    assert f"/hosts/{host}/instances?limit=2&marker=" in page["pagination"]["next"]
    rest = rancher.get(page["pagination"]["next"].removeprefix(rancher.url())).json()
    assert [one["name"] for one in rest["data"]] == ["web-3"]
    assert _on(rancher, host, name="web-1")[0]["name"] == "web-1"
    assert rancher.get(f"{SCOPED}/hosts/{host}").json()["links"]["instances"].endswith("/instances")


def test_a_new_host_gets_what_runs_on_every_host(rancher):
    machine = rancher.machine("i-new")
    rancher.join(machine, {"aws.instance_id": "i-new"})
    rancher.wait_for(lambda: rancher.host(machine) and rancher.host(machine)["state"] == "active")

    found = _on(rancher, rancher.host(machine)["id"])

    agent = next(one for one in found if one["name"] == "rancher-agent")
    assert agent["labels"] == {"io.rancher.container.system": "rancher-agent"}
    assert (agent["system"], agent["nativeContainer"]) == (False, True)
    assert all(one["system"] for one in found if one is not agent)
    assert len(found) == 4


def test_the_agents_own_container_cannot_be_deleted(rancher):
    machine = rancher.machine("i-new")
    rancher.join(machine, {"aws.instance_id": "i-new"})
    rancher.wait_for(lambda: rancher.host(machine) and rancher.host(machine)["state"] == "active")
    found = _on(rancher, rancher.host(machine)["id"])
    agent = next(one for one in found if one["name"] == "rancher-agent")

    answer = rancher.request("DELETE", f"{SCOPED}/containers/{agent['id']}")

    assert (answer.status_code, answer.json()["code"]) == (422, "ActionNotAvailable")
    assert set(agent["actions"]) == set()


def test_an_evacuation_moves_a_service_to_other_hosts_and_keeps_the_systems_containers(rancher):
    machine = rancher.machine("i-full")
    rancher.join(machine, {"aws.instance_id": "i-full"})
    rancher.wait_for(lambda: rancher.host(machine) and rancher.host(machine)["state"] == "active")
    full = rancher.host(machine)["id"]
    _serve(rancher, "web", 2)
    rancher.wait_for(lambda: sum(name.startswith("web") for name in _running(rancher, full)) == 2)
    (empty,) = _seed(rancher, 1)

    assert rancher.post(f"{SCOPED}/hosts/{full}?action=evacuate").status_code == 200
    rancher.wait_for(lambda: _state(rancher, full) == "inactive")
    assert any(one["name"].startswith("web") for one in _on(rancher, full))

    rancher.wait_for(lambda: len(_running(rancher, empty)) == 2)
    rancher.wait_for(lambda: not any(n["name"].startswith("web") for n in _on(rancher, full)))
    assert len(_running(rancher, full)) == 4


def test_a_silent_agent_holds_an_evacuation_up_until_it_is_given_up(rancher):
    machine = rancher.machine("i-silent")
    rancher.join(machine, {"aws.instance_id": "i-silent"})
    rancher.wait_for(lambda: rancher.host(machine) and rancher.host(machine)["state"] == "active")
    silent = rancher.host(machine)["id"]
    _serve(rancher, "web", 1)
    rancher.wait_for(lambda: len(_running(rancher, silent)) == 5)
    rancher.crash_agent(machine)

    rancher.post(f"{SCOPED}/hosts/{silent}?action=evacuate")
    rancher.wait_for(lambda: _states_of(rancher, silent, "web") == ["stopping"])
    assert rancher.host(machine)["agentState"] == "active"
    rancher.wait_for(lambda: _states_of(rancher, silent, "web") == [])
    assert rancher.host(machine)["agentState"] in ("reconnecting", "disconnected")


def _states_of(rancher, host_id, service):
    found = _on(rancher, host_id)
    return [one["state"] for one in found if one["name"].startswith(service)]


def test_what_ran_on_a_removed_host_runs_elsewhere_and_no_sooner(rancher):
    (lost,) = _seed(rancher, 1)
    _serve(rancher, "web", 1)
    rancher.wait_for(lambda: _running(rancher, lost) == ["web-1"])
    (other,) = _seed(rancher, 1)

    rancher.post(f"{SCOPED}/hosts/{lost}?action=deactivate")
    rancher.wait_for(lambda: _state(rancher, lost) == "inactive")
    assert _running(rancher, lost) == ["web-1"]
    assert _on(rancher, other) == []
    rancher.request("DELETE", f"{SCOPED}/hosts/{lost}")

    rancher.wait_for(lambda: _running(rancher, other) == ["web-2"])


def test_services_are_shown_with_their_scale(rancher):
    _seed(rancher, 1)
    _serve(rancher, "web", 2)

    (service,) = rancher.get(f"{SCOPED}/services").json()["data"]

    assert (service["name"], service["scale"], service["currentScale"]) == ("web", 2, 2)
    assert service["instanceIds"] == ["1i1", "1i2"]


def _removed(rancher):
    rows = rancher.call(rancher.cluster.stored_hosts)
    return {row["id"] for row in rows if row["removed"]}


def test_an_environments_own_delay_misses_hosts_that_were_lost_before_it_was_set(tmp_path):
    """The setting of all environments gives a date to what has none, that of one does not."""
    lab = RancherLab(tmp_path, scale=1000.0)
    try:
        lab.start_server(environment={"CATTLE_HOST_REMOVE_DELAY_STARTUP_SECONDS": "1"})
        (before,) = _seed(lab, 1, 1)
        machine = lab.machine("i-later")
        lab.join(machine, {"aws.instance_id": "i-later"})
        lab.wait_for(lambda: lab.host(machine) and lab.host(machine)["agentState"] == "active")
        answer = lab.request("PUT", "/v2-beta/projects/1a5", json={"hostRemoveDelaySeconds": 60})
        assert answer.json()["hostRemoveDelaySeconds"] == 60

        lab.crash_agent(machine)

        lab.wait_for(lambda: lab.host(machine)["id"] in _removed(lab))
        assert before not in _removed(lab)
    finally:
        lab.close()


def test_rancher_removes_no_host_right_after_its_start(tmp_path):
    lab = RancherLab(tmp_path, scale=1000.0)
    try:
        lab.start_server(environment={"CATTLE_HOST_REMOVE_DELAY_SECONDS": "0"})
        _seed(lab, 1, 1)
        started = lab.world.loop.time()

        lab.wait_for(lambda: _removed(lab))

        assert lab.world.loop.time() - started > 0.85
    finally:
        lab.close()
