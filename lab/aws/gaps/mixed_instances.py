"""A group keeps its mixed instances policy when something else of it is changed.

moto: UpdateAutoScalingGroup without MixedInstancesPolicy deletes the group's.
AWS: what an update does not name stays as it is.
Why it matters: raising a spot pool's size would take its spot share away, and Terraform would plan
to put it back.

Source: Auto Scaling API reference, UpdateAutoScalingGroup.
"""

import copy
from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup

from lab.aws.moto_edge import patch


def _as_given(policy: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a policy as a caller would send it: moto keeps the template's name beside its id."""
    if policy is None:
        return None
    given = copy.deepcopy(policy)
    given["LaunchTemplate"]["LaunchTemplateSpecification"].pop("LaunchTemplateName", None)
    return given


def close() -> None:
    """Hand the group's own policy to an update that names neither policy nor template."""

    def update(self: FakeAutoScalingGroup, **changes: Any) -> None:  # noqa: ANN401
        if not changes.get("mixed_instances_policy") and not changes.get("launch_template"):
            changes["mixed_instances_policy"] = _as_given(self.mixed_instances_policy)
        original(self, **changes)

    original = patch(FakeAutoScalingGroup, "update", update)
