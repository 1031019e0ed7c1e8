"""Which of a group's processes go on: SuspendProcesses takes some of them out.

moto: writes down what is suspended, and does it nevertheless.
AWS: Launch and Terminate are what all others need to add and to take away; HealthCheck marks
instances unhealthy, ReplaceUnhealthy acts on the mark; AddToLoadBalancer registers what is new.
What somebody asks for instance by instance is done all the same.
Why it matters: operators suspend processes while they look at a broken machine.

Source: Auto Scaling user guide, "Suspend and resume Amazon EC2 Auto Scaling processes".
"""

from typing import Any, Final

LAUNCH: Final = "Launch"
TERMINATE: Final = "Terminate"
HEALTH_CHECK: Final = "HealthCheck"
REPLACE_UNHEALTHY: Final = "ReplaceUnhealthy"
ADD_TO_LOAD_BALANCER: Final = "AddToLoadBalancer"


def goes_on(group: Any, *needed: str) -> bool:  # noqa: ANN401
    """Say whether none of some processes of a group is suspended."""
    suspended = {process["ProcessName"] for process in group.suspended_processes}
    return not suspended.intersection(needed)
