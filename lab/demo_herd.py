"""The demo's second part: machines die, drain and stop, and the flows tell them apart."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import boto3
import requests

from lab.ready import Ready

CLUSTER = "lab"
SCALED = "web"
"""The pool that grows by one host and shrinks again."""
CRASHED = ("celery", "crawler")
"""The pools that lose a machine each."""
WAIT_S = 180.0
TIMEOUT_S = 10.0

Row = Mapping[str, Any]
Run = Callable[..., None]
Say = Callable[[str], None]


class HerdError(Exception):
    """The herd is not as the demo left it."""


@dataclass(frozen=True, slots=True)
class Fates:
    """What happened to whom: ids of host rows."""

    crashed: frozenset[str]
    drained: frozenset[str]
    stopped: frozenset[str]


def show_herd(ready: Ready, say: Say, run: Run) -> Fates:
    """Let machines crash, drain and stop; have the flows sort them out; and see that they did.

    Args:
        ready: Where the lab is.
        say: Tells a line of the story.
        run: Runs a flow's deployment to its end, with these parameters.

    Raises:
        HerdError: Something did not happen, or happened to the wrong host.

    """
    stage = _Stage(ready)
    say(f"{SCALED} grows by one host")
    stage.resize(SCALED, +1)
    _await("the new host is active", lambda: stage.lacking() == 0)

    crashed = frozenset(stage.crash(pool) for pool in CRASHED)
    say(f"two machines crash without a word, those of the hosts {_list(crashed)}")

    before = stage.living(SCALED)
    stage.resize(SCALED, -1)
    say(f"{SCALED} shrinks by one: its group picks a machine, and holds it until it is drained")
    # Its deployment listens for minutes; here it is to end when nothing is left to do
    run("drain-hosts", "listen_s=0")
    drained = before - stage.living(SCALED)

    stopped = stage.stop(SCALED)
    say(f"the machine of host {stopped} is taken out of its group and stopped, in an orderly way")
    say("waiting until Rancher calls the agents of these three disconnected")
    silent = crashed | {stopped}
    _await("the agents are disconnected", lambda: stage.are_disconnected(silent))
    run("reconcile-hosts")
    fates = Fates(crashed, drained, frozenset({stopped}))
    _check(stage, fates)
    return fates


class _Stage:
    """The lab from outside: AWS's API, and the lever."""

    def __init__(self, ready: Ready) -> None:
        session = boto3.Session(
            aws_access_key_id="lab", aws_secret_access_key="lab", region_name="us-east-1"
        )
        self._groups = session.client("autoscaling", endpoint_url=ready.aws_endpoint)
        self._ec2 = session.client("ec2", endpoint_url=ready.aws_endpoint)
        self._lever = ready.control_url

    def resize(self, pool: str, by: int) -> None:
        """Change the size that a pool's group shall have."""
        size = self._group(pool)["DesiredCapacity"] + by
        self._groups.set_desired_capacity(
            AutoScalingGroupName=_name(pool), DesiredCapacity=size, HonorCooldown=False
        )

    def crash(self, pool: str) -> str:
        """Let one machine of a pool die, and return its host."""
        host = self._hosts(pool)[0]
        instance_id = host["labels"]["aws.instance_id"]
        url = f"{self._lever}/instances/{instance_id}/crash"
        requests.post(url, json={}, timeout=TIMEOUT_S).raise_for_status()
        return str(host["id"])

    def stop(self, pool: str) -> str:
        """Stop one machine of a pool, and return its host.

        Auto Scaling replaces what is stopped, unless it is in standby.
        """
        host = self._hosts(pool)[0]
        instance_ids = [host["labels"]["aws.instance_id"]]
        self._groups.enter_standby(
            InstanceIds=instance_ids,
            AutoScalingGroupName=_name(pool),
            ShouldDecrementDesiredCapacity=False,
        )
        self._ec2.stop_instances(InstanceIds=instance_ids)
        return str(host["id"])

    def living(self, pool: str) -> frozenset[str]:
        """Return the hosts of a pool that Rancher has not removed."""
        return frozenset(str(row["id"]) for row in self._rows(pool) if not row["removed"])

    def removed(self) -> frozenset[str]:
        """Return all hosts that Rancher has removed."""
        return frozenset(str(row["id"]) for row in self._rows() if row["removed"])

    def lacking(self) -> int:
        """Return how many hosts the growing pool still lacks."""
        return int(self._group(SCALED)["DesiredCapacity"]) - len(self._hosts(SCALED))

    def are_disconnected(self, host_ids: frozenset[str]) -> bool:
        """Say whether Rancher has given up on the agents of these hosts."""
        rows = [row for row in self._rows() if row["id"] in host_ids]
        return all(row["agentState"] == "disconnected" for row in rows)

    def _group(self, pool: str) -> Row:
        answer = self._groups.describe_auto_scaling_groups(AutoScalingGroupNames=[_name(pool)])
        return cast("Row", answer["AutoScalingGroups"][0])

    def _hosts(self, pool: str) -> list[Row]:
        """Return the healthy hosts of a pool, the oldest first."""
        rows = (row for row in self._rows(pool) if not row["removed"])
        return [row for row in rows if row["state"] == row["agentState"] == "active"]

    def _rows(self, pool: str | None = None) -> list[Row]:
        rows: list[Row] = requests.get(f"{self._lever}/hosts", timeout=TIMEOUT_S).json()
        return [row for row in rows if pool in (None, row["labels"].get("role"))]


def _check(stage: _Stage, fates: Fates) -> None:
    if len(fates.drained) != 1:
        raise HerdError(f"one host should be drained, not {_list(fates.drained) or 'none'}")
    expected = fates.crashed | fates.drained
    if stage.removed() != expected:
        raise HerdError(
            f"{_list(expected)} should be removed and no other, but removed are"
            f" {_list(stage.removed()) or 'none'}"
        )


def _await(what: str, probe: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not probe():
        if time.monotonic() > deadline:
            raise HerdError(f"{what}: not within {WAIT_S:.0f} s")
        time.sleep(0.5)


def _name(pool: str) -> str:
    return f"{CLUSTER}-{pool}"


def _list(ids: Iterable[str]) -> str:
    return " and ".join(sorted(ids))
