"""What the end of a cluster, or of one pool, takes away: which stacks, in which order, what first.

A build makes stacks from the network upwards, so an end goes the other way. What is left to do is
told by the states alone: a run that died half-way is gone on with by whoever looks at them again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pydantic import ValidationError

from corral.cluster import ClusterSpec, Pool
from corral.cluster.pools import ScaleOnCpu
from corral.domain.plans import Approval
from corral.domain.stacks import (
    ControlPlane,
    Database,
    HostPool,
    Out,
    SecurityGroups,
    Stack,
    Vpc,
)
from corral.domain.standing import INSTANCE, standing_in
from corral.domain.states import StackState
from corral.errors import PrerequisiteError

GUARDED = ("aws_db_instance", "aws_lb", "aws_s3_bucket", "aws_secretsmanager_secret")
"""Types that deletion protection is about: AWS refuses to delete them, or keeps them for a while,
for as long as they are told so."""

_ID_LENGTH = 8

States = Mapping[str, StackState]
"""By the stack's name: `vpc`, `host-pool/web`."""


@dataclass(frozen=True, slots=True)
class Doomed:
    """A stack that goes."""

    stack: Stack[Any]
    """As its state was made; without deletion protection."""
    addresses: tuple[str, ...]
    """Of everything in its state."""

    @property
    def guarded(self) -> tuple[str, ...]:
        """What has to be told that it may go, before it can."""
        return tuple(one for one in self.addresses if one.partition(".")[0] in GUARDED)

    def approvals(self, until: date) -> tuple[Approval, ...]:
        """Return what whoever agreed to its end has approved: these resources, and no other."""
        return tuple(Approval(self.stack.name, address, until) for address in self.addresses)


@dataclass(frozen=True, slots=True)
class SpareDatabase:
    """A database of the cluster that is in no state: an earlier one, that a restore has kept."""

    identifier: str
    snapshot: str
    """The name of the snapshot that is taken at its end; "" where nobody wants one."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Everything that goes, in the order in which it does; `name` is what a person has to type."""

    name: str
    stacks: tuple[Doomed, ...]
    snapshot: str = ""
    """The name of the database's last snapshot; "" if there is no database any more."""
    databases: tuple[SpareDatabase, ...] = ()
    secrets: tuple[str, ...] = ()
    """Names of the secrets that corral has made."""

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be done."""
        return not (self.stacks or self.databases or self.secrets)

    @property
    def upper(self) -> tuple[Doomed, ...]:
        """The stacks that use the database: they go before every database does."""
        return self.stacks[: self._first_lower]

    @property
    def lower(self) -> tuple[Doomed, ...]:
        """The database's stack, and those that it stands on."""
        return self.stacks[self._first_lower :]

    @property
    def _first_lower(self) -> int:
        return sum(isinstance(each.stack, HostPool | ControlPlane) for each in self.stacks)

    @property
    def pools(self) -> tuple[str, ...]:
        """The pools that go."""
        stacks = (doomed.stack for doomed in self.stacks)
        return tuple(stack.pool for stack in stacks if isinstance(stack, HostPool))


def find_ending(spec: ClusterSpec, states: States) -> Ending:
    """Return what is left of a cluster, as its states tell it.

    Raises:
        PrerequisiteError: Something is left above a stack that is gone.
    """
    built = {name for name, state in states.items() if not state.is_empty}
    known = {stack.name: stack for stack in _stacks(spec, states)}
    if lost := sorted(built - known.keys()):
        raise PrerequisiteError(
            f"Nothing was changed: {', '.join(lost)} cannot be destroyed, since the states of the"
            f" stacks below have lost what they need; build the cluster first, with build-cluster"
            f"/{spec.name}, then destroy it."
        )
    doomed = [
        Doomed(_unguarded(stack, states), tuple(states[name].attributes))
        for name, stack in known.items()
        if name in built
    ]
    snapshot = _snapshot_in(states)
    return Ending(spec.name, tuple(reversed(doomed)), snapshot)


def find_ending_of_pool(spec: ClusterSpec, states: States, pool: str) -> Ending:
    """Return what is left of one pool.

    Raises:
        PrerequisiteError: There is no such pool, in the cluster file or among the states.
    """
    name = f"{HostPool.folder}/{pool}"
    known = [*(each.name for each in spec.pools), *_forgotten(spec, states)]
    if pool not in known and name not in states:
        raise PrerequisiteError(
            f"{spec.name} has no pool {pool}: there are {', '.join(known) or 'none'}."
        )
    whole = find_ending(spec, states)
    stacks = tuple(doomed for doomed in whole.stacks if doomed.stack.name == name)
    return replace(whole, name=pool, stacks=stacks, snapshot="")


def name_last_snapshot(identifier: str, resource_id: str) -> str:
    """Return the name of the snapshot that is taken when a database ends.

    The same in every run that ends this one, and another for a database that is made later under
    the same name.

    Args:
        identifier: As people call it: `lab-database`.
        resource_id: As RDS calls this one, and never another: `db-ABCDEFGHIJKLMNOPQRSTUVWXYZ`.

    """
    mark = resource_id.removeprefix("db-")[:_ID_LENGTH].lower()
    return f"{identifier}-final-{mark}" if mark else f"{identifier}-final"


def _stacks(spec: ClusterSpec, states: States) -> Iterator[Stack[Any]]:
    """Yield the stacks that can be told from what is there, in the order of a build."""
    network = Vpc.of(spec)
    yield network
    vpc = _outputs(network, states)
    if vpc is None:
        return
    security = SecurityGroups.of(spec, vpc)
    yield security
    groups = _outputs(security, states)
    if groups is None:
        return
    below = vpc, groups
    standing = standing_in(_state(Database.folder, states).attributes, spec.name)
    store = Database.of(spec, *below, standing)
    yield store
    database = _outputs(store, states)
    if database is None:
        return
    plane = ControlPlane.of(spec, *below, database)
    yield plane
    control = _outputs(plane, states)
    if control is None:
        return
    for pool in (*spec.pools, *_forgotten(spec, states).values()):
        yield HostPool.of(spec, *below, control, pool)


def _forgotten(spec: ClusterSpec, states: States) -> dict[str, Pool]:
    """Return pools that the cluster file no longer names, but that have a state, by name.

    What they were like does not matter: all that is in a state goes, whatever its variables say.
    """
    named = {pool.name for pool in spec.pools}
    prefix = f"{HostPool.folder}/"
    found = sorted(name.removeprefix(prefix) for name in states if name.startswith(prefix))
    return {name: _any_pool(spec, name) for name in found if name not in named}


def _any_pool(spec: ClusterSpec, name: str) -> Pool:
    environment = next((each.name for each in spec.rancher.environments), name)
    return Pool(
        name=name,
        environment=environment,
        role=name,
        instance_type=spec.control.instance_type,
        minimum=0,
        maximum=1,
        scaling=ScaleOnCpu(kind="cpu", target_percent=50),
    )


def _outputs(stack: Stack[Out], states: States) -> Out | None:
    """Return what a stack hands over; None if it is not built, or goes already."""
    try:
        return stack.read_outputs(dict(_state(stack.name, states).outputs))
    except ValidationError:
        return None


def _state(name: str, states: States) -> StackState:
    return states.get(name, StackState())


def _unguarded(stack: Stack[Any], states: States) -> Stack[Any]:
    if isinstance(stack, Database):
        last = {"final_snapshot": name} if (name := _snapshot_in(states)) else {}
        return stack.model_copy(update={"deletion_protection": False, **last})
    if isinstance(stack, ControlPlane):
        return stack.model_copy(update={"deletion_protection": False})
    return stack


def _snapshot_in(states: States) -> str:
    instance = _state(Database.folder, states).attributes.get(INSTANCE)
    if instance is None:
        return ""
    return name_last_snapshot(instance["identifier"], instance.get("resource_id") or "")


def as_markdown(ending: Ending) -> str:
    """Return what goes, for people, in the order in which it does."""
    rows = [
        f"| `{doomed.stack.name}` | {len(doomed.addresses)} |"
        f" {', '.join(f'`{one}`' for one in doomed.guarded) or '-'} |"
        for doomed in ending.stacks
    ]
    lines = ["| stack | resources | protected until now |", "|---|---|---|", *rows]
    if ending.pools:
        hosts = (
            f"The hosts of {', '.join(ending.pools)} leave Rancher first, with their containers."
        )
        lines += ["", hosts]
    for spare in ending.databases:
        last = f", after its last snapshot `{spare.snapshot}`" if spare.snapshot else ""
        lines += ["", f"The database `{spare.identifier}`, which is in no state, goes too{last}."]
    if ending.snapshot:
        lines += ["", f"The database's last snapshot will be `{ending.snapshot}`; it stays."]
    if ending.secrets:
        secrets = ", ".join(f"`{name}`" for name in ending.secrets)
        lines += ["", f"Secrets that can be called back for a while: {secrets}."]
    return "\n".join(lines)
