"""Finds what Terraform made and could not write down, by names and tags: one finder a type."""

import boto3

from corral.clients.aws.calls import translated
from corral.clients.aws.lost import delivery, identity, network, storage
from corral.clients.aws.lost.shapes import Look
from corral.domain.adoption import Found, Wanted
from corral.errors import AwsError

FINDERS: dict[str, Look] = network.FINDERS | delivery.FINDERS | identity.FINDERS | storage.FINDERS

OVERWRITTEN = frozenset(
    {
        "aws_acm_certificate_validation",
        "aws_autoscaling_lifecycle_hook",
        "aws_autoscaling_policy",
        "aws_autoscaling_schedule",
        "aws_cloudwatch_event_rule",
        "aws_cloudwatch_event_target",
        "aws_cloudwatch_metric_alarm",
        "aws_default_security_group",
        "aws_iam_role_policy",
        "aws_iam_role_policy_attachment",
        "aws_s3_bucket_lifecycle_configuration",
        "aws_s3_bucket_policy",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_versioning",
        "aws_secretsmanager_secret_version",
        "terraform_data",
    }
)
"""Types that need no finder: making one again writes over the one that is there."""

_MISSING = ("NotFound", "NoSuch", "NonExistent", "DoesNotExist")
"""Parts of the errors AWS answers with for what is not there."""


def find_lost(session: boto3.Session, wanted: Wanted) -> Found | None:
    """Return what AWS has in the place of a resource that would be created; None for nothing.

    Raises:
        AmbiguousError: It has several.

    """
    look = FINDERS.get(wanted.type)
    if look is None:
        return None
    try:
        with translated(look.service):
            return look.find(session, wanted)
    except AwsError as error:
        if error.code == "404" or any(sign in error.code for sign in _MISSING):
            return None
        raise
