"""When nothing that was read is to be believed: the guards of a run, one after the other.

The first that speaks ends the run, so that one cause is told once. The order goes from causes to
what follows from them: with an empty list no canary lives either, and a restart silences many.
"""

from collections.abc import Iterable, Sequence

from corral.domain.herd.judging import is_arriving
from corral.domain.herd.matching import Match, is_going
from corral.domain.herd.verdicts import Refusal
from corral.domain.herd.view import Rule, View
from corral.domain.herd.watch import Watch
from corral.domain.herd.wording import named, span

EMPTY, SHORT, RESTART, MASS, CANARY = "empty-ec2", "short-ec2", "restart", "mass", "canary"
GUARDS = (EMPTY, SHORT, RESTART, MASS, CANARY)


def find_refusal(view: View, rule: Rule, matches: Sequence[Match], watch: Watch) -> Refusal | None:
    """Return why this run must not remove anything; None if it may.

    Args:
        view: What was read.
        rule: What the run goes by.
        matches: Every host that nobody is removing yet.
        watch: Since when Rancher's servers are known.
    """
    sentences = (
        (EMPTY, _find_empty(view, rule)),
        (SHORT, _find_short(view, rule)),
        (RESTART, _find_restart(view, rule, watch)),
        (MASS, _find_mass(matches)),
        (CANARY, _find_no_canary(matches, rule)),
    )
    return next((Refusal(guard, said) for guard, said in sentences if said), None)


def judged_guards(refusal: Refusal | None) -> frozenset[str]:
    """Return the guards that were asked: those after one that spoke were not."""
    asked = GUARDS.index(refusal.guard) + 1 if refusal else len(GUARDS)
    return frozenset(GUARDS[:asked])


def find_doubt_of_absence(matches: Iterable[Match]) -> str:
    """Return why no absence from EC2's list proves anything; empty if it may.

    Who misses one that lives may miss others.
    """
    missed = [match for match in matches if match.is_absent and match.host.is_connected]
    if not missed:
        return ""
    example = missed[0]
    return (
        f"EC2 does not know it, but it does not know {example.instance_id} of host"
        f" {example.host.id} either, whose agent answers: EC2's list proves nothing."
    )


def _find_empty(view: View, rule: Rule) -> str:
    if view.instances:
        return ""
    living = [host for host in view.hosts if not is_going(host)]
    if not any(host.is_connected or host.instance_id for host in living):
        return ""
    connected = sum(host.is_connected for host in living)
    return (
        f"EC2 lists no instance at all in {_place(rule)}, but Rancher has {len(living)} hosts,"
        f" {connected} of them connected: see with `aws ec2 describe-instances` what this worker's"
        " credentials are shown. Nothing is removed until EC2 lists instances again."
    )


def _find_short(view: View, rule: Rule) -> str:
    """Say so if EC2 does not know a member of a group: it knows even what has ended."""
    missed = sorted(view.members.keys() - {instance.id for instance in view.instances})
    if not missed:
        return ""
    groups = sorted({view.members[instance_id] for instance_id in missed})
    return (
        f"EC2 does not know {named(missed)} in {_place(rule)}, which {named(groups)} has:"
        " its list is not whole, so nothing is removed by it. The next run asks again; if"
        " this lasts, see with `aws ec2 describe-instances` whether they are there, and whether"
        " processes of the group are suspended, so that it keeps what has ended."
    )


def _find_restart(view: View, rule: Rule, watch: Watch) -> str:
    if all(host.is_connected or is_going(host) for host in view.hosts):
        return ""
    started = _started_servers(view, rule, watch)
    if not started:
        return ""
    return (
        f"{named(started)} of Rancher's servers started less than {span(rule.quiet)} ago, and"
        " agents need that time to come back: nothing is removed until it is over. There is nothing"
        " to do if the restart was meant."
    )


def _started_servers(view: View, rule: Rule, watch: Watch) -> list[str]:
    """Return the servers that have not been up for the quiet time."""
    known = [
        name for name in view.servers if view.now - watch.servers.get(name, view.now) < rule.quiet
    ]
    machines = [
        f"{instance.id} {instance.private_ip}"
        for instance in view.instances
        if instance.cluster == rule.cluster
        and not instance.pool
        and instance.is_living
        and view.now - instance.launched < rule.quiet
    ]
    return sorted(known) + sorted(machines)


def _find_mass(matches: Iterable[Match]) -> str:
    """Say so if most of the machines that run are silent: that is us or the network, not they."""
    running = [match.host for match in matches if match.is_running]
    silent = [host.id for host in running if not (host.is_connected or is_arriving(host))]
    if 2 * len(silent) <= len(running):
        return ""
    return (
        f"{len(silent)} of {len(running)} hosts whose instances run are silent, {named(silent)}:"
        " that is more likely Rancher, its load balancer or the network than the hosts. Look there;"
        " nothing is removed until at least half of them answer."
    )


def _find_no_canary(matches: Iterable[Match], rule: Rule) -> str:
    """Say so if something is said to be dead while nothing is known to be seen alive.

    A connected host that EC2 lists as running proves that its list is of the right account and
    region. Nothing has to be proven as long as every instance is found and lives.
    """
    mapped = [match for match in matches if match.misfit is None]
    dead = sum(match.is_dead for match in mapped)
    connected = [match for match in mapped if match.host.is_connected]
    if not dead or any(match.is_running for match in connected):
        return ""
    if connected:
        return (
            f"EC2 lists none of the {len(connected)} connected hosts as running in {_place(rule)}:"
            " see whether the account and the region are the hosts' own, and what this worker's"
            " credentials are shown. Nothing is removed until one of them is found."
        )
    return (
        f"No host is connected, so nothing proves that EC2's list is the herd's, and {dead} hosts"
        " are dead in it: look at the agents' way to Rancher. If the herd is meant to be empty,"
        " remove them in Rancher by hand."
    )


def _place(rule: Rule) -> str:
    return f"account {rule.account_id}, {rule.region}"
