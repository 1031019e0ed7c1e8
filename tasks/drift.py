"""Prefect's view of drift: which stacks there are, and a look at each that writes nothing."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prefect.client.schemas.objects import State

from corral.clients.aws import StateShelf, check_account, read_states
from corral.clients.terraform import find_drift
from corral.cluster import ClusterSpec
from corral.domain.drift import Cause, Deviation, Look
from corral.domain.stacks import (
    ControlPlane,
    Database,
    HostPool,
    SecurityGroups,
    Stack,
    Vpc,
)
from corral.domain.standing import standing_in
from corral.domain.states import StackState
from corral.errors import CorralError, PrerequisiteError
from tasks import connect
from tasks.drift_memory import in_order, note_look
from tasks.progress import progress, start_progress
from tasks.retries import patient_task
from tasks.stacks import Narrator, Out, job_of, outputs_of, place_among_others

log = logging.getLogger(f"corral.{__name__}")

States = Mapping[str, StackState]

FIXED = tuple(stack.folder for stack in (Vpc, SecurityGroups, Database, ControlPlane))
"""Names of the stacks that every cluster has."""


@dataclass(frozen=True)
class Stacks:
    """The stacks of a cluster, and what is known of those that Terraform cannot be asked about."""

    known: tuple[Stack[Any], ...]
    looks: tuple[Look, ...] = ()

    @property
    def names(self) -> list[str]:
        """All of them, in the order in which they are built."""
        return [*(stack.name for stack in self.known), *(look.stack for look in self.looks)]


@patient_task("find-stacks-of-{spec.name}", "aws")
def find_stacks(spec: ClusterSpec) -> Stacks:
    """Return the stacks with their variables, made of the outputs in the states.

    A cluster that has no state at all has no stacks.
    """
    session = connect.aws(spec.aws)
    check_account(session, spec.aws.account_id)
    states = read_states(session, spec.aws.state_bucket, spec.aws.account_id, spec.name)
    built = {name: state for name, state in states.items() if not state.is_empty}
    stacks = read_stacks(spec, built) if built else Stacks(())
    start_progress(spec.name, stacks.names)
    return stacks


def look_at_stacks(spec: ClusterSpec, stacks: Stacks) -> list[Look]:
    """Look at each stack, the one first that was not looked at for longest.

    One that cannot be looked at stops no other.

    Returns:
        What each came to, in the order in which they are built.

    """
    known = {stack.name: stack for stack in stacks.known}
    looks = {look.stack: look for look in stacks.looks}
    for name in in_order(spec.name, list(known)):
        note_look(spec.name, name, stacks.names)
        looks[name] = look_of(known[name], look_at_stack(known[name], return_state=True))
    return [looks[name] for name in stacks.names]


@patient_task("look-at-{stack.key}", "terraform")
def look_at_stack(stack: Stack[Any]) -> Look:
    """Return how a stack differs from its files; nothing is changed, nothing is locked.

    Raises:
        PrerequisiteError: Its state is locked.
        CorralError: Anything else that went wrong.
    """
    with place_among_others(stack.name), progress().stage(stack.name):
        _check_unlocked(stack)
        found = find_drift(job_of(stack), connect.settings(), listen=Narrator(stack.name))
        _check_unlocked(stack)  # what was half done by somebody else is no drift
    for deviation in found:
        log.info("%s: %s: %s", stack.name, deviation.cause, deviation)
    return Look(stack.name, found)


def look_of(stack: Stack[Any], end: State[Look]) -> Look:
    """Return what a look came to; the sentences of errors that are not ours may hold secrets."""
    result = end.result(raise_on_failure=False)
    if isinstance(result, Look):
        return result
    fault = str(result) if isinstance(result, CorralError) else type(result).__name__
    log.error("%s could not be looked at: %s", stack.name, fault)
    return Look(stack.name, fault=fault)


def _check_unlocked(stack: Stack[Any]) -> None:
    place = stack.place
    shelf = StateShelf(connect.aws(place), place.state_bucket, place.account_id)
    if shelf.read(f"{stack.key}.tflock"):
        raise PrerequisiteError(
            f"The state of {stack.key} is locked: a run changes it just now, or died at it; the"
            f" next build-cluster/{stack.cluster} takes over from one that died."
        )


def read_stacks(spec: ClusterSpec, built: States) -> Stacks:
    """Return those stacks whose variables are known, and why those of the others are not."""
    known: list[Stack[Any]] = []
    fault = ""
    try:
        known.extend(_in_order(spec, built))
    except CorralError as error:
        fault = str(error)
    names = [*FIXED, *(f"{HostPool.folder}/{pool.name}" for pool in spec.pools)]
    blind = [Look(name, fault=fault) for name in names if name not in {one.name for one in known}]
    return Stacks(tuple(known), (*blind, *_without_pool(built, names)))


def _in_order(spec: ClusterSpec, built: States) -> Iterator[Stack[Any]]:
    """Yield each stack; one that is not built yet is the last whose variables are known."""
    yield (network := Vpc.of(spec))
    vpc = _outputs(network, built)
    yield (rules := SecurityGroups.of(spec, vpc))
    groups = _outputs(rules, built)
    resources = built[Database.folder].attributes if Database.folder in built else {}
    yield (store := Database.of(spec, vpc, groups, standing_in(resources, spec.name)))
    database = _outputs(store, built)
    yield (plane := ControlPlane.of(spec, vpc, groups, database))
    control = _outputs(plane, built)
    yield from (HostPool.of(spec, vpc, groups, control, pool) for pool in spec.pools)


def _outputs(stack: Stack[Out], built: States) -> Out:
    state = built.get(stack.name)
    if state is None or not state.outputs:
        raise PrerequisiteError(
            f"It needs the outputs of {stack.key}, whose state has none: finish the cluster first,"
            f" with build-cluster/{stack.cluster}."
        )
    return outputs_of(stack, dict(state.outputs))


def _without_pool(built: States, names: Sequence[str]) -> Iterator[Look]:
    """Yield a look at each pool that is built and not in the cluster file, so has no variables."""
    for name in built:
        if name.startswith(f"{HostPool.folder}/") and name not in names:
            what = "is no longer in the cluster file: destroy it with destroy-cluster and its name"
            yield Look(name, (Deviation("the pool", Cause.WAITING, what),))
