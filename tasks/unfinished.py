"""Prefect's view of what an upgrade or a restore that died has left: a build must not meet it."""

from collections.abc import Mapping
from typing import Any

import boto3

from corral.clients.aws import find_group, read_instance
from corral.clients.rancher import RancherClient
from corral.cluster import ClusterSpec
from corral.domain.standing import INSTANCE
from corral.domain.unfinished import Serving, find_half_restore, find_half_upgrade
from corral.errors import PrerequisiteError
from tasks import connect
from tasks.databases import state_of
from tasks.probes import rancher_url
from tasks.restores import last_restore
from tasks.retries import patient_task
from tasks.upgrades import open_attempts


@patient_task("check-what-is-unfinished-in-{spec.name}", "aws", "rancher")
def check_finished(spec: ClusterSpec) -> None:
    """Make sure that no upgrade and no restore has left the database to its next run.

    Raises:
        PrerequisiteError: One has; the error says which flow goes on with it.
    """
    session = connect.aws(spec.aws)
    database = state_of(spec).attributes.get(INSTANCE, {})
    if found := _half_upgrade(spec, session, database) or _half_restore(spec, session, database):
        raise PrerequisiteError(found)


def _half_upgrade(spec: ClusterSpec, session: boto3.Session, database: Mapping[str, Any]) -> str:
    newest = next(iter(open_attempts(session, database)), None)
    return find_half_upgrade(spec.name, newest, _serving(spec, session)) if newest else ""


def _half_restore(spec: ClusterSpec, session: boto3.Session, database: Mapping[str, Any]) -> str:
    last = last_restore(spec, session)
    # A cluster that was destroyed since has neither of the two instances.
    if last is None or read_instance(session, last.identifier) is None:
        return ""
    return find_half_restore(spec.name, last, database.get("identifier", ""))


def _serving(spec: ClusterSpec, session: boto3.Session) -> Serving:
    group = find_group(session, f"{spec.name}-control")
    running = RancherClient(rancher_url(spec), attempts=1).version()
    return Serving(group.desired if group else 0, running)
