"""What a host is, going by what Rancher and EC2 say of it: one ladder, the first rung that fits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from corral.domain.herd.instances import PENDING, STOPPED_STATES, Instance
from corral.domain.herd.matching import Match, Matching, is_going
from corral.domain.herd.verdicts import Evidence, Finding, Verdict
from corral.domain.herd.view import Rule
from corral.domain.herd.watch import Watch
from corral.domain.hosts import ACCOUNT_LABEL, REGION_LABEL, Host
from corral.domain.steps import REMOVING, Move

DEACTIVATING = "deactivating"
INACTIVE = "inactive"
MOVING_STATES = frozenset({DEACTIVATING, REMOVING})

# Rancher hears of the agent, or still waits for it. Source: cattle, agent process states.
HEARD_STATES = frozenset({"reconnecting", "reconnected", "finishing-reconnect", "updating-active"})

# The agent is on its way up; neither silent nor yet there. Source: cattle, agent process states.
ARRIVING_STATES = frozenset(
    {"requested", "registering", "activating", "reconnected", "finishing-reconnect"}
)

Opinion = tuple[Verdict, Evidence | None, str]


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that a judgement may need besides the host and its instance.

    `doubt` says why an instance's absence from EC2's list proves nothing in this run.
    """

    rule: Rule
    now: datetime
    records: Mapping[str, str]
    matching: Matching
    watch: Watch
    doubt: str

    def lasts(self, since: datetime | None) -> bool:
        """Say whether something has been so for longer than anything should take."""
        return since is not None and self.now - since >= self.rule.stuck_after

    def has_been_absent(self, host: Host) -> bool:
        """Say whether EC2 has not known a host's instance for so long that it has forgotten it.

        What has ended is listed for about an hour, so what is missed sooner may be missed by
        mistake.

        Source: EC2 API reference, DescribeInstances: recently terminated instances.
        """
        since = self.watch.absent.get(host.id, self.now)
        return self.now - since >= self.rule.absence


def is_arriving(host: Host) -> bool:
    """Say whether a host's agent is on its way up."""
    return host.agent_state in ARRIVING_STATES


def judge(match: Match, case: Case) -> Finding:
    """Return what a host is, and why."""
    host = match.host
    opinion = _opinion(match, case)
    if not _can_go(host, opinion) and case.lasts(case.watch.moving.get(host.id)):
        opinion = _stuck(host, case.watch.moving[host.id])
    verdict, evidence, reason = opinion
    pool = match.instance.pool if match.instance else ""
    instance_id = match.instance_id or host.instance_id
    return Finding(host, instance_id, host.project_id, pool, verdict, evidence, reason)


def _opinion(match: Match, case: Case) -> Opinion:
    if is_going(match.host):
        return Verdict.LEAVING, None, f"somebody is removing it: it is {match.host.state}."
    if match.misfit:
        return match.misfit, None, match.reason
    if match.instance is None or match.instance.is_terminated:
        return _of_dead(match, case)
    return _of_living(match.host, match.instance, case)


def _can_go(host: Host, opinion: Opinion) -> bool:
    """Say whether a host that hangs between two states hangs on nothing but us."""
    return opinion[0] is Verdict.ORPHANED and Move.REMOVE in host.actions


def _stuck(host: Host, since: datetime) -> Opinion:
    reason = (
        f"it has been {host.state} since {since:%Y-%m-%d %H:%M} UTC or longer: look for its process"
        " under Admin, Processes in Rancher; as a rule it helps to restart the server that runs it."
    )
    return Verdict.STUCK, None, reason


def _of_living(host: Host, instance: Instance, case: Case) -> Opinion:
    if instance.state in STOPPED_STATES:
        return Verdict.STOPPED, None, f"{instance.id} is {instance.state}, which is not dead."
    if not instance.is_living:
        return Verdict.LEAVING, None, f"{instance.id} is {instance.state}."
    if host.is_connected:
        return _of_connected(host)
    if instance.state == PENDING or (is_arriving(host) and _is_young(instance, case)):
        return Verdict.JOINING, None, f"{instance.id} is {instance.state}, its agent is on its way."
    reason = (
        f"{instance.id} is {instance.state}, but its agent is {host.agent_state or 'unknown'}: look"
        f" at the machine, at `docker logs rancher-agent` and at its way to Rancher."
    )
    return Verdict.SILENT, None, reason


def _of_connected(host: Host) -> Opinion:
    if host.state != INACTIVE:
        return Verdict.HEALTHY, None, ""
    reason = (
        "it was taken out of service, so no containers are placed there: activate it in Rancher"
        " unless somebody means it to be so."
    )
    return Verdict.INACTIVE, None, reason


def _of_dead(match: Match, case: Case) -> Opinion:
    host = match.host
    evidence, said = _evidence(match, case.records)
    if host.is_connected:
        return _of_answering(match, case, said)
    if not (host.is_disconnected or _is_given_up(match, case, evidence)):
        return Verdict.DYING, evidence, f"{said}; Rancher still waits for its agent."
    doubt = case.matching.find_double(host) or _doubt_of_absence(host, evidence, case)
    if doubt:
        return Verdict.AMBIGUOUS, evidence, doubt
    if evidence is Evidence.ABSENT and not case.has_been_absent(host):
        hours = case.rule.absence.total_seconds() / 3600
        return Verdict.DYING, evidence, f"{said}; that has to last for {hours:g} h."
    return Verdict.ORPHANED, evidence, f"{said}, and {_say_silence(host)}."


def _is_given_up(match: Match, case: Case, evidence: Evidence) -> bool:
    """Say whether a dead machine's agent, which never was there, need not be waited for any more.

    Rancher gives up only an agent that was connected: one whose machine ends while it registers
    stays as it is for ever. What proves its death has to be more than its absence.
    """
    if evidence is Evidence.ABSENT or match.host.agent_state in HEARD_STATES:
        return False
    return case.lasts(case.watch.dying.get(match.host.id))


def _say_silence(host: Host) -> str:
    if host.is_disconnected:
        return "Rancher has given up its agent"
    return f"its agent, which is {host.agent_state or 'unknown'}, has not answered since"


def _evidence(match: Match, records: Mapping[str, str]) -> tuple[Evidence, str]:
    if match.instance is not None:
        return Evidence.TERMINATED, f"EC2 says that {match.instance_id} is terminated"
    record = records.get(match.instance_id)
    if record:
        said = f"EC2 no longer knows {match.instance_id}, its group noted: {record.rstrip('.')}"
        return Evidence.RECORDED, said
    return Evidence.ABSENT, f"EC2 does not know {match.instance_id}"


def _of_answering(match: Match, case: Case, said: str) -> Opinion:
    """Return the verdict on a host that is dead in EC2, and whose agent is said to answer.

    Just after the end of a machine that is so for every host: Rancher takes its time to notice.
    """
    if match.instance is not None and not case.lasts(case.watch.dying.get(match.host.id)):
        return Verdict.DYING, Evidence.TERMINATED, f"{said}; Rancher has not noticed yet."
    reason = (
        f"{said}, but its agent answers, so it stays: see which machine it is, and whether its"
        " label names another one."
    )
    return Verdict.VETOED, None, reason


def _doubt_of_absence(host: Host, evidence: Evidence, case: Case) -> str:
    """Return why it proves nothing that EC2 does not know a host's instance."""
    if evidence is not Evidence.ABSENT:
        return ""
    if case.doubt:
        return case.doubt
    unsaid = [label for label in (ACCOUNT_LABEL, REGION_LABEL) if label not in host.labels]
    if unsaid:
        return (
            f"EC2 does not know {host.instance_id}, but the host does not say that it is of this"
            f" account and region ({', '.join(unsaid)}): remove it in Rancher by hand if its"
            " machine is gone."
        )
    if case.now - host.created < case.rule.join_grace:
        return f"EC2 does not know {host.instance_id}, but may not list it yet: it joined just now."
    return ""


def _is_young(instance: Instance, case: Case) -> bool:
    return case.now - instance.launched < case.rule.join_grace
