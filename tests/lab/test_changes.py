"""What a search for drift asks Prefect: who changes the stacks, and what was looked at when."""

from typing import Any

import pytest
from prefect import flow
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelling, Paused, Pending, Running

from tasks.changes import find_change
from tasks.drift_memory import in_order, note_look
from tests.lab.prefect_alone import PrefectAlone

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("prefect"), pytest.mark.timeout(600)]


def begin(there: PrefectAlone, name: str, state: Any, **parameters: Any) -> str:
    """Write a run into Prefect that nobody runs."""

    @flow(name=name)
    def play(cluster: str, roll_out: bool = True) -> None:  # noqa: FBT001, FBT002 - a parameter
        pass

    with there.client() as client:
        run = client.create_flow_run(play, parameters=parameters, state=state)
        return run.name


@pytest.mark.parametrize("state", [Running(), Paused(), Cancelling()])
def test_a_run_that_changes_the_stacks_is_named(there, state):
    cluster = f"stacks-{state.name}".lower()

    name = begin(there, "build-cluster", state, cluster=cluster)

    assert find_change(cluster).startswith(f"The run {name} (")


@pytest.mark.parametrize(
    ("flow_name", "state", "parameters"),
    [
        pytest.param("configure-rancher", Running(), {}, id="inside-rancher"),
        pytest.param("bake-image", Running(), {"roll_out": False}, id="a-bake-alone"),
        pytest.param("build-cluster", Pending(), {}, id="not-begun"),
        pytest.param("build-cluster", Running(), {"cluster": "another"}, id="another-cluster"),
    ],
)
def test_a_run_that_leaves_the_stacks_alone_is_not_waited_for(there, flow_name, state, parameters):
    begin(there, flow_name, state, **{"cluster": "quiet", **parameters})

    assert find_change("quiet") == ""


@pytest.mark.usefixtures("there")
def test_the_next_search_begins_with_what_this_one_did_not_get_to():
    stacks = ["vpc", "security-groups", "database"]
    note_look("green", "vpc", stacks)

    assert in_order("green", stacks) == ["security-groups", "database", "vpc"]
    assert in_order("blue", stacks) == stacks


def test_a_prefect_that_does_not_answer_leaves_the_order_of_the_build():
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        note_look("green", "vpc", ["vpc", "database"])

        assert in_order("green", ["vpc", "database"]) == ["vpc", "database"]
