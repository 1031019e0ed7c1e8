"""Which instance is which host: by the label, else by name or address where that is unique.

Whatever leaves room for a second reading is no match: a wrong one could cost a living host.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from corral.domain.herd.instances import Instance
from corral.domain.herd.verdicts import Verdict
from corral.domain.herd.view import Rule, View
from corral.domain.herd.wording import quoted
from corral.domain.hosts import ACCOUNT_LABEL, INSTANCE_LABEL, REGION_LABEL, Host
from corral.domain.steps import ENDED_STATES, REMOVING

INSTANCE_ID = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")


@dataclass(frozen=True, slots=True)
class Match:
    """A host and its instance.

    `instance` is None if EC2's list does not have `instance_id`. With a `misfit`, FOREIGN or
    AMBIGUOUS, there is neither, and `reason` says why.
    """

    host: Host
    instance_id: str = ""
    instance: Instance | None = None
    misfit: Verdict | None = None
    reason: str = ""

    @property
    def is_absent(self) -> bool:
        """Whether EC2's list lacks the instance that the host says it is."""
        return self.misfit is None and self.instance is None

    @property
    def is_dead(self) -> bool:
        """Whether, going by EC2 alone, the machine is gone."""
        return self.is_absent or (self.instance is not None and self.instance.is_terminated)

    @property
    def is_running(self) -> bool:
        """Whether EC2 says that the machine runs."""
        return self.instance is not None and self.instance.is_running


def is_going(host: Host) -> bool:
    """Say whether somebody is removing a host already, or has done so."""
    return host.is_removed or host.state == REMOVING or host.state in ENDED_STATES


def is_foreign(host: Host, rule: Rule) -> bool:
    """Say whether a host says that it is of another account or region."""
    return bool(_foreign_reason(host, rule))


class Matching:
    """Both lists, and everything by which a row of one is found in the other."""

    def __init__(self, view: View, rule: Rule) -> None:
        """Sort what was read; nothing is kept of it elsewhere."""
        staying = [host for host in view.hosts if not is_going(host)]
        self._rule = rule
        self._by_id = {instance.id: instance for instance in view.instances}
        self._at = _by_place(view.instances, rule)
        # A row that is being removed casts no doubt on the other row of its instance.
        self._claims = Counter(host.instance_id for host in staying if host.instance_id)
        self._claimants = {host.instance_id: host for host in staying}
        self._rows_at = Counter(place for host in staying for place in _places(host))

    def match(self, host: Host) -> Match:
        """Return a host with its instance, or why it cannot have one."""
        foreign = _foreign_reason(host, self._rule)
        if foreign:
            return Match(host, misfit=Verdict.FOREIGN, reason=foreign)
        if host.instance_id:
            return self._by_label(host)
        return self._by_place_of(host)

    def find_double(self, host: Host) -> str:
        """Return why a host may be another machine than the dead one that its label names.

        A label can be wrong, an address cannot be held twice. So a living instance with the
        host's address or name is that host, unless it was launched after the host's row was made
        and is another host, which answers from there. The launch alone proves nothing: every
        start of a stopped machine counts as one.
        """
        for instance in self._near(host):
            if not instance.is_living or instance.id == host.instance_id:
                continue
            if instance.launched <= host.created or not self._is_another_host(instance):
                return (
                    f"it says that it is {host.instance_id}, which is dead, but {instance.id} lives"
                    f" at {host.address or host.hostname}: see which of them it is, and remove it"
                    " in Rancher by hand if its machine is gone."
                )
        return ""

    def _is_another_host(self, instance: Instance) -> bool:
        """Say whether one host alone says that it is the instance, and answers from its place."""
        claimant = self._claimants.get(instance.id)
        if claimant is None or self._claims[instance.id] > 1 or not claimant.is_connected:
            return False
        return not _places(claimant).isdisjoint((instance.private_ip, instance.private_dns))

    def _by_label(self, host: Host) -> Match:
        label = host.instance_id
        if not INSTANCE_ID.fullmatch(label):
            return _ambiguous(
                host,
                f"its label {INSTANCE_LABEL} is {quoted(label)}, which is no id of an instance:"
                " correct the label, or remove the host in Rancher by hand.",
            )
        if self._claims[label] > 1:
            return _ambiguous(
                host,
                f"{self._claims[label]} hosts say that they are {label}: remove in Rancher those"
                " that are not.",
            )
        return Match(host, label, self._by_id.get(label))

    def _by_place_of(self, host: Host) -> Match:
        near = list(self._near(host))
        if not near:
            return Match(
                host,
                misfit=Verdict.FOREIGN,
                reason="it has no label that names an instance, and no instance has its name or"
                " address.",
            )
        doubt = self._doubt_of(host, near)
        if doubt:
            return _ambiguous(
                host,
                f"it has no label that names an instance, and {doubt}: give it the label"
                f" {INSTANCE_LABEL}, or remove it in Rancher by hand if its machine is gone.",
            )
        return Match(host, near[0].id, near[0])

    def _doubt_of(self, host: Host, near: Sequence[Instance]) -> str:
        """Return why the instance at a host's place need not be its own."""
        first = near[0]
        if len(near) > 1:
            return f"{' and '.join(instance.id for instance in near)} have its name or address"
        if any(self._rows_at[place] > 1 for place in _places(host)):
            return f"another host has its name or address as well, which are those of {first.id}"
        if first.id in self._claims:
            return f"{first.id}, which has its name or address, is another host"
        if host.is_connected:
            return ""
        if host.created < first.launched:
            return f"{first.id}, which has its name or address, was launched after it joined"
        return _contradiction(host, first)

    def _near(self, host: Host) -> Iterator[Instance]:
        """Yield the instances with a host's name or address, each once."""
        found = (instance for place in _places(host) for instance in self._at.get(place, ()))
        yield from {instance.id: instance for instance in found}.values()


def _by_place(instances: Sequence[Instance], rule: Rule) -> Mapping[str, Sequence[Instance]]:
    """Return by name and address the instances that may be machines of the cluster.

    Others have networks of their own, in which the same addresses may be in use. Who has no tags
    may be in the cluster's network, unless EC2 says in which it is, and that it is another one.
    """
    own = {one.vpc_id for one in instances if one.cluster == rule.cluster}
    networks = own if any(own) else None
    at = defaultdict(list)
    for instance in instances:
        if _is_in_place(instance, rule, networks):
            for place in filter(None, {instance.private_dns, instance.private_ip}):
                at[place].append(instance)
    return at


def _is_in_place(instance: Instance, rule: Rule, networks: Collection[str] | None) -> bool:
    """Say whether an instance is the cluster's, or a stranger's in one of these networks.

    The networks are None if the cluster's own are not known.
    """
    if instance.cluster:
        return instance.cluster == rule.cluster
    return networks is None or not instance.vpc_id or instance.vpc_id in networks


def _places(host: Host) -> set[str]:
    return {place for place in (host.hostname, host.address) if place}


def _foreign_reason(host: Host, rule: Rule) -> str:
    for label, own in ((ACCOUNT_LABEL, rule.account_id), (REGION_LABEL, rule.region)):
        said = host.labels.get(label, own)
        if said != own:
            return f"its label {label} is {quoted(said)}, not {own}."
    return ""


def _contradiction(host: Host, instance: Instance) -> str:
    """Return in what a host and an instance differ that have a name or an address in common."""
    pairs = ((host.hostname, instance.private_dns), (host.address, instance.private_ip))
    for said, known in pairs:
        if said and known and said != known:
            return f"it is {said}, but {instance.id}, which is nearest to it, is {known}"
    return ""


def _ambiguous(host: Host, reason: str) -> Match:
    return Match(host, misfit=Verdict.AMBIGUOUS, reason=reason)
