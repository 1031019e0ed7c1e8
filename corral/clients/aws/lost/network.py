"""Finders of the network's parts: by their tags, and what belongs to one of them by its place."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import boto3

from corral.clients.aws.lost.shapes import Look, only, open_client
from corral.domain.adoption import Found, Wanted

_GONE = {"deleted", "deleting", "failed", "rejected"}
_EVERY_PORT = -1


def _by_tags(
    session: boto3.Session, wanted: Wanted, *, call: str, rows: str, id_: str, by: str = "Filters"
) -> Found | None:
    """Look for what carries the tags; the names of calls and answers are EC2's."""
    if not wanted.marks or "Name" not in wanted.tags:
        return None
    tags = wanted.marks | {"Name": wanted.tags["Name"]}
    filters = [{"Name": f"tag:{name}", "Values": [value]} for name, value in tags.items()]
    client = open_client(session, "ec2")
    pages = client.get_paginator(call).paginate(**{by: filters})
    found = [row for page in pages for row in page[rows] if not _is_gone(row)]
    one = only(wanted, [row[id_] for row in found])
    return Found(one, is_ours=True, identity={"id": one}) if one else None


def _is_gone(row: Mapping[str, Any]) -> bool:
    return str(row.get("State", "")).lower() in _GONE


def _address(session: boto3.Session, wanted: Wanted) -> Found | None:
    tags = wanted.marks | {"Name": wanted.tags.get("Name", "")}
    answer = open_client(session, "ec2").describe_addresses(
        Filters=[{"Name": f"tag:{name}", "Values": [value]} for name, value in tags.items()]
    )
    one = only(wanted, [row["AllocationId"] for row in answer["Addresses"]])
    return Found(one, is_ours=True) if one else None


def _route(session: boto3.Session, wanted: Wanted) -> Found | None:
    if not wanted.knows("route_table_id", "destination_cidr_block"):
        return None
    table, target = wanted.values["route_table_id"], wanted.values["destination_cidr_block"]
    answer = open_client(session, "ec2").describe_route_tables(RouteTableIds=[table])
    routes = answer["RouteTables"][0]["Routes"]
    if all(route.get("DestinationCidrBlock") != target for route in routes):
        return None
    return Found(f"{table}_{target}", is_ours=True)


def _association(session: boto3.Session, wanted: Wanted) -> Found | None:
    if not wanted.knows("route_table_id", "subnet_id"):
        return None
    table, subnet = wanted.values["route_table_id"], wanted.values["subnet_id"]
    answer = open_client(session, "ec2").describe_route_tables(RouteTableIds=[table])
    subnets = [each.get("SubnetId") for each in answer["RouteTables"][0]["Associations"]]
    return Found(f"{subnet}/{table}", is_ours=True) if subnet in subnets else None


def _rule(session: boto3.Session, wanted: Wanted, *, is_egress: bool) -> Found | None:
    if not wanted.knows("security_group_id"):
        return None
    group = wanted.values["security_group_id"]
    pages = open_client(session, "ec2").get_paginator("describe_security_group_rules")
    found = [
        row["SecurityGroupRuleId"]
        for page in pages.paginate(Filters=[{"Name": "group-id", "Values": [group]}])
        for row in page["SecurityGroupRules"]
        if row["IsEgress"] is is_egress and _opens(row) == _would_open(wanted.values)
    ]
    one = only(wanted, found)
    return Found(one, is_ours=True) if one else None


def _opens(row: Mapping[str, Any]) -> tuple[Any, ...]:
    referenced = row.get("ReferencedGroupInfo") or {}
    ports = row.get("FromPort", _EVERY_PORT), row.get("ToPort", _EVERY_PORT)
    return row["IpProtocol"], *ports, row.get("CidrIpv4"), referenced.get("GroupId")


def _would_open(values: Mapping[str, Any]) -> tuple[Any, ...]:
    ports = [values.get(name) for name in ("from_port", "to_port")]
    known = [_EVERY_PORT if port is None else port for port in ports]
    others = values.get("cidr_ipv4"), values.get("referenced_security_group_id")
    return values.get("ip_protocol"), *known, *others


def _look(call: str, rows: str, id_: str, by: str = "Filters") -> Look:
    return Look("ec2", partial(_by_tags, call=call, rows=rows, id_=id_, by=by))


FINDERS = {
    "aws_eip": Look("ec2", _address),
    "aws_flow_log": _look("describe_flow_logs", "FlowLogs", "FlowLogId", "Filter"),
    "aws_internet_gateway": _look(
        "describe_internet_gateways", "InternetGateways", "InternetGatewayId"
    ),
    "aws_nat_gateway": _look("describe_nat_gateways", "NatGateways", "NatGatewayId", "Filter"),
    "aws_network_acl": _look("describe_network_acls", "NetworkAcls", "NetworkAclId"),
    "aws_route": Look("ec2", _route),
    "aws_route_table": _look("describe_route_tables", "RouteTables", "RouteTableId"),
    "aws_route_table_association": Look("ec2", _association),
    "aws_security_group": _look("describe_security_groups", "SecurityGroups", "GroupId"),
    "aws_subnet": _look("describe_subnets", "Subnets", "SubnetId"),
    "aws_vpc": _look("describe_vpcs", "Vpcs", "VpcId"),
    "aws_vpc_endpoint": _look("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    "aws_vpc_security_group_egress_rule": Look("ec2", partial(_rule, is_egress=True)),
    "aws_vpc_security_group_ingress_rule": Look("ec2", partial(_rule, is_egress=False)),
}
