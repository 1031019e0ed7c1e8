"""A group keeps its mixed instances policy when something else of it is changed.

moto: UpdateAutoScalingGroup without MixedInstancesPolicy deletes the group's.
AWS: what an update does not name stays as it is.
Why it matters: raising a spot pool's size would take its spot share away, and Terraform would plan
to put it back.

Source: Auto Scaling API reference, UpdateAutoScalingGroup.
"""

from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup

from lab.aws.moto_edge import patch


def close() -> None:
    """Hand the group's own policy to an update that names neither policy nor template."""

    def update(self: FakeAutoScalingGroup, **changes: Any) -> None:  # noqa: ANN401
        if not changes.get("mixed_instances_policy") and not changes.get("launch_template"):
            changes["mixed_instances_policy"] = self.mixed_instances_policy
        original(self, **changes)

    original = patch(FakeAutoScalingGroup, "update", update)
