"""Which step a host that shall go takes next."""

import ast
import sys
from pathlib import Path

import pytest

from corral.domain import steps
from corral.domain.steps import Move, next_move

# Stored state to the actions it allows. Source: cattle v0.183.83, spring-process-context.xml; the
# schema's filters add `update`, `delete` and `upgrade`, of which the last two cannot be run.
OFFERED = {
    "requested": {"deactivate", "remove"},
    "registering": {"activate", "deactivate", "remove"},
    "provisioning": {"error", "remove"},
    "provisioned": {"activate"},
    "erroring": {"remove"},
    "error": {"remove"},
    "activating": {"deactivate", "remove", "dockersocket"},
    "active": {"deactivate", "evacuate", "update", "dockersocket"},
    "updating-active": {"deactivate", "remove"},
    "updating-inactive": {"deactivate", "remove"},
    "deactivating": {"remove", "dockersocket"},
    "inactive": {"activate", "evacuate", "remove", "update", "dockersocket"},
    "removing": set(),
    "removed": {"purge"},
    "purging": set(),
    "purged": set(),
}
ALWAYS_SHOWN = {"delete", "upgrade"}

# What is shown for a host whose stored state is active. Source: cattle, HostsFilter.java.
AGENT_STATES = ["active", "reconnecting", "finishing-reconnect", "disconnecting", "disconnected"]


def move(stored: str, shown: str | None = None, *, drain: bool = False, **seen: bool) -> Move:
    actions = OFFERED[stored] | ALWAYS_SHOWN
    return next_move(shown or stored, actions, removed=False, drain=drain, **seen)


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        ("requested", Move.REMOVE),
        ("registering", Move.REMOVE),
        ("provisioning", Move.REMOVE),
        ("provisioned", Move.WAIT),
        ("erroring", Move.REMOVE),
        ("error", Move.REMOVE),
        ("activating", Move.REMOVE),
        ("active", Move.DEACTIVATE),
        ("updating-active", Move.REMOVE),
        ("updating-inactive", Move.REMOVE),
        ("deactivating", Move.REMOVE),
        ("inactive", Move.REMOVE),
        ("removing", Move.WAIT),
        ("removed", Move.PURGE),
        ("purging", Move.GONE),
        ("purged", Move.GONE),
    ],
)
def test_a_dead_host_takes_the_next_step_that_rancher_allows(stored, wanted):
    assert move(stored) is wanted


@pytest.mark.parametrize("shown", AGENT_STATES)
def test_the_offered_actions_decide_whatever_agents_state_is_shown(shown):
    assert move("active", shown) is Move.DEACTIVATE


def test_what_is_always_shown_is_never_taken_for_an_offer():
    assert next_move("active", ALWAYS_SHOWN, removed=False, drain=True) is Move.WAIT


@pytest.mark.parametrize(
    ("stored", "is_busy", "is_evacuating", "wanted"),
    [
        pytest.param("active", True, False, Move.EVACUATE, id="active: move the containers"),
        pytest.param("active", False, False, Move.EVACUATE, id="active: new ones may come"),
        pytest.param("active", True, True, Move.WAIT, id="evacuating deactivates by itself"),
        pytest.param("deactivating", True, True, Move.WAIT, id="deactivating: still busy"),
        pytest.param("deactivating", False, True, Move.REMOVE, id="deactivating: empty"),
        pytest.param("inactive", True, True, Move.WAIT, id="inactive: still busy"),
        pytest.param("inactive", False, True, Move.REMOVE, id="inactive: empty"),
        pytest.param("inactive", True, False, Move.EVACUATE, id="inactive by somebody else"),
        pytest.param("updating-active", True, False, Move.WAIT, id="cannot be evacuated yet"),
        pytest.param("updating-active", False, False, Move.REMOVE, id="updating and empty"),
        pytest.param("removing", True, True, Move.WAIT, id="on its way out"),
        pytest.param("removed", True, True, Move.PURGE, id="removed"),
    ],
)
def test_a_host_that_is_drained_goes_when_it_is_empty(stored, is_busy, is_evacuating, wanted):
    assert move(stored, drain=True, is_busy=is_busy, is_evacuating=is_evacuating) is wanted


def test_a_host_that_cannot_be_evacuated_is_deactivated():
    assert next_move("active", {"deactivate"}, removed=False, drain=True) is Move.DEACTIVATE


@pytest.mark.parametrize(
    ("actions", "wanted"), [({"purge"}, Move.PURGE), (set(), Move.GONE)], ids=["removed", "purged"]
)
def test_a_date_of_removal_means_gone_in_any_state(actions, wanted):
    assert next_move("active", actions, removed=True, drain=True) is wanted


def test_the_file_needs_nothing_but_the_standard_library():
    tree = ast.parse(Path(steps.__file__).read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name.split(".")[0] for name in imported if name} <= sys.stdlib_module_names
