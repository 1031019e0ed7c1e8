"""Runs that wait with a form: what it says, and filling it in as Prefect's page does."""

import json
import threading
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from uuid import UUID

import requests
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import FlowRun

from tests.lab.harness import wait_until

BUSY = 503
"""What Prefect answers while its database is locked."""


@dataclass(frozen=True)
class Form:
    """A form, told from another of the same run by its key."""

    key: str
    text: str


@dataclass(frozen=True)
class Desk:
    """Where people find the forms of a Prefect server."""

    api: str
    seconds: float
    """How long a run may take to get there."""

    def find_run(self, flow: str) -> FlowRun:
        """Return the run of a flow that has not ended and that no worker has."""
        chosen = FlowFilter(name=FlowFilterName(any_=[flow]))

        def look() -> FlowRun | None:
            with SyncPrefectClient(self.api) as client:
                runs = client.read_flow_runs(flow_filter=chosen)
            called = (run for run in runs if run.deployment_id is None)
            return next((run for run in called if run.state and not run.state.is_final()), None)

        run: FlowRun = wait_until(look, self.seconds, f"{flow} runs")
        return run

    def form_of(self, run: FlowRun, but: str = "") -> Form:
        """Return the form that a run waits with, once it has another key than `but`."""

        def look() -> Form | None:
            with SyncPrefectClient(self.api) as client:
                state = client.read_flow_run(run.id).state
                assert state is not None
                assert not state.is_final(), state
                keys = state.state_details.run_input_keyset if state.is_paused() else None
                if not keys or keys["schema"] == but:
                    return None
            url = f"{self.api}/flow_runs/{run.id}/input/{keys['description']}"
            answer = requests.get(url, timeout=30)  # the next form may be on its way already
            return Form(keys["schema"], json.loads(answer.text)) if answer.ok else None

        form: Form = wait_until(look, self.seconds, "the run waits with a form")
        return form

    def fill_in(self, run_id: UUID, **values: str | bool) -> str:
        """Submit the form; return what became of it."""
        url = f"{self.api}/flow_runs/{run_id}/resume"

        def submit() -> str | None:
            answer = requests.post(url, json={"run_input": values}, timeout=30)
            if answer.status_code == BUSY:
                return None
            answer.raise_for_status()
            status: str = answer.json()["status"]
            return status

        said: str = wait_until(submit, self.seconds, "Prefect takes the form")
        return said


def call_beside(work: Callable[[], object]) -> threading.Thread:
    """Run a flow in this process, beside the test."""
    thread = threading.Thread(target=copy_context().run, args=[work])
    thread.start()
    return thread
