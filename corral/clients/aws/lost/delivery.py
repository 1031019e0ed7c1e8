"""Finders of what serves: load balancers, names, certificates, groups of machines."""

import boto3

from corral.clients.aws.lost.shapes import Look, has_marks, only, open_client, tags_of
from corral.domain.adoption import Found, Wanted


def _load_balancer(session: boto3.Session, wanted: Wanted) -> Found | None:
    client = open_client(session, "elbv2")
    found = client.describe_load_balancers(Names=[wanted.values["name"]])["LoadBalancers"]
    return _with_tags(session, wanted, found[0]["LoadBalancerArn"])


def _target_group(session: boto3.Session, wanted: Wanted) -> Found | None:
    client = open_client(session, "elbv2")
    found = client.describe_target_groups(Names=[wanted.values["name"]])["TargetGroups"]
    return _with_tags(session, wanted, found[0]["TargetGroupArn"])


def _with_tags(session: boto3.Session, wanted: Wanted, arn: str) -> Found:
    answer = open_client(session, "elbv2").describe_tags(ResourceArns=[arn])
    tags = tags_of(answer["TagDescriptions"][0]["Tags"])
    return Found(arn, is_ours=has_marks(wanted, tags), identity={"id": arn, "arn": arn})


def _listener(session: boto3.Session, wanted: Wanted) -> Found | None:
    if not wanted.knows("load_balancer_arn", "port"):
        return None
    pages = open_client(session, "elbv2").get_paginator("describe_listeners")
    found = [
        row["ListenerArn"]
        for page in pages.paginate(LoadBalancerArn=wanted.values["load_balancer_arn"])
        for row in page["Listeners"]
        if row["Port"] == wanted.values["port"]
    ]
    one = only(wanted, found)
    return Found(one, is_ours=True) if one else None


def _certificate(session: boto3.Session, wanted: Wanted) -> Found | None:
    """Look for ours; others may have certificates for the same name."""
    client = open_client(session, "acm")
    pages = client.get_paginator("list_certificates").paginate(
        CertificateStatuses=["PENDING_VALIDATION", "ISSUED"]
    )
    arns = [
        row["CertificateArn"]
        for page in pages
        for row in page["CertificateSummaryList"]
        if row["DomainName"] == wanted.values["domain_name"]
    ]
    ours = [
        arn
        for arn in arns
        if has_marks(
            wanted,
            tags_of(client.list_tags_for_certificate(CertificateArn=arn)["Tags"]),
        )
    ]
    one = only(wanted, ours)
    return Found(one, is_ours=True) if one else None


def _record(session: boto3.Session, wanted: Wanted) -> Found | None:
    """Look for a record that leads where the wanted one would: any other is somebody's."""
    values = wanted.values
    if not wanted.knows("zone_id", "name", "type"):
        return None
    name = f"{values['name'].rstrip('.').lower()}."
    answer = open_client(session, "route53").list_resource_record_sets(
        HostedZoneId=values["zone_id"],
        StartRecordName=name,
        StartRecordType=values["type"],
        MaxItems="1",
    )
    for row in answer["ResourceRecordSets"]:
        target = row.get("AliasTarget", {}).get("DNSName", "")
        targets = {target, *(record["Value"] for record in row.get("ResourceRecords", []))} - {""}
        leads_there = {_plain(one) for one in targets} == _targets(wanted)
        if row["Name"].lower() == name and row["Type"] == values["type"] and leads_there:
            return Found(f"{values['zone_id']}_{name.rstrip('.')}_{row['Type']}", is_ours=True)
    return None


def _targets(wanted: Wanted) -> set[str]:
    aliases = [alias.get("name") or "" for alias in wanted.values.get("alias") or []]
    return {_plain(one) for one in [*aliases, *(wanted.values.get("records") or [])] if one}


def _plain(name: str) -> str:
    return name.rstrip(".").lower().removeprefix("dualstack.")


def _template(session: boto3.Session, wanted: Wanted) -> Found | None:
    client = open_client(session, "ec2")
    name = wanted.values["name"]
    (row,) = client.describe_launch_templates(LaunchTemplateNames=[name])["LaunchTemplates"]
    tags = tags_of(row.get("Tags", []))
    return Found(row["LaunchTemplateId"], is_ours=has_marks(wanted, tags))


def _group(session: boto3.Session, wanted: Wanted) -> Found | None:
    client = open_client(session, "autoscaling")
    name = wanted.values["name"]
    found = client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    if not found or found[0].get("Status"):  # a group that has one is being deleted
        return None
    tags = {tag["Key"]: tag["Value"] for tag in found[0].get("Tags", [])}
    # Groups take no default tags: theirs are spelled out, and not in tags_all.
    spelled = {tag["key"]: tag["value"] for tag in wanted.values.get("tag") or []}
    own = {key: spelled[key] for key in ("Cluster", "Stack", "Pool") if key in spelled}
    return Found(name, is_ours=bool(own) and own.items() <= tags.items())


FINDERS = {
    "aws_acm_certificate": Look("acm", _certificate),
    "aws_autoscaling_group": Look("autoscaling", _group),
    "aws_launch_template": Look("ec2", _template),
    "aws_lb": Look("elbv2", _load_balancer),
    "aws_lb_listener": Look("elbv2", _listener),
    "aws_lb_target_group": Look("elbv2", _target_group),
    "aws_route53_record": Look("route53", _record),
}
