"""AWS, as far as flows ask it themselves; what is built, Terraform builds."""

from corral.clients.aws.bucket import ensure_state_bucket
from corral.clients.aws.calls import check_region, open_session, translated
from corral.clients.aws.deadlines import limited
from corral.clients.aws.groups import (
    Group,
    GroupMember,
    TargetHealth,
    find_group,
    newest_launch_failure,
    read_group,
    scale_group,
    target_health,
)
from corral.clients.aws.identity import Identity, check_account, check_zones, identity
from corral.clients.aws.instances import Ec2
from corral.clients.aws.lifecycle import Groups
from corral.clients.aws.lookups import Image, hosted_zone, issued_certificate, newest_image
from corral.clients.aws.queues import LifecycleQueue, Message
from corral.clients.aws.secrets import SecretVault
from corral.clients.aws.whole import wholeness

__all__ = [
    "Ec2",
    "Group",
    "GroupMember",
    "Groups",
    "Identity",
    "Image",
    "LifecycleQueue",
    "Message",
    "SecretVault",
    "TargetHealth",
    "check_account",
    "check_region",
    "check_zones",
    "ensure_state_bucket",
    "find_group",
    "hosted_zone",
    "identity",
    "issued_certificate",
    "limited",
    "newest_image",
    "newest_launch_failure",
    "open_session",
    "read_group",
    "scale_group",
    "target_health",
    "translated",
    "wholeness",
]
