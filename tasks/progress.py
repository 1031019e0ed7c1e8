"""How far a run is: one progress artifact, moved by the tasks as they go, and when each stage ran.

Kept in the run's own process: a run that died begins its count anew, as it begins its stages anew.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import httpx
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.context import FlowRunContext, TaskRunContext

from corral.domain.timeline import Span

log = logging.getLogger(f"corral.{__name__}")

SECONDS_BETWEEN_UPDATES = 2.0


class Progress:
    """The stages of one run, how far each is, and when it ran."""

    def __init__(self, cluster: str, stages: Sequence[str]) -> None:
        self.cluster = cluster
        self._done = dict.fromkeys(stages, 0.0)
        self._spans: dict[str, Span] = {}
        self._lock = threading.Lock()
        self._artifact: UUID | None = None
        self._sent_at = 0.0

    @property
    def spans(self) -> list[Span]:
        """The stages that began, in the order they began."""
        return sorted(self._spans.values(), key=lambda span: span.begin)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count a block of work as one stage, whatever comes of it."""
        begin, outcome = datetime.now(UTC), "failed"
        self.move(name, 0.0, "begins")
        try:
            yield
            outcome = "done"
        finally:
            self._spans[name] = Span(name, begin, datetime.now(UTC), outcome)
        self.move(name, 1.0, "done")

    def move(self, stage: str, fraction: float, what: str) -> None:
        """Say how far a stage is (0 to 1) and what it is doing; sent every other second at most."""
        with self._lock:
            self._done[stage] = fraction
            if fraction < 1.0 and time.monotonic() - self._sent_at < SECONDS_BETWEEN_UPDATES:
                return
            self._sent_at = time.monotonic()
            self._send(100 * sum(self._done.values()) / len(self._done), f"{stage}: {what}")

    def _send(self, percent: float, description: str) -> None:
        """Tell Prefect; a server that does not answer must not stop what is being reported."""
        try:
            self._write(percent, description)
        except httpx.HTTPError as error:
            log.warning("the progress could not be shown: %s", error)

    def _write(self, percent: float, description: str) -> None:
        if self._artifact is None:
            key = f"progress-{self.cluster}"
            created = create_progress_artifact(percent, key=key, description=description)
            self._artifact = cast("UUID", created)  # Prefect's twin functions hide the type
            return
        update_progress_artifact(self._artifact, progress=percent, description=description)


_of_runs: dict[UUID, Progress] = {}


def start_progress(cluster: str, stages: Sequence[str]) -> None:
    """Begin the count of the current flow run."""
    _of_runs[_flow_run_id()] = Progress(cluster, stages)


def progress() -> Progress:
    """Return the count of the current flow run."""
    return _of_runs[_flow_run_id()]


def _flow_run_id() -> UUID:
    if (run := TaskRunContext.get()) and run.task_run.flow_run_id:
        return run.task_run.flow_run_id
    flow_run = FlowRunContext.get()
    if flow_run is None or flow_run.flow_run is None:
        raise RuntimeError("progress is counted for flow runs only")
    return flow_run.flow_run.id
