"""Runs that ended without a word of their own: what happened, and who is to be told."""

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import yaml
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterId,
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterState,
    FlowRunFilterStateName,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Completed, Failed
from prefect.utilities.urls import url_for
from pydantic import TypeAdapter

from corral import errors
from corral.cluster import ClusterSpec
from corral.cluster.spec import AlertChannel
from corral.domain.alerts import Problem, Severity
from corral.errors import ClusterFileError
from corral.settings import load_cluster_spec
from tasks import connect
from tasks.alerts import raise_alerts, tell
from tasks.crier import RUN

WITHOUT_A_WORD = frozenset({"Crashed", "Failed", "TimedOut"})
"""Names of the states that Prefect gives to a run; those that a run gives itself tell more."""

IDLE = frozenset({"Skipped", "DryRun"})
"""Names of the ends of runs that did nothing, and so prove nothing."""

AT_WORK = frozenset({"Running", "Cancelling", "Retrying", "Paused"})

OURS = frozenset(
    name
    for name, error in inspect.getmembers(errors, inspect.isclass)
    if issubclass(error, errors.CorralError)
)
"""Errors whose sentences hold no secret."""


@dataclass(frozen=True, slots=True)
class Crash:
    """A run that ended without a word of its own.

    `run` is its name and id. `message` is what Prefect knows of it; `url` is None if Prefect's UI
    has no known address. `heir` is the name of a later run that lived to its end, "" if there is
    none yet.
    """

    flow: str
    cluster: str
    run: str
    state: str
    message: str
    url: str | None
    heir: str

    @property
    def is_at_work(self) -> bool:
        """Whether Prefect takes the run for running, and only wonders why it is silent."""
        return self.state in AT_WORK

    @property
    def is_over(self) -> bool:
        """Whether nobody has to be told any more."""
        return bool(self.heir) or self.state not in WITHOUT_A_WORD

    @property
    def problem(self) -> Problem:
        """What people are told: the same problem for every such run of this flow and cluster."""
        place = f" at {self.url}" if self.url else ""
        return Problem(
            kind=RUN,
            scope=self.flow,
            subject="",
            severity=Severity.ERROR,
            title=f"{self.flow} of {self.cluster} ended as {self.state}",
            text=(
                f"The run {self.run} of {self.flow} for {self.cluster} ended as {self.state}:"
                f" {without_secrets(self.message)} Read its log in Prefect{place}; what it left"
                " undone the next run does, which also ends this alert."
            ),
        )


def settled_by(flow: str) -> str:
    """Return what a run of this flow settles by living to its end, for `raise_alerts`."""
    return f"{RUN}/{flow}"


def settle_crashes(spec: ClusterSpec, flow: str) -> None:
    """End what was told of crashed runs of this flow; whatever comes of it fails nobody."""
    raise_alerts(spec, (), {settled_by(flow)}, return_state=True)


def without_secrets(message: str) -> str:
    """Return what may be told: the sentences of foreign errors hold anything, addresses too."""
    head, is_error, tail = message.partition(" exception: ")
    error = re.match(r"\w+", tail)
    if not is_error or (error and error[0] in OURS):
        return message
    return f"{head}{is_error}{error[0] if error else ''}."


@task(task_run_name="read-{run_id}", cache_policy=NO_CACHE)
def read_crash(run_id: UUID) -> Crash:
    """Return what Prefect knows of a run, and whether a later one lived to its end."""
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(run_id)
        heir = _find_heir(client, run)
        flow = client.read_flow(run.flow_id).name
    return Crash(
        flow=flow,
        cluster=_cluster(run),
        run=f"{run.name} ({run.id})",
        state=run.state_name or "",
        message=(run.state and run.state.message) or "nothing is known about why.",
        url=url_for("flow-run", run.id),
        heir=heir.name if heir else "",
    )


@task(task_run_name="alert-{crash.cluster}", cache_policy=NO_CACHE)
def tell_of_crash(crash: Crash) -> list[str]:
    """Tell people of a crash; return a sentence for each channel that was not told."""
    channels = find_channels_of(crash.cluster)
    if not channels:
        return [f"The cluster file of {crash.cluster} has no channel to tell it to."]
    return tell(crash.cluster, channels, [crash.problem], ())


def end_of_report(crash: Crash, untold: Sequence[str]) -> State[str]:
    """Return `Told`, or a failed state with whom it could not be told."""
    if untold:
        return Failed(name="Partial", message=" ".join([crash.problem.title, *untold]))
    return Completed(name="Told", message=crash.problem.title, data=crash.run)


def end_of_watch(crash: Crash, *, was_ended: bool) -> State[str]:
    """Return what came of listening to a run that was silent."""
    if was_ended:
        message = f"The run {crash.run} of {crash.flow} was dead; its end as crashed is told next."
        return Completed(name="Ended", message=message, data=crash.run)
    message = f"The run {crash.run} of {crash.flow} gives signs of life."
    return Completed(name="Alive", message=message, data=crash.run)


def not_needed(crash: Crash) -> State[str]:
    """Return the end of a report that comes too late to be of use."""
    reason = f"the later run {crash.heir} lived to its end" if crash.heir else "it is no crash now"
    return Completed(
        name="Recovered",
        message=f"The run {crash.run} of {crash.flow} needs no alert: {reason}.",
        data=crash.run,
    )


def _find_heir(client: SyncPrefectClient, run: FlowRun) -> FlowRun | None:
    """Return a run of the same flow and cluster that ended later, and lived to its end."""
    ended = run.end_time or run.expected_start_time
    later = client.read_flow_runs(
        flow_filter=FlowFilter(id=FlowFilterId(any_=[run.flow_id])),
        flow_run_filter=FlowRunFilter(
            end_time=FlowRunFilterEndTime(after_=ended),
            state=FlowRunFilterState(
                type=FlowRunFilterStateType(any_=[StateType.COMPLETED, StateType.FAILED]),
                name=FlowRunFilterStateName(not_any_=sorted(WITHOUT_A_WORD | IDLE)),
            ),
        ),
    )
    return next((one for one in later if _cluster(one) == _cluster(run)), None)


def _cluster(run: FlowRun) -> str:
    return str(run.parameters.get("cluster", ""))


def find_channels_of(cluster: str) -> Sequence[AlertChannel]:
    """Return the cluster's channels; faults elsewhere in its file must not hide themselves."""
    settings = connect.settings()
    try:
        return load_cluster_spec(cluster, settings).alerts
    except ClusterFileError:
        path = settings.clusters_dir / f"{cluster}.yaml"
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))["alerts"]
        return TypeAdapter(list[AlertChannel]).validate_python(found)
    # no file, no text, no YAML, no mapping, no such key, no channels
    except (OSError, ValueError, yaml.YAMLError, TypeError, KeyError):
        return ()
