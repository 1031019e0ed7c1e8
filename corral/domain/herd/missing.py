"""The other direction: a pool's instances that are no host, and labels without an instance."""

from collections.abc import Iterable, Iterator

from corral.domain.herd.instances import Instance
from corral.domain.herd.matching import INSTANCE_ID, is_foreign, is_going
from corral.domain.herd.verdicts import Finding, Verdict
from corral.domain.herd.view import Rule, View
from corral.domain.hosts import Host


def find_absent(hosts: Iterable[Host], instances: Iterable[Instance], rule: Rule) -> frozenset[str]:
    """Return the instance ids that hosts of this account and region say, and EC2's list lacks.

    The groups' records, and EC2 by id, are to be asked for them before anything is judged. What is
    no id, and what is judged without one, is nobody asked for.
    """
    known = {instance.id for instance in instances}
    return frozenset(
        host.instance_id
        for host in hosts
        if host.instance_id not in known
        and INSTANCE_ID.fullmatch(host.instance_id)
        and not is_going(host)
        and not is_foreign(host, rule)
    )


def find_missing(view: View, rule: Rule) -> list[Instance]:
    """Return the pools' instances that should be hosts by now.

    A group that is terminating one has drained it: the groups are to be asked which those are.
    """
    return [
        instance for instance in _without_host(view, rule) if not _is_young(instance, view, rule)
    ]


def judge_instances(view: View, rule: Rule) -> Iterator[Finding]:
    """Yield a finding for each instance of a pool that is no host."""
    for instance in _without_host(view, rule):
        if _is_young(instance, view, rule):
            yield _finding(instance, Verdict.JOINING, f"{instance.id} was launched just now.")
            continue
        reason = (
            f"{instance.id} of {instance.pool} has run since {instance.launched:%Y-%m-%d %H:%M} UTC"
            " and is no host: look at `journalctl -u corral-join` on the machine."
        )
        yield _finding(instance, Verdict.MISSING, reason)


def _without_host(view: View, rule: Rule) -> Iterator[Instance]:
    labelled = {host.instance_id for host in view.hosts}
    unlabelled = [host for host in view.hosts if not host.instance_id]
    places = {place for host in unlabelled for place in (host.hostname, host.address)} - {""}
    for instance in view.instances:
        if not instance.is_running or instance.cluster != rule.cluster or not instance.pool:
            continue
        if instance.id in labelled or instance.id in view.leaving:
            continue
        if not places & {instance.private_dns, instance.private_ip}:
            yield instance


def _is_young(instance: Instance, view: View, rule: Rule) -> bool:
    return view.now - instance.launched < rule.join_grace


def _finding(instance: Instance, verdict: Verdict, reason: str) -> Finding:
    return Finding(None, instance.id, "", instance.pool, verdict, None, reason)
