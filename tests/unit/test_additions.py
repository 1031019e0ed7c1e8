from typing import Any

import pytest

from corral.domain.additions import find_additions

CLOSED = {"cidr_blocks": [], "ipv6_cidr_blocks": [], "prefix_list_ids": [], "security_groups": []}


def resource(kind: str, label: str, /, **values: Any) -> dict[str, Any]:
    return {"address": f"{kind}.{label}", "mode": "managed", "type": kind, "values": values}


def group(*blocks: dict[str, Any], direction: str = "ingress") -> dict[str, Any]:
    return resource("aws_security_group", "it", id="sg-1", **{direction: list(blocks)})


def block(protocol: str, first: int, last: int, **peers: Any) -> dict[str, Any]:
    return {"protocol": protocol, "from_port": first, "to_port": last, **CLOSED, **peers}


def rule(protocol: str, first: int | None, last: int | None, **peer: str) -> dict[str, Any]:
    return resource(
        "aws_vpc_security_group_ingress_rule",
        "it",
        security_group_id="sg-1",
        ip_protocol=protocol,
        from_port=first,
        to_port=last,
        **peer,
    )


def added(*resources: dict[str, Any]) -> list[str]:
    return [one.what for one in find_additions(resources)]


@pytest.mark.parametrize(
    ("there", "known"),
    [
        pytest.param(
            block("tcp", 80, 80, cidr_blocks=["192.0.2.1/32"]),
            rule("tcp", 80, 80, cidr_ipv4="192.0.2.1/32"),
            id="an-address",
        ),
        pytest.param(
            block("tcp", 80, 80, ipv6_cidr_blocks=["::/0"]),
            rule("6", 80, 80, cidr_ipv6="::/0"),
            id="a-protocol-by-number",
        ),
        pytest.param(
            block("udp", 500, 500, self=True),
            rule("udp", 500, 500, referenced_security_group_id="sg-1"),
            id="itself",
        ),
        pytest.param(
            block("-1", 0, 0, security_groups=["sg-2"]),
            rule("-1", None, None, referenced_security_group_id="sg-2"),
            id="everything",
        ),
        pytest.param(
            block("icmp", -1, -1, prefix_list_ids=["pl-1"]),
            rule("icmp", -1, -1, prefix_list_id="pl-1"),
            id="a-protocol-without-ports",
        ),
    ],
)
def test_a_rule_that_a_resource_stands_for_is_no_addition(there, known):
    assert added(group(there), known) == []


def test_peers_that_share_a_port_are_told_apart():
    there = block("tcp", 443, 443, cidr_blocks=["192.0.2.1/32", "0.0.0.0/0"], self=True)

    found = added(group(there), rule("tcp", 443, 443, cidr_ipv4="192.0.2.1/32"))

    assert found == ["tcp 443 from 0.0.0.0/0", "tcp 443 from sg-1"]


def test_the_same_rule_the_other_way_is_an_addition():
    there = block("tcp", 443, 443, cidr_blocks=["0.0.0.0/0"])

    found = added(group(there, direction="egress"), rule("tcp", 443, 443, cidr_ipv4="0.0.0.0/0"))

    assert found == ["tcp 443 to 0.0.0.0/0"]


def test_ports_of_a_range_are_an_addition_to_one_of_them():
    there = block("tcp", 80, 89, cidr_blocks=["0.0.0.0/0"])

    assert added(group(there), rule("tcp", 80, 80, cidr_ipv4="0.0.0.0/0")) == [
        "tcp 80-89 from 0.0.0.0/0"
    ]


def test_a_group_that_is_only_looked_up_is_somebody_elses():
    there = block("tcp", 80, 80, cidr_blocks=["0.0.0.0/0"])
    theirs = {**group(there), "mode": "data"}

    assert added(theirs) == []


def test_a_route_is_known_by_its_table_and_its_destination():
    table = resource(
        "aws_route_table",
        "it",
        id="rtb-1",
        route=[
            {"cidr_block": "0.0.0.0/0", "nat_gateway_id": "nat-1", "gateway_id": ""},
            {"destination_prefix_list_id": "pl-1", "gateway_id": "igw-1"},
        ],
    )
    known = resource("aws_route", "it", route_table_id="rtb-1", destination_cidr_block="0.0.0.0/0")
    elsewhere = {**known["values"], "route_table_id": "rtb-2"}

    assert added(table, known) == ["pl-1 through igw-1"]
    assert len(added(table, {**known, "values": elsewhere})) == 2


def test_policies_of_a_role_are_known_by_name_and_arn():
    role = resource(
        "aws_iam_role",
        "it",
        name="machine",
        inline_policy=[{"name": "own", "policy": "{}"}, {"name": "else", "policy": "{}"}],
        managed_policy_arns=["arn:a", "arn:b"],
    )
    own = resource("aws_iam_role_policy", "own", role="machine", name="own")
    attached = resource("aws_iam_role_policy_attachment", "a", role="machine", policy_arn="arn:a")

    assert added(role, own, attached) == ["else", "arn:b"]
