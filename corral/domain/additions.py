"""What was put into a group, a table or a role although no resource of the stack stands for it.

Terraform shows no change for it: rules, routes and policies are resources of their own here, and
one that is in no state is nobody's. What contains them tells of it all the same.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Resource = Mapping[str, Any]
"""As `prior_state` of a plan has it: `address`, `mode`, `type`, `values`."""

_Key = tuple[str, ...]

_EVERYTHING: Final = "-1"
# AWS answers with names for these alone. Source: EC2 API reference, IpPermission.
_PROTOCOLS: Final = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}


@dataclass(frozen=True, slots=True)
class Addition:
    """One thing in a resource that no other resource of the state stands for."""

    address: str
    """Of what it was put into."""
    attribute: str
    what: str
    """In words: `tcp 3306 from 192.0.2.0/24`."""


def find_additions(resources: Iterable[Resource]) -> list[Addition]:
    """Return what is there beyond what the resources of a state stand for, by address.

    Args:
        resources: All of one state, as they were read from AWS just now.

    """
    managed = [one for one in resources if one["mode"] == "managed"]
    known = {key for one in managed for key in _standing_for(one)}
    return [
        Addition(one["address"], attribute, what)
        for one in managed
        for key, attribute, what in _contents(one)
        if key not in known
    ]


def _standing_for(resource: Resource) -> Iterator[_Key]:
    if find := _ELEMENTS.get(resource["type"]):
        yield find(resource["values"])


def _contents(resource: Resource) -> Iterator[tuple[_Key, str, str]]:
    """Yield the key of each thing in a resource, the attribute that tells of it, and its name."""
    if find := _CONTAINERS.get(resource["type"]):
        yield from find(resource["values"])


def _rules(group: Mapping[str, Any]) -> Iterator[tuple[_Key, str, str]]:
    """Yield each rule of a security group; AWS tells those of one port as one block."""
    for direction, word in (("ingress", "from"), ("egress", "to")):
        for block in group.get(direction) or ():
            protocol, ports = _traffic(block["protocol"], block["from_port"], block["to_port"])
            for peer in _peers(block, group["id"]):
                key = (direction, group["id"], protocol, ports, peer)
                traffic = "everything" if protocol == _EVERYTHING else f"{protocol} {ports}"
                yield key, direction, f"{traffic} {word} {peer}"


def _peers(block: Mapping[str, Any], group_id: str) -> Iterator[str]:
    for name in ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups"):
        yield from block.get(name) or ()
    if block.get("self"):
        yield group_id


def _rule(direction: str) -> Callable[[Mapping[str, Any]], _Key]:
    def find(rule: Mapping[str, Any]) -> _Key:
        traffic = _traffic(rule["ip_protocol"], rule.get("from_port"), rule.get("to_port"))
        names = ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")
        peer = next((rule[name] for name in names if rule.get(name)), "")
        return (direction, rule["security_group_id"], *traffic, peer)

    return find


def _traffic(protocol: str, first: int | None, last: int | None) -> tuple[str, str]:
    """Return protocol and ports; without ports where the protocol has none."""
    name = _PROTOCOLS.get(protocol, protocol)
    if name == _EVERYTHING:
        return name, ""
    return name, f"{first}" if first == last else f"{first}-{last}"


def _routes(table: Mapping[str, Any]) -> Iterator[tuple[_Key, str, str]]:
    """Yield each route of a table; the provider leaves out those that AWS makes itself.

    Source: terraform-provider-aws, internal/service/ec2/vpc_route_table.go, flattenRoutes.
    """
    for route in table.get("route") or ():
        destination = _destination(route)
        targets = [route[name] for name in sorted(route) if name.endswith("_id") and route[name]]
        through = next((one for one in targets if one != destination), "nowhere")
        yield ("route", table["id"], destination), "route", f"{destination} through {through}"


def _route(route: Mapping[str, Any]) -> _Key:
    return ("route", route["route_table_id"], _destination(route))


def _destination(route: Mapping[str, Any]) -> str:
    """Return where a route leads, which no other of its table does."""
    names = ("cidr_block", "ipv6_cidr_block", "prefix_list_id")
    found = (route.get(f"{prefix}{name}") for name in names for prefix in ("", "destination_"))
    return next((one for one in found if one), "")


def _policies(role: Mapping[str, Any]) -> Iterator[tuple[_Key, str, str]]:
    for policy in role.get("inline_policy") or ():
        if name := policy.get("name"):
            yield ("inline", role["name"], name), "inline_policy", name
    for arn in role.get("managed_policy_arns") or ():
        yield ("managed", role["name"], arn), "managed_policy_arns", arn


_CONTAINERS: Final = {
    "aws_default_security_group": _rules,
    "aws_iam_role": _policies,
    "aws_route_table": _routes,
    "aws_security_group": _rules,
}

_ELEMENTS: Final[Mapping[str, Callable[[Mapping[str, Any]], _Key]]] = {
    "aws_iam_role_policy": lambda policy: ("inline", policy["role"], policy["name"]),
    "aws_iam_role_policy_attachment": lambda one: ("managed", one["role"], one["policy_arn"]),
    "aws_route": _route,
    "aws_vpc_security_group_egress_rule": _rule("egress"),
    "aws_vpc_security_group_ingress_rule": _rule("ingress"),
}
