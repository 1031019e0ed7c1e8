"""The state machines, as tables."""

import pytest

from lab.rancher.state_tables import TABLES, find
from lab.rancher.states import shown_host_state

HOST_ACTIONS = {
    "activate": {"inactive", "registering", "provisioned"},
    "deactivate": {
        *("requested", "registering", "active", "activating"),
        *("updating-active", "updating-inactive"),
    },
    "remove": {
        *("error", "erroring", "requested", "registering", "inactive", "activating"),
        *("deactivating", "updating-active", "updating-inactive", "provisioning"),
    },
    "purge": {"removed"},
    "update": {"active", "inactive"},
}


@pytest.mark.parametrize("action", HOST_ACTIONS)
def test_a_host_action_starts_in_these_states_and_no_others(action):
    assert find("host", action).starts == HOST_ACTIONS[action]


def test_a_host_cannot_be_removed_while_it_is_active():
    assert "active" not in find("host", "remove").starts


@pytest.mark.parametrize(
    ("base", "process", "start", "running", "done"),
    [
        ("host", "deactivate", "active", "deactivating", "inactive"),
        ("host", "remove", "inactive", "removing", "removed"),
        ("host", "purge", "removed", "purging", "purged"),
        ("host", "update", "active", "updating-active", "active"),
        ("host", "update", "inactive", "updating-inactive", "inactive"),
        ("agent", "reconnect", "active", "reconnecting", "reconnected"),
        ("agent", "finishreconnect", "reconnecting", "finishing-reconnect", "active"),
        ("agent", "disconnect", "reconnecting", "disconnecting", "disconnected"),
        ("agent", "remove", "disconnected", "removing", "removed"),
        ("credential", "create", "requested", "registering", "inactive"),
        ("genericObject", "create", "requested", "activating", "active"),
        ("externalEvent", "create", "requested", "creating", "created"),
    ],
)
def test_a_process_goes_from_start_through_running_to_done(base, process, start, running, done):
    found = find(base, process)

    assert found.through[start] == running
    assert found.done[running] == done


@pytest.mark.parametrize("base", TABLES)
def test_no_process_ends_in_a_state_that_is_still_on_its_way(base):
    for process in TABLES[base].values():
        assert not set(process.done) & set(process.done.values())


@pytest.mark.parametrize(
    ("version", "state", "agent_state", "shown"),
    [
        ("v2-beta", "active", "disconnected", "disconnected"),
        ("v2-beta", "active", "reconnecting", "reconnecting"),
        ("v2-beta", "active", None, "active"),
        ("v2-beta", "inactive", "disconnected", "inactive"),
        ("v1", "active", "disconnected", "active"),
    ],
)
def test_v2_beta_covers_an_active_hosts_state_with_its_agents(version, state, agent_state, shown):
    assert shown_host_state(version, state, agent_state) == shown
