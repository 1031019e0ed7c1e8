"""What a search for drift leaves for people: a table of all that differs, and a named end."""

from collections.abc import Sequence

from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from corral.domain.drift import Look
from corral.domain.drift_reports import count, rows

MOST_ROWS = 1000
"""Rows of the table: a browser shows no more in good time."""


def publish_drift(cluster: str, looks: Sequence[Look]) -> None:
    """Leave a table of each attribute that differs, before and after, and of what is in step."""
    table = rows(looks)
    shown = f"; the first {MOST_ROWS} of {len(table)}" if len(table) > MOST_ROWS else ""
    create_table_artifact(
        table[:MOST_ROWS], key=f"drift-{cluster}", description=f"{count(looks)}{shown}"
    )


def end_of_search(cluster: str, looks: Sequence[Look], untold: Sequence[str]) -> State[str]:
    """Return `InStep`, `Drifted`, or `Partial` if not all could be seen, or not everybody told."""
    blind = [f"{look.stack} could not be looked at: {look.fault}" for look in looks if look.fault]
    drifted = [look.stack for look in looks if look.by_hand]
    changed = [f"Changed by hand: {', '.join(drifted)}."] if drifted else []
    message = " ".join([f"{cluster}: {count(looks)}.", *changed, *blind, *untold])
    if blind or untold:
        return Failed(name="Partial", message=message, data=cluster)
    return Completed(name="Drifted" if drifted else "InStep", message=message, data=cluster)


def unbuilt(cluster: str) -> State[str]:
    """Return the end of a run for a cluster of which nothing is there."""
    message = f"No stack of {cluster} has anything in its state: it is not built."
    return Completed(name="Skipped", message=message, data=cluster)
