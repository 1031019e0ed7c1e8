"""What moto answers otherwise than AWS does, and corral would notice: one module a gap."""

from lab.aws.gaps import (
    acl_icmp,
    certificates,
    database_ids,
    database_life,
    database_parameters,
    database_passwords,
    database_restores,
    database_snapshots,
    event_account,
    flow_log_groups,
    herd_speed,
    hook_targets,
    launch_profiles,
    launch_template_tags,
    launch_template_versions,
    launch_volumes,
    listener_tls,
    load_balancer_protection,
    long_polls,
    maintenance_policies,
    managed_policies,
    member_templates,
    mixed_instances,
    network_endings,
    policies,
    policy_alarms,
    queue_policies,
    registry_tokens,
    rule_descriptions,
    scheduled_actions,
    shutting_down,
    tag_search,
    tag_speed,
    target_health,
    terminated_addresses,
    tls_conditions,
)
from lab.aws.moto_edge import Backends
from lab.world import World

_GAPS = (
    acl_icmp,
    database_ids,
    database_parameters,
    event_account,
    flow_log_groups,
    herd_speed,
    hook_targets,
    launch_profiles,
    launch_template_tags,
    launch_template_versions,
    launch_volumes,
    listener_tls,
    load_balancer_protection,
    long_polls,
    maintenance_policies,
    managed_policies,
    member_templates,
    mixed_instances,
    network_endings,
    policies,
    policy_alarms,
    queue_policies,
    registry_tokens,
    rule_descriptions,
    scheduled_actions,
    tag_search,
    tag_speed,
    terminated_addresses,
    tls_conditions,
)


def close_gaps(world: World, backends: Backends) -> None:
    """Patch moto so that it answers as AWS does."""
    for gap in _GAPS:
        gap.close()
    certificates.close(backends)
    database_life.close(world)
    database_passwords.close(world)
    database_snapshots.close(world)
    database_restores.close(world)
    shutting_down.close(world)
    target_health.close(world)
