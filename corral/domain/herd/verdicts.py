"""What is said of a host, and what follows from it."""

from dataclasses import dataclass
from enum import StrEnum

from corral.domain.alerts import Problem
from corral.domain.herd.watch import Watch
from corral.domain.hosts import Host


class Verdict(StrEnum):
    """What a host, or an instance without one, is."""

    HEALTHY = "healthy"
    JOINING = "joining"
    """Still within the time that joining may take."""
    MISSING = "missing"
    """A pool's instance runs, but there is no host of it."""
    INACTIVE = "inactive"
    """All is well, but somebody took it out of service: no containers are placed there."""
    SILENT = "silent"
    """The instance runs, the agent does not answer."""
    STOPPED = "stopped"
    """Not dead: it comes back with the same host."""
    LEAVING = "leaving"
    """The instance is shutting down, or somebody is removing the host."""
    STUCK = "stuck"
    """Half-way through its removal for too long."""
    VETOED = "vetoed"
    """EC2 says dead, the agent answers."""
    DYING = "dying"
    """Dead in EC2, but Rancher has not given the agent up yet."""
    ORPHANED = "orphaned"
    """Dead by both witnesses."""
    AMBIGUOUS = "ambiguous"
    """Nobody can tell which machine it is, or whether that is dead."""
    FOREIGN = "foreign"
    """Not a machine of this account and region."""


class Evidence(StrEnum):
    """How the death of an instance is known."""

    TERMINATED = "terminated"
    """EC2 lists it so."""
    RECORDED = "recorded"
    """The auto scaling group's own record says that it terminated it."""
    ABSENT = "absent"
    """EC2 does not know it: weaker, since a wrong answer looks the same."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one host, or about an instance without a host.

    `instance_id`, `project_id` and `pool` are empty where unknown; `reason` is a sentence for
    people, empty for a host that is just healthy.
    """

    host: Host | None
    instance_id: str
    project_id: str
    pool: str
    verdict: Verdict
    evidence: Evidence | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """One host to be removed, as it was when that was decided."""

    host: Host
    instance_id: str
    evidence: Evidence
    reason: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a whole run removes nothing: the guard that spoke, and what it said."""

    guard: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything that one look at the herd comes to.

    `capped` has one sentence for each environment where caps keep hosts from being removed,
    `settled` the kinds of problems that this run could judge, `watch` what the next has to know.
    """

    findings: tuple[Finding, ...]
    refusals: tuple[Refusal, ...]
    removals: tuple[Removal, ...]
    capped: tuple[str, ...]
    watch: Watch
    problems: tuple[Problem, ...]
    settled: frozenset[str]
