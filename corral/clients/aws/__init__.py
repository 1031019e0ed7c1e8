"""AWS, as far as flows ask it themselves; what is built, Terraform builds."""

from corral.clients.aws.bucket import ensure_state_bucket
from corral.clients.aws.builders import end_builders, find_builders
from corral.clients.aws.calls import check_region, open_session, translated
from corral.clients.aws.databases import (
    BROKEN,
    DELETING,
    Instance,
    end_database,
    find_instances,
    read_instance,
    restore_instance,
    set_password,
    throw_away,
)
from corral.clients.aws.deadlines import limited
from corral.clients.aws.ecr import registry_login
from corral.clients.aws.endings import (
    RECOVERY_DAYS,
    end_log_groups,
    end_secret,
    list_secrets,
    stop_growth,
)
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
from corral.clients.aws.images import (
    baked_images,
    remove_image,
    remove_lost_snapshots,
    source_image,
    users_of,
)
from corral.clients.aws.instances import Ec2
from corral.clients.aws.launched import launched_releases
from corral.clients.aws.leftovers import find_groups, find_records, find_roles, find_tagged
from corral.clients.aws.lifecycle import Groups
from corral.clients.aws.lookups import Image, hosted_zone, issued_certificate, newest_image
from corral.clients.aws.lost import find_lost
from corral.clients.aws.queues import LifecycleQueue, Message
from corral.clients.aws.replacing import hold_replacing, resume_replacing
from corral.clients.aws.rolling import read_machines, replace_machine
from corral.clients.aws.secrets import SecretVault
from corral.clients.aws.servers import (
    empty_group,
    leave_balancer,
    living_instances,
    read_servers,
    remove_server,
)
from corral.clients.aws.shelf import StateShelf
from corral.clients.aws.snapshots import (
    Snapshot,
    check_snapshot,
    list_snapshots,
    newest_snapshot,
    read_snapshot,
    tag_snapshot,
    take_snapshot,
)
from corral.clients.aws.states import read_state, read_states
from corral.clients.aws.whole import wholeness

__all__ = [
    "BROKEN",
    "DELETING",
    "RECOVERY_DAYS",
    "Ec2",
    "Group",
    "GroupMember",
    "Groups",
    "Identity",
    "Image",
    "Instance",
    "LifecycleQueue",
    "Message",
    "SecretVault",
    "Snapshot",
    "StateShelf",
    "TargetHealth",
    "baked_images",
    "check_account",
    "check_region",
    "check_snapshot",
    "check_zones",
    "empty_group",
    "end_builders",
    "end_database",
    "end_log_groups",
    "end_secret",
    "ensure_state_bucket",
    "find_builders",
    "find_group",
    "find_groups",
    "find_instances",
    "find_lost",
    "find_records",
    "find_roles",
    "find_tagged",
    "hold_replacing",
    "hosted_zone",
    "identity",
    "issued_certificate",
    "launched_releases",
    "leave_balancer",
    "limited",
    "list_secrets",
    "list_snapshots",
    "living_instances",
    "newest_image",
    "newest_launch_failure",
    "newest_snapshot",
    "open_session",
    "read_group",
    "read_instance",
    "read_machines",
    "read_servers",
    "read_snapshot",
    "read_state",
    "read_states",
    "registry_login",
    "remove_image",
    "remove_lost_snapshots",
    "remove_server",
    "replace_machine",
    "restore_instance",
    "resume_replacing",
    "scale_group",
    "set_password",
    "source_image",
    "stop_growth",
    "tag_snapshot",
    "take_snapshot",
    "target_health",
    "throw_away",
    "translated",
    "users_of",
    "wholeness",
]
