"""Reads moto's objects into views, without its lock: from copies of its lists."""

from collections.abc import Mapping
from typing import Any

from lab.aws.gaps.target_health import health_of
from lab.aws.moto_edge import Backends
from lab.aws.views import (
    DatabaseView,
    HealthCheck,
    InstanceView,
    ListenerView,
    LoadBalancerView,
    SnapshotView,
    TargetGroupView,
    TargetView,
)

_IDLE_S = 60.0


def instance_view(backends: Backends, instance: Any) -> InstanceView:  # noqa: ANN401
    """Return one instance as others see it."""
    association = backends.ec2.iam_instance_profile_associations.get(instance.id)
    return InstanceView(
        id=instance.id,
        state=instance.state,
        private_ip=instance.private_ip or "",
        private_dns=instance.private_dns_name,
        subnet_id=instance.subnet_id or "",
        zone=instance.placement.zone or "",
        image_id=instance.image_id,
        instance_type=instance.instance_type,
        profile=association.iam_instance_profile.name if association else "",
        user_data=instance.user_data.decode() if instance.user_data else "",
        tags={tag["key"]: tag["value"] for tag in instance.get_tags()},
    )


def database_view(backends: Backends, database: Any) -> DatabaseView:  # noqa: ANN401
    """Return one database as others see it."""
    group = backends.rds.db_parameter_groups.get(database.db_parameter_group_name or "")
    tls = (group.parameters if group else {}).get("require_secure_transport", {})
    return DatabaseView(
        identifier=database.db_instance_identifier,
        status=database.status,
        address=database.address,
        port=int(database.port),
        database_name=database.db_name or "",
        username=database.master_username or "",
        password=getattr(database, "_master_user_password", None) or "",
        resource_id=database.dbi_resource_id,
        engine_version=database.engine_version,
        refuses_plain=str(tls.get("ParameterValue", "")).upper() in ("1", "ON"),
        origin=getattr(database, "lab_origin", None),
    )


def snapshot_view(snapshot: Any) -> SnapshotView:  # noqa: ANN401
    """Return one snapshot of a database as others see it."""
    return SnapshotView(snapshot.lab_key, snapshot.dbi_resource_id)


def load_balancer_view(balancer: Any) -> LoadBalancerView:  # noqa: ANN401
    """Return one load balancer with its listeners."""
    return LoadBalancerView(
        arn=balancer.arn,
        dns_name=balancer.dns_name,
        idle_timeout_s=float(balancer.attrs.get("idle_timeout.timeout_seconds", _IDLE_S)),
        listeners=tuple(
            _listener_view(listener)
            for listener in sorted(balancer.listeners.values(), key=lambda one: int(one.port))
        ),
    )


def _listener_view(listener: Any) -> ListenerView:  # noqa: ANN401
    data = listener.default_actions[-1].data
    forward = data.get("ForwardConfig", {}).get("TargetGroups") or [{}]
    fixed = data.get("FixedResponseConfig", {})
    return ListenerView(
        protocol=listener.protocol,
        port=int(listener.port),
        action=data["Type"],
        target_group_arn=data.get("TargetGroupArn") or forward[0].get("TargetGroupArn", ""),
        redirect=_texts(data.get("RedirectConfig", {})),
        fixed_status=int(fixed.get("StatusCode", 200)),
        fixed_body=fixed.get("MessageBody") or "",
    )


def _texts(config: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in config.items() if value is not None}


def target_group_view(backends: Backends, group: Any) -> TargetGroupView:  # noqa: ANN401
    """Return one target group with its targets and how they are examined."""
    port = group.health_check_port
    return TargetGroupView(
        arn=group.arn,
        check=HealthCheck(
            path=group.health_check_path or "/",
            port=0 if port in (None, "traffic-port") else int(port),
            interval_s=float(group.health_check_interval_seconds),
            timeout_s=float(group.health_check_timeout_seconds),
            healthy_after=int(group.healthy_threshold_count),
            unhealthy_after=int(group.unhealthy_threshold_count),
            codes=str((getattr(group, "matcher", None) or {}).get("HttpCode", "200")),
        ),
        targets=tuple(_target_views(backends, group)),
    )


def _target_views(backends: Backends, group: Any) -> list[TargetView]:  # noqa: ANN401
    views = []
    for target in list(group.targets.values()):
        instance = backends.ec2.get_instance_by_id(target["Id"])
        views.append(
            TargetView(
                id=target["Id"],
                private_ip=instance.private_ip if instance else target["Id"],
                port=int(target["Port"]),
                running=instance is None or instance.state == "running",
                health=health_of(group, target["Id"], backends.ec2).state,
            )
        )
    return views
