"""Asks EC2 what becomes of this machine."""

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from corral_node.errors import NotYetError

CONFIG = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})
"""One try: whoever asks has little time, and asks again."""


def read_state(region: str, instance_id: str) -> str:
    """Return an instance's state as EC2 spells it, as `shutting-down`.

    Raises:
        NotYetError: EC2 did not say.

    Source: EC2 API reference, `DescribeInstances`, `InstanceState`.
    """
    client = boto3.session.Session(region_name=region).client("ec2", config=CONFIG)
    try:
        answer = client.describe_instances(InstanceIds=[instance_id])
        state: str = answer["Reservations"][0]["Instances"][0]["State"]["Name"]
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "an error")
        raise NotYetError(f"EC2 answered {code} for {instance_id}") from error
    except BotoCoreError as error:
        raise NotYetError(
            f"EC2 could not be asked for {instance_id}: {type(error).__name__}"
        ) from error
    except LookupError as error:
        raise NotYetError(f"EC2 does not show {instance_id}") from error
    finally:
        client.close()
    return state
