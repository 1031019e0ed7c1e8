"""Auto scaling as AWS does it: groups that launch, drain, replace and refresh their instances.

moto: launches and terminates at once, knows no waiting, replaces only what is terminated through
its own API, puts all instances of a group into one subnet, and records no activity.
AWS: spreads instances over the zones, replaces what is not running and, with ELB health checks,
what the load balancer finds unhealthy after the grace period; holds terminating instances in
`Terminating:Wait` while a lifecycle hook asks for it, tells EventBridge, and keeps a record.

Source: Amazon EC2 Auto Scaling user guide (instance lifecycle, health checks, lifecycle hooks,
instance refresh) and its API reference.
"""

from lab.aws.fleet.groups import Fleet

__all__ = ["Fleet"]
