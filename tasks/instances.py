"""Instances that are made from what there is of others, waited for and looked into."""

from collections.abc import Callable, Sequence

import boto3

from corral.clients import aws
from corral.clients.polling import Waiting
from corral.domain.restores import DatabaseFacts, Shape, Source, find_lacks
from corral.errors import PrerequisiteError
from tasks import connect
from tasks.databases import look_into
from tasks.waiting import wait_for

STEADY = 2
"""Looks in a row at an instance that settles: RDS begins with a change some seconds later."""

Tell = Callable[[Waiting], None]
Look = Callable[[aws.Instance, str], DatabaseFacts]


def restore_into(
    session: boto3.Session,
    source: Source,
    shape: Shape,
    *,
    origin: str,
    password: str,
    tell: Tell,
    look_into: Look = look_into,
) -> DatabaseFacts:
    """Restore into an instance, new or half made by a run that died, and see that it is Rancher's.

    Args:
        session: In the region of the source.
        source: Snapshot or moment.
        shape: Of the instance.
        origin: The instance whose moment is meant.
        password: What its user gets.
        tell: Hears what is waited for.
        look_into: Comes into an instance with a password, and tells what is there.

    Raises:
        GateTimeoutError: It was not there in time, or did not let us in.
        PrerequisiteError: It cannot be reached from here, or what is in it is no use.

    """
    name = shape.identifier

    def make() -> list[str]:
        if aws.read_instance(session, name) is None:
            aws.restore_instance(session, source, shape, origin)
        return _unready(session, name)

    def give_password() -> list[str]:
        return [] if aws.set_password(session, name, password) else [f"{name} is busy"]

    seen: list[DatabaseFacts] = []

    def look() -> list[str]:
        instance = aws.read_instance(session, name)
        if instance is None or not instance.is_ready:
            return [f"{name} is not ready"]
        seen.append(look_into(instance, password))
        return []

    _wait(f"{name}, from {source}, is there", make, tell)
    _wait(f"{name} takes its password", give_password, tell)
    _wait(f"{name} has settled", lambda: _unready(session, name), tell, passes=STEADY)
    _wait(f"{name} lets us in", look, tell)
    if lacks := find_lacks(seen[-1]):
        raise PrerequisiteError(
            f"The instance {name}, restored from {source}, is no use: {'; '.join(lacks)}."
            " Nothing else was changed; restore from another source."
        )
    return seen[-1]


def throw_away(session: boto3.Session, name: str, tell: Tell) -> None:
    """Delete an instance and its backups, and wait until it is gone.

    Raises:
        GateTimeoutError: It is still there.
    """

    def end() -> list[str]:
        instance = aws.read_instance(session, name)
        if instance is None:
            return []
        if instance.status != aws.DELETING:
            aws.throw_away(session, name)
        return [f"{name} is {instance.status}"]

    _wait(f"{name} is gone", end, tell)


def _unready(session: boto3.Session, name: str) -> list[str]:
    instance = aws.read_instance(session, name)
    if instance is None:
        return [f"{name} is not there"]
    if instance.status in aws.BROKEN:
        raise PrerequisiteError(
            f"The instance {name} is {instance.status}, and stays so: delete it, then run again."
        )
    return [] if instance.is_ready else [f"{name} is {instance.status}"]


def _wait(what: str, probe: Callable[[], Sequence[str]], tell: Tell, *, passes: int = 1) -> None:
    wait_for(what, probe, connect.settings().restore_deadline_s, tell, passes=passes)
