"""Who agrees to an end, what it leaves for people: leftovers, alerts that are over, a named end."""

from collections.abc import Sequence
from functools import partial

from prefect import get_run_logger
from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State
from prefect.input import RunInput
from prefect.states import Completed, Failed
from pydantic import Field

from corral.clients import aws
from corral.cluster import ClusterSpec
from corral.domain.ending import Ending, as_markdown
from corral.domain.leftovers import Leftover, judge_leftovers
from tasks import connect
from tasks.alerts import raise_alerts
from tasks.forms import Waiting, judge_name, pause_with
from tasks.memory import PrefectUnavailableError, memory_of
from tasks.retries import patient_task


class TypedName(RunInput):
    """What a person types who agrees to an end."""

    name: str = Field(
        title="Name", description="The name of what is destroyed, typed in full.", min_length=1
    )


def find_refusal(ending: Ending, confirm: str, *, ask: bool) -> str:
    """Return why an end must not begin, as a sentence; "" if somebody has typed its name.

    Args:
        ending: What would go.
        confirm: The name, if whoever started the run has typed it already.
        ask: Whether the run may pause with a form.

    Raises:
        GateTimeoutError: Nobody came to fill in the form.
    """
    if ending.is_over:
        return ""
    return judge_name(ending.name, confirm, partial(_ask_for_name, ending), ask=ask)


def form_text(ending: Ending) -> str:
    """Return what a person reads over the form, as Markdown."""
    return (
        f"This destroys **{ending.name}** for good, in this order:\n\n{as_markdown(ending)}\n\n"
        f"The states stay in their bucket, with all versions. If that is what you want, type"
        f" `{ending.name}`."
    )


@patient_task("look-for-leftovers-of-{spec.name}", "aws")
def find_leftovers(spec: ClusterSpec) -> tuple[Leftover, ...]:
    """Return what AWS still has of a cluster, and keep it as a table for people."""
    session = connect.aws(spec.aws)
    found = [
        *aws.find_tagged(session, spec.name),
        *aws.find_groups(session, spec.name),
        *aws.find_roles(session, spec.name),
        *aws.find_records(session, spec.dns.zone, [spec.dns.name, spec.dns.database_name]),
    ]
    left = judge_leftovers(found, state_bucket=spec.aws.state_bucket)
    table = [{"what": one.name, "why": one.reason or "left over: look, and remove"} for one in left]
    create_table_artifact(table, key=f"left-of-{spec.name}", description=_counted(left))
    return left


def end_all_alerts(spec: ClusterSpec) -> None:
    """End whatever people were told of a cluster that is no more."""
    try:
        with memory_of(spec.name) as memory:
            kinds = {alert.kind for alert in memory.alerts()}
    except PrefectUnavailableError as error:
        get_run_logger().warning("what people were told stays open: %s", error)
        return
    raise_alerts(spec, (), kinds, return_state=True)


def end_of_destroy(ending: Ending, left: Sequence[Leftover]) -> State[str]:
    """Return `Destroyed`, with what went and what is left."""
    gone = ", ".join(doomed.stack.name for doomed in ending.stacks) or "nothing was left to destroy"
    last = f" The database's last snapshot is {ending.snapshot}." if ending.snapshot else ""
    message = f"{ending.name}: {gone}.{last} {_counted(left)}"
    return Completed(name="Destroyed", message=message, data=ending.name)


def end_of_pool(spec: ClusterSpec, ending: Ending) -> State[str]:
    """Return `Destroyed` for a pool, with what would bring it back."""
    said = "is gone" if ending.stacks else "was gone already"
    again = ""
    if ending.name in {pool.name for pool in spec.pools}:
        again = " The cluster file still names it, so the next build makes it anew."
    message = f"The pool {ending.name} of {spec.name} {said}.{again}"
    return Completed(name="Destroyed", message=message, data=ending.name)


def refused(ending: Ending, reason: str) -> State[str]:
    """Return `Refused`: nothing was changed."""
    message = f"{ending.name} is not destroyed, nothing was changed. {reason}"
    return Failed(name="Refused", message=message)


def _ask_for_name(ending: Ending) -> str:
    get_run_logger().info("The run pauses until somebody types the name of %s", ending.name)
    form = TypedName.with_initial_data(description=form_text(ending))
    waiting = Waiting(
        f"The name of {ending.name} in the run's form",
        "nobody typed it, nothing was changed; run again when somebody is there",
    )
    return pause_with(form, "destroy", waiting).name


def _counted(left: Sequence[Leftover]) -> str:
    unwanted = [one.name for one in left if not one.reason]
    kept = [f"{one.name} ({one.reason})" for one in left if one.reason]
    sentences = []
    if unwanted:
        sentences.append(f"Left over, look and remove: {', '.join(unwanted)}.")
    if kept:
        sentences.append(f"Kept: {', '.join(kept)}.")
    return " ".join(sentences) or "Nothing is left."
