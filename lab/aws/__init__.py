"""AWS for the lab: moto in this process, its gaps closed, and what AWS does by itself."""

from lab.aws.facade import Aws
from lab.aws.views import (
    DatabaseView,
    HealthCheck,
    InstanceView,
    ListenerView,
    LoadBalancerView,
    SeededInstance,
    TargetGroupView,
    TargetView,
)

__all__ = [
    "Aws",
    "DatabaseView",
    "HealthCheck",
    "InstanceView",
    "ListenerView",
    "LoadBalancerView",
    "SeededInstance",
    "TargetGroupView",
    "TargetView",
]
