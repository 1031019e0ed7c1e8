"""The end of what no state holds: logs of databases, secrets, and the growth of a group.

Each call may come again after a run that died, and then does what is left.
"""

from collections.abc import Mapping
from typing import Final

import boto3

from corral.clients.aws.calls import CONFIG, translated
from corral.errors import AwsError

RECOVERY_DAYS: Final = 30
"""For so long a secret can be called back; the longest that Secrets Manager offers.

Source: Secrets Manager API reference, DeleteSecret.
"""

_LAUNCH: Final = "Launch"
_GROUP_GONE: Final = "ValidationError"
_MISSING: Final = "ResourceNotFoundException"
"""Codes of AWS's answers. Source: the API references of each service."""


def end_log_groups(session: boto3.Session, prefix: str) -> list[str]:
    """Delete the log groups that RDS exports logs to, and return their names.

    Args:
        session: Region and credentials.
        prefix: With which the identifiers of the instances begin, which are gone.

    """
    with translated("logs"):
        client = session.client("logs", config=CONFIG)
        pages = client.get_paginator("describe_log_groups")
        found = [
            row["logGroupName"]
            for page in pages.paginate(logGroupNamePrefix=f"/aws/rds/instance/{prefix}")
            for row in page["logGroups"]
        ]
        for name in found:
            client.delete_log_group(logGroupName=name)
    return found


def list_secrets(session: boto3.Session, tags: Mapping[str, str]) -> list[str]:
    """Return the names of the secrets that have all of these tags, and are not about to go."""
    with translated("secretsmanager"):
        pages = session.client("secretsmanager", config=CONFIG).get_paginator("list_secrets")
        rows = [row for page in pages.paginate() for row in page["SecretList"]]
    return sorted(
        row["Name"]
        for row in rows
        if "DeletedDate" not in row
        and tags.items() <= {tag["Key"]: tag["Value"] for tag in row.get("Tags", ())}.items()
    )


def end_secret(session: boto3.Session, name: str) -> None:
    """Have a secret deleted after its recovery window; one that is gone is success."""
    try:
        with translated("secretsmanager"):
            session.client("secretsmanager", config=CONFIG).delete_secret(
                SecretId=name, RecoveryWindowInDays=RECOVERY_DAYS
            )
    except AwsError as error:
        if error.code != _MISSING:
            raise


def stop_growth(session: boto3.Session, group: str) -> None:
    """Have a group start no more machines; a group that is gone starts none.

    A build takes it back, since its plan sees a process that is suspended and should not be.

    Source: Auto Scaling user guide, "Suspend and resume Amazon EC2 Auto Scaling processes".
    """
    try:
        with translated("autoscaling"):
            session.client("autoscaling", config=CONFIG).suspend_processes(
                AutoScalingGroupName=group, ScalingProcesses=[_LAUNCH]
            )
    except AwsError as error:
        if error.code != _GROUP_GONE:
            raise
