"""Who agrees to a restore, and what it leaves for people: a table, and a named end."""

from functools import partial

from prefect import get_run_logger
from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State
from prefect.input import RunInput
from prefect.states import Completed, Failed
from pydantic import Field

from corral.cluster import ClusterSpec
from corral.domain.restores import DatabaseFacts, Restore
from tasks import connect
from tasks.forms import Waiting, judge_name, pause_with


class ClusterName(RunInput):
    """What a person types who agrees to a restore."""

    name: str = Field(
        title="Name",
        description="The name of the cluster whose data is replaced, typed in full.",
        min_length=1,
    )


def find_refusal(spec: ClusterSpec, restore: Restore, confirm: str, *, ask: bool) -> str:
    """Return why a restore must not begin, as a sentence; "" if somebody has typed the name.

    Args:
        spec: The cluster.
        restore: What would be done; one that goes on was agreed to already.
        confirm: The name, if whoever started the run has typed it.
        ask: Whether the run may pause with a form.

    Raises:
        GateTimeoutError: Nobody came to fill in the form.
    """
    if restore.confirmed:
        return ""
    return judge_name(spec.name, confirm, partial(_ask_for_name, spec, restore), ask=ask)


def form_text(spec: ClusterSpec, restore: Restore) -> str:
    """Return what a person reads over the form, as Markdown."""
    minutes = connect.settings().form_deadline_s / 60
    return f"""Rancher of **{spec.name}** gets its database back from **{restore.source}**. Whatever
happened in Rancher since then is gone for it: environments, hosts, stacks, keys.

1. A new instance `{restore.identifier}` is made, and looked into.
2. All servers of Rancher stop. Containers go on; nobody can manage them for some minutes.
3. The new instance becomes the database; `{restore.replaces}` stays in AWS as it is.
4. The servers start, behind their gate.

If that is what you want, type `{spec.name}`. The form waits for {minutes:.0f} minutes."""


def publish_restore(spec: ClusterSpec, restore: Restore, facts: DatabaseFacts) -> None:
    """Leave in the UI what came of a restore."""
    rows = [
        {"what": "restored from", "value": restore.source},
        {"what": "the database is now", "value": restore.identifier},
        {"what": "it was, and is kept", "value": restore.replaces},
        {"what": "what is in it", "value": str(facts)},
    ]
    create_table_artifact(rows, key=f"restore-{spec.name}")


def end_of_restore(spec: ClusterSpec, restore: Restore) -> State[str]:
    """Return `Restored`, with what became of the old instance."""
    message = (
        f"{spec.url} runs on {restore.identifier}, restored from {restore.source};"
        f" {restore.replaces} is kept: delete it when nobody needs it any more."
    )
    return Completed(name="Restored", message=message, data=restore.identifier)


def refused(spec: ClusterSpec, reason: str) -> State[str]:
    """Return `Refused`: nothing was changed."""
    message = f"The database of {spec.name} is not restored, nothing was changed. {reason}"
    return Failed(name="Refused", message=message)


def _ask_for_name(spec: ClusterSpec, restore: Restore) -> str:
    get_run_logger().info("The run pauses until somebody types %s in its form", spec.name)
    form = ClusterName.with_initial_data(description=form_text(spec, restore))
    waiting = Waiting(
        f"The name {spec.name} in the run's form",
        "nobody typed it, nothing was changed; run again when somebody is there",
    )
    return pause_with(form, "restore", waiting).name
