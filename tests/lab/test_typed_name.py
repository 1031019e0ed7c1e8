"""An end waits for somebody who types its name, with a real Prefect server."""

from typing import Any

import pytest
from prefect import flow
from prefect.client.schemas.objects import State

from corral.domain.ending import Doomed, Ending
from corral.domain.stacks import Vpc
from corral.settings import Settings, load_cluster_spec
from tasks import connect
from tasks.ending_reports import find_refusal
from tests.lab.paused import Desk, call_beside
from tests.lab.prefect_alone import RUN_S, PrefectAlone

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("prefect"), pytest.mark.timeout(600)]

FLOW = "typed-name"


@flow(name=FLOW)
def typed_name() -> str:
    """Have the name of a cluster typed, and return why its end must not begin."""
    spec = load_cluster_spec("lab", Settings())
    return find_refusal(Ending("lab", (Doomed(Vpc.of(spec), ("aws_vpc.this",)),)), "", ask=True)


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        pytest.param("lab", "", id="its-name"),
        pytest.param("lob", "`lob` was typed, and its name is `lab`.", id="another"),
    ],
)
def test_the_form_shows_what_goes_and_takes_its_name(there: PrefectAlone, typed, refusal):
    ends: list[State[Any]] = []
    thread = call_beside(lambda: ends.append(typed_name(return_state=True)))
    desk = Desk(there.environment["PREFECT_API_URL"], RUN_S)
    run = desk.find_run(FLOW)

    form = desk.form_of(run)
    assert "This destroys **lab** for good" in form.text
    assert desk.fill_in(run.id) == "REJECT", "a form without a name is none"
    assert desk.fill_in(run.id, name=typed) == "ACCEPT"
    thread.join(RUN_S)

    assert ends[0].result() == refusal


@pytest.mark.usefixtures("there")
def test_a_form_that_nobody_fills_in_ends_the_run_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("CORRAL_FORM_DEADLINE_S", "2")
    connect.settings.cache_clear()

    end: State[Any] = typed_name(return_state=True)
    connect.settings.cache_clear()

    assert end.is_failed()
    assert "The name of lab in the run's form: not within 2 s" in str(end.message)
