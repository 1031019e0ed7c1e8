"""Agents: registering, being lost and found, being removed."""

import pytest
from rancher_lab import NAME, Machine, RancherLab

SCALE = 200.0


@pytest.fixture(scope="module")
def rancher(tmp_path_factory):
    lab = RancherLab(tmp_path_factory.mktemp("rancher"), scale=SCALE)
    lab.start_server("10.77.0.1")
    yield lab
    lab.close()


def _join(rancher, name, **variables):
    machine = rancher.machine(name)
    labels = {"role": "web & more", "aws.instance_id": name}
    code, lines = rancher.join(machine, labels, **variables)
    assert code == 0, lines
    rancher.wait_for(lambda: _states(rancher, machine) == ("active", "active"), name)
    return machine


def _states(rancher, machine):
    host = rancher.host(machine)
    return (host["state"], host["agentState"]) if host else None


def test_a_machine_joins_with_its_labels_and_address(rancher):
    machine = _join(rancher, "i-joins", CATTLE_AGENT_IP="10.77.1.1", CATTLE_HOSTNAME="joins")

    host = rancher.host(machine)
    assert host["hostname"] == "joins"
    assert host["agentIpAddress"] == "10.77.1.1"
    assert host["accountId"] == "1a5"
    assert host["labels"]["role"] == "web & more"
    assert host["labels"]["io.rancher.host.os"] == "linux"


def test_the_same_disk_comes_back_to_the_same_row_with_the_labels_of_old(rancher):
    machine = _join(rancher, "i-again")
    before = rancher.host(machine)
    rancher.crash_agent(machine)

    rancher.join(machine, {"aws.instance_id": "i-again", "role": "changed"})
    rancher.wait_for(lambda: _states(rancher, machine) == ("active", "active"))

    assert rancher.host(machine)["id"] == before["id"]
    assert rancher.host(machine)["labels"]["role"] == "web & more"


def test_a_dead_agent_reconnects_in_vain_and_ends_disconnected(rancher):
    machine = _join(rancher, "i-dies")
    rancher.crash_agent(machine)

    rancher.wait_for(lambda: _states(rancher, machine)[1] == "reconnecting")
    rancher.wait_for(lambda: _states(rancher, machine)[1] == "disconnected")

    host_id = rancher.host(machine)["id"]
    assert rancher.get(f"/v2-beta/hosts/{host_id}").json()["state"] == "disconnected"
    assert rancher.host(machine)["state"] == "active"


def test_a_partitioned_agent_comes_back_to_its_row(rancher):
    machine = _join(rancher, "i-parted")
    before = rancher.host(machine)["id"]
    agent, _ = rancher.agents[machine.instance_id]

    rancher.call(agent.partition, 100 / SCALE)
    rancher.wait_for(lambda: _states(rancher, machine)[1] == "reconnecting")
    rancher.wait_for(lambda: _states(rancher, machine)[1] == "active")

    assert rancher.host(machine)["id"] == before


def test_even_a_disconnected_agent_comes_back(rancher):
    machine = _join(rancher, "i-back")
    agent, _ = rancher.agents[machine.instance_id]

    rancher.call(agent.partition, 300 / SCALE)
    rancher.wait_for(lambda: _states(rancher, machine)[1] == "disconnected")
    rancher.wait_for(lambda: _states(rancher, machine)[1] == "active")


def test_deactivating_asks_no_agent_but_removing_a_silent_one_waits(tmp_path):
    lab = RancherLab(tmp_path, scale=SCALE)
    try:
        lab.start_server(environment={"CATTLE_AGENT_DISCONNECT_AFTER_SECONDS": "400"})
        machine = _join(lab, "i-silent")
        lab.crash_agent(machine)
        path = f"/v2-beta/projects/1a5/hosts/{lab.host(machine)['id']}"

        lab.post(f"{path}?action=deactivate")
        lab.wait_for(lambda: _states(lab, machine)[0] == "inactive")
        assert lab.request("DELETE", path).status_code == 200
        assert lab.get(path).json()["removed"] is None
        assert _states(lab, machine)[1] != "disconnected"

        lab.wait_for(lambda: lab.get(path).json()["removed"])
    finally:
        lab.close()


def test_the_agent_of_a_removed_host_is_refused(rancher):
    machine = _join(rancher, "i-removed")
    path = f"/v2-beta/projects/1a5/hosts/{rancher.host(machine)['id']}"
    rancher.post(f"{path}?action=deactivate")
    rancher.wait_for(lambda: _states(rancher, machine)[0] == "inactive")
    rancher.request("DELETE", path)

    rancher.wait_for(lambda: rancher.host(machine)["removed"])
    agent_id = rancher.host(machine)["agentId"]
    rancher.wait_for(lambda: rancher.get(f"/v2-beta/agents/{agent_id}").json()["removed"])

    refusal = ("GET /v1/subscribe", 401)
    rancher.wait_for(lambda: refusal in _calls(rancher))


def _calls(rancher):
    return {(row["operation"], row["status"]) for row in rancher.world.journal.rows()}


def test_an_agent_moves_to_another_server_when_its_own_dies(tmp_path):
    lab = RancherLab(tmp_path, scale=SCALE)
    try:
        lab.start_server("10.77.0.1", environment={"CATTLE_API_HOST": f"http://{NAME}"})
        lab.start_server("10.77.0.2", environment={"CATTLE_API_HOST": f"http://{NAME}"})
        machine = _join(lab, "i-moves")
        connection = lab.cluster.connections.get(1)

        lab.run(lab.servers[0].stop())

        lab.wait_for(lambda: lab.cluster.connections.get(1) is not connection)
        lab.wait_for(lambda: _states(lab, machine) == ("active", "active"))
        assert len(lab.get("/v2-beta/hosts", server=1).json()["data"]) == 1
    finally:
        lab.close()


@pytest.mark.parametrize(
    ("variables", "url", "reason"),
    [
        ({"CATTLE_AGENT_IP": "127.0.0.1"}, None, "loopback"),
        ({"CATTLE_AGENT_IP": "ten"}, None, "no IPv4 address"),
        ({}, "http://localhost:8080/v1/scripts/x", "the agent itself"),
    ],
)
def test_a_launcher_refuses_what_cannot_work(rancher, variables, url, reason):
    code, lines = rancher.join(rancher.machine("i-refused"), url=url, **variables)

    assert code == 1
    assert reason in lines[0]


def test_a_launcher_refuses_an_address_that_is_not_the_configured_one(tmp_path):
    lab = RancherLab(tmp_path, scale=SCALE)
    try:
        lab.start_server("10.77.0.1", environment={"CATTLE_API_HOST": f"http://{NAME}"})
        token = lab.registration_url().rpartition("/")[2]

        code, lines = lab.join(lab.machine("i-lost"), url=f"http://other.test/v1/scripts/{token}")

        assert code == 1
        assert "configured is rancher.corral.test" in lines[0]
    finally:
        lab.close()


def test_hosts_disconnected_for_too_long_are_removed_if_the_setting_says_so(tmp_path):
    lab = RancherLab(tmp_path, scale=1000.0)
    try:
        lab.start_server(environment={"CATTLE_HOST_REMOVE_DELAY_STARTUP_SECONDS": "1"})
        lab.call(lab.cluster.seed_herd, 5, 2)
        assert len(lab.get("/v2-beta/hosts").json()["data"]) == 5

        lab.request("PUT", "/v2-beta/settings/host.remove.delay.seconds", json={"value": "60"})

        lab.wait_for(lambda: len(lab.get("/v2-beta/hosts").json()["data"]) == 3)
        rows = lab.call(lab.cluster.stored_hosts)
        assert sum(row["removed"] is not None for row in rows) == 2
    finally:
        lab.close()


def test_machines_from_an_image_baked_after_registering_share_one_row(tmp_path):
    """Identity is what is on the disk, so that clones overwrite one another."""
    lab = RancherLab(tmp_path, scale=SCALE)
    try:
        lab.start_server()
        original = _join(lab, "i-original", CATTLE_HOSTNAME="original")
        clone = Machine("i-clone", "10.77.1.9", "clone", original.root)

        lab.join(clone, {"aws.instance_id": "i-clone"}, CATTLE_HOSTNAME="clone")

        lab.wait_for(lambda: lab.host(original)["hostname"] == "clone")
        assert len(lab.call(lab.cluster.stored_hosts)) == 1
    finally:
        lab.close()


def _seeded_phantoms(rancher, number):
    """Return the ids of new hosts without machines, deactivated already."""
    seeded = rancher.call(rancher.cluster.seed_herd, number, number)
    paths = [f"/v2-beta/projects/1a5/hosts/{one.host_id}" for one in seeded]
    for path in paths:
        rancher.post(f"{path}?action=deactivate")
    rancher.wait_for(lambda: all(rancher.get(path).json()["state"] == "inactive" for path in paths))
    return [one.host_id for one in seeded]


def _state_of(rancher, host_id):
    return rancher.get(f"/v2-beta/projects/1a5/hosts/{host_id}").json()["state"]


def _hold(rancher, host_id, seconds):
    match = {"operation": "process host.remove", "id": host_id}
    rancher.world.faults.add({"target": "rancher", "match": match, "effect": {"delay_s": seconds}})


def test_a_removal_that_is_held_up_never_ends_while_others_do(rancher):
    held, free = _seeded_phantoms(rancher, 2)
    _hold(rancher, held, 1e9)

    for host_id in (held, free):
        rancher.request("DELETE", f"/v2-beta/projects/1a5/hosts/{host_id}")
    rancher.wait_for(lambda: _state_of(rancher, free) in ("removed", "purged"))

    assert _state_of(rancher, held) == "removing"
    assert rancher.get(f"/v2-beta/hosts/{held}").json()["removed"] is None
    rancher.world.faults.clear()
    rancher.wait_for(lambda: _state_of(rancher, held) in ("removed", "purged"))


def test_a_removal_may_be_held_up_for_a_while_only(rancher):
    (held,) = _seeded_phantoms(rancher, 1)
    _hold(rancher, held, 0.2)

    rancher.request("DELETE", f"/v2-beta/projects/1a5/hosts/{held}")

    assert _state_of(rancher, held) == "removing"
    rancher.wait_for(lambda: _state_of(rancher, held) in ("removed", "purged"))
    rancher.world.faults.clear()
