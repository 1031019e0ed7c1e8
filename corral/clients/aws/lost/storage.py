"""Finders of what keeps something: databases, logs, queues, buckets."""

import boto3
from botocore.exceptions import ClientError

from corral.clients.aws.calls import code_of
from corral.clients.aws.lost.shapes import Look, has_marks, open_client, tags_of
from corral.domain.adoption import Found, Wanted


def _instance(session: boto3.Session, wanted: Wanted) -> Found | None:
    name = wanted.values["identifier"]
    client = open_client(session, "rds")
    (row,) = client.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    ours = has_marks(wanted, tags_of(row.get("TagList", [])))
    return Found(name, is_ours=ours, identity={"id": name, "identifier": name})


def _parameters(session: boto3.Session, wanted: Wanted) -> Found | None:
    name = wanted.values["name"]
    client = open_client(session, "rds")
    (row,) = client.describe_db_parameter_groups(DBParameterGroupName=name)["DBParameterGroups"]
    return _named(session, wanted, name, row["DBParameterGroupArn"])


def _subnets(session: boto3.Session, wanted: Wanted) -> Found | None:
    name = wanted.values["name"]
    client = open_client(session, "rds")
    (row,) = client.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"]
    return _named(session, wanted, name, row["DBSubnetGroupArn"])


def _named(session: boto3.Session, wanted: Wanted, name: str, arn: str) -> Found:
    answer = open_client(session, "rds").list_tags_for_resource(ResourceName=arn)
    return Found(name, is_ours=has_marks(wanted, tags_of(answer["TagList"])))


def _log_group(session: boto3.Session, wanted: Wanted) -> Found | None:
    name = wanted.values["name"]
    client = open_client(session, "logs")
    pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    found = [row for page in pages for row in page["logGroups"] if row["logGroupName"] == name]
    if not found:
        return None
    arn = found[0]["arn"].removesuffix(":*")
    tags = client.list_tags_for_resource(resourceArn=arn)["tags"]
    return Found(name, is_ours=has_marks(wanted, tags))


def _queue(session: boto3.Session, wanted: Wanted) -> Found | None:
    client = open_client(session, "sqs")
    url = client.get_queue_url(QueueName=wanted.values["name"])["QueueUrl"]
    tags = client.list_queue_tags(QueueUrl=url).get("Tags", {})
    return Found(url, is_ours=has_marks(wanted, tags))


def _bucket(session: boto3.Session, wanted: Wanted) -> Found | None:
    """Look for a bucket of ours; S3 tags it in a second call, which a run may not have reached."""
    name = wanted.values["bucket"]
    client = open_client(session, "s3")
    client.head_bucket(Bucket=name)
    try:
        tags = tags_of(client.get_bucket_tagging(Bucket=name)["TagSet"])
    except ClientError as error:
        if code_of(error) != "NoSuchTagSet":
            raise
        tags = {}
    return Found(name, is_ours=not tags or has_marks(wanted, tags))


FINDERS = {
    "aws_cloudwatch_log_group": Look("logs", _log_group),
    "aws_db_instance": Look("rds", _instance),
    "aws_db_parameter_group": Look("rds", _parameters),
    "aws_db_subnet_group": Look("rds", _subnets),
    "aws_s3_bucket": Look("s3", _bucket),
    "aws_sqs_queue": Look("sqs", _queue),
}
