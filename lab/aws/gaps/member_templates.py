"""A member of a group says which version of the launch template it was started from.

moto: every member says the template's default version, as it is now.
AWS: the version that the member itself was launched with, which is how old ones are told.
Why it matters: after a change of the template no machine would ever look outdated.

Source: Auto Scaling API reference, Instance (LaunchTemplate).
"""

from typing import Any

from moto.autoscaling.models import InstanceState

from lab.aws.moto_edge import patch


def remember(state: InstanceState, version: Any) -> None:  # noqa: ANN401 - moto's
    """Write down what a member was started from."""
    state.started_from = {
        "LaunchTemplateId": version.template.id,
        "LaunchTemplateName": version.template.name,
        "Version": str(version.number),
    }


def _started_from(state: InstanceState) -> dict[str, Any] | None:
    """Return what was written down; nothing for members that a group took in."""
    return getattr(state, "started_from", None)


def close() -> None:
    """Answer with what was written down."""
    patch(InstanceState, "launch_template", property(_started_from))
