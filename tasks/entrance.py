"""The way into a cluster for flows that look after its hosts: its own account, then its Rancher."""

from dataclasses import dataclass
from datetime import timedelta

import boto3

from corral.clients.aws import check_account
from corral.clients.rancher import Patience, RancherClient, admin_secret, read_admin_key
from corral.cluster import ClusterSpec
from tasks import connect
from tasks.probes import rancher_url, vault


@dataclass(frozen=True, slots=True)
class Entrance:
    """A cluster's own AWS, and its Rancher as an administrator; `rancher` is None before set-up."""

    session: boto3.Session
    rancher: RancherClient | None


def enter(spec: ClusterSpec) -> Entrance:
    """Return the way in.

    Raises:
        CorralError: It is not the cluster's account or region, or AWS lets nobody in.

    """
    session = connect.aws(spec.aws)
    check_account(session, spec.aws.account_id)
    key = read_admin_key(vault(spec, session), spec.name)
    return Entrance(session, RancherClient(rancher_url(spec), key) if key else None)


def say_unbuilt(spec: ClusterSpec) -> str:
    """Return why nothing is to be done in a cluster whose Rancher has no administrator yet."""
    return f"{spec.name} has no administrator's key in {admin_secret(spec.name)}: it is not built."


def removal_patience() -> Patience:
    """Return how long one run waits for a host that it removes, and how often it looks."""
    settings = connect.settings()
    return Patience(
        deadline=timedelta(seconds=settings.removal_deadline_s),
        interval=timedelta(seconds=settings.removal_interval_s),
    )
