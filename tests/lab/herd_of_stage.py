"""The herd of the lab's cluster: what is done to it in tests, what is left of it, who was told."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from prefect.artifacts import Artifact
from prefect.client.schemas.objects import State

from corral.clients.aws import open_session
from corral.clients.rancher import RancherClient
from corral.domain.hosts import ACTIVE, DISCONNECTED, INSTANCE_LABEL
from corral.settings import Settings, load_cluster_spec
from flows.reconcile_hosts import reconcile_hosts
from tasks import connect
from tasks.probes import administrator
from tests.lab.harness import wait_until
from tests.lab.stage import CLUSTER_FILE, Stage

SEEDED_NETWORK = "10.200."
"""Where hosts have their addresses that the lever makes up."""
AGENT_S = 90.0
"""Seconds within which Rancher gives up an agent, or hears of it again."""
SILENCE_S = 3600.0
"""Seconds that agents are silent if nobody ends it."""
WHOLE_S = 240.0
"""Seconds within which the groups have replaced whatever died."""
ENQUEUE = "POST /v2/enqueue"
OF_MACHINES = re.compile("/(join|leave)/i-")
TAKEN = range(200, 300)

Row = Mapping[str, Any]


@dataclass
class Herd:
    """The hosts of the lab's cluster as its Rancher stores them, their machines, and the alerts."""

    stage: Stage
    patch: pytest.MonkeyPatch

    @property
    def rows(self) -> dict[str, Row]:
        """Every host that is not removed, by its id."""
        rows = self.stage.lever("GET", "/hosts")
        return {row["id"]: row for row in rows if row["removed"] is None}

    @property
    def ids(self) -> set[str]:
        return set(self.rows)

    @property
    def machines(self) -> dict[str, str]:
        """Id of each host with a machine, to the instance's id."""
        return {
            host_id: row["labels"][INSTANCE_LABEL]
            for host_id, row in self.rows.items()
            if not row["agentIpAddress"].startswith(SEEDED_NETWORK)
        }

    def seed(self, phantoms: int, environment: str = "lab") -> set[str]:
        """Make up hosts whose instances are dead, given up by Rancher already; return their ids."""
        made = self.stage.lever(
            "POST", "/herd", hosts=phantoms, phantoms=phantoms, environment=environment
        )
        return set(made["phantoms"])

    def crash(self, count: int) -> set[str]:
        """Let some machines die without a word; return their hosts, once Rancher gave them up."""
        dead = dict(list(self.machines.items())[:count])
        for instance_id in dead.values():
            self.stage.lever("POST", f"/instances/{instance_id}/crash")
        self.wait_for_agents(DISCONNECTED, set(dead))
        return set(dead)

    def silence_all(self) -> set[str]:
        """Let every agent fall silent; return the hosts, once Rancher gave them up."""
        return self._partition(SILENCE_S, DISCONNECTED)

    def let_all_speak(self) -> None:
        """Let the agents answer again, and wait until Rancher has taken them back."""
        self._partition(0, ACTIVE)

    def _partition(self, seconds: float, agent_state: str) -> set[str]:
        concerned = self.machines
        for instance_id in concerned.values():
            self.stage.lever("POST", f"/instances/{instance_id}/partition", seconds=seconds)
        self.wait_for_agents(agent_state, set(concerned))
        return set(concerned)

    def wait_for_agents(self, state: str, host_ids: set[str]) -> None:
        wait_until(
            lambda: all(self.rows[each]["agentState"] == state for each in host_ids),
            AGENT_S,
            f"agents of {host_ids} {state}",
        )

    def wait_until_whole(self) -> None:
        """Wait until every member of the pools' groups is an active host, and no other is there."""
        wait_until(self._is_whole, WHOLE_S, "the herd is whole")

    def _is_whole(self) -> bool:
        groups = self.stage.client("autoscaling").describe_auto_scaling_groups()
        members = {
            member["InstanceId"]
            for group in groups["AutoScalingGroups"]
            if not group["AutoScalingGroupName"].endswith("-control")
            for member in group["Instances"]
        }
        rows = self.rows.values()
        return members == set(self.machines.values()) and all(
            row["agentState"] == "active" for row in rows
        )

    @contextmanager
    def fault(
        self,
        target: str,
        operation: str,
        *,
        match: Row | None = None,
        after: int = 0,
        **effect: Any,
    ) -> Iterator[None]:
        """Have the lab answer wrongly for as long as the block runs.

        Args:
            target: aws, rancher or alerts.
            operation: As the journal names it.
            match: What else must be so for a call to be concerned.
            after: How many calls pass before.
            effect: What is done to the others.
        """
        match = {"operation": operation, **(match or {})}
        rule = {"target": target, "match": match, "effect": effect, "times": None}
        self.stage.lever("POST", "/faults", **rule, **({"after": after} if after else {}))
        try:
            yield
        finally:
            self.stage.lever("DELETE", "/faults")

    def clear(self) -> None:
        """End what an earlier test may have left: faults, and phantoms with their alerts."""
        self.stage.lever("DELETE", "/faults")
        if not self._is_whole():
            self.limit(max_removal_percent=100, max_removals=1000)
            self.reconcile()
        self.wait_until_whole()
        self.stage.lever("DELETE", "/journal")

    def environment_id(self, name: str = "lab") -> str:
        """Return by what Rancher, and with it a problem's key, knows an environment."""
        projects = self._rancher().projects()
        return next(project.id for project in projects if project.name == name)

    def _rancher(self) -> RancherClient:
        spec = load_cluster_spec("lab", Settings())
        return administrator(spec, open_session(spec.aws.region))

    def make_environment(self, name: str) -> str:
        """Make one more environment of Rancher, wait until it is active, and return its name."""
        rancher = self._rancher()
        if not any(project.name == name for project in rancher.projects()):
            rancher.create_project(name, "", rancher.template_id("Cattle") or "")
        wait_until(
            lambda: any(p.name == name and p.state == ACTIVE for p in rancher.projects()),
            AGENT_S,
            f"environment {name}",
        )
        return name

    def restart_rancher(self) -> None:
        """Restart all servers of Rancher, and wait until hosts are connected again."""
        rancher = self._rancher()
        before = _servers(rancher)
        self.stage.lever("POST", "/servers/restart")

        def are_new() -> bool:
            now = _servers(rancher)
            return len(now) == len(before) and not now & before

        wait_until(are_new, WHOLE_S, "Rancher's servers are back")
        self.wait_for_agents(ACTIVE, set(self.machines))

    def set(self, **environment: object) -> None:
        """Change settings of corral, also for processes of their own."""
        for name, value in environment.items():
            self.patch.setenv(f"CORRAL_{name.upper()}", str(value))
            self.patch.setitem(self.stage.environment, f"CORRAL_{name.upper()}", str(value))
        connect.settings.cache_clear()

    def limit(self, **reconcile: int) -> None:
        """Change the limits in the cluster's file."""
        content = yaml.safe_load(CLUSTER_FILE.read_text())
        content["reconcile"] |= reconcile
        folder = self.stage.folder / "limited"
        folder.mkdir(exist_ok=True)
        (folder / CLUSTER_FILE.name).write_text(yaml.safe_dump(content))
        self.set(clusters_dir=folder)

    def reconcile(self, *, dry_run: bool = False) -> State[str]:
        return reconcile_hosts("lab", dry_run=dry_run, return_state=True)

    @property
    def incidents(self) -> list[tuple[str, str]]:
        """What PagerDuty has taken of the flows' own: action and key, in their order.

        Incidents that a machine may have opened are ended, unasked, with its host.
        """
        bodies = [row["body"] for row in self._told if row["operation"] == ENQUEUE]
        told = [(body["event_action"], body["dedup_key"]) for body in bodies]
        return [(action, key) for action, key in told if not OF_MACHINES.search(key)]

    @property
    def messages(self) -> list[str]:
        """What the chat has taken."""
        return [str(row["body"]) for row in self._told if row["operation"] != ENQUEUE]

    @property
    def _told(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.stage.lever("GET", "/journal")
        return [row for row in rows if row["target"] == "alerts" and row["status"] in TAKEN]

    def table(self) -> list[dict[str, str]]:
        """Return the table that the last run has left."""
        artifact = Artifact.get("hosts-lab")
        assert artifact is not None
        content = artifact.data
        rows: list[dict[str, str]] = yaml.safe_load(content)
        return rows


def _servers(rancher: RancherClient) -> set[str]:
    """Return the servers that are up, by ids that change when they start; none if unknown."""
    members = rancher.members()
    return set() if isinstance(members, str) else {member.id for member in members}
