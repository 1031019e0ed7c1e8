"""A launch template's own tags are not part of what it launches.

moto: writes the tags of the template itself into its data, as a specification for the type
`launch-template`.
AWS: the data holds what the template says of instances, volumes and interfaces, nothing else.
Why it matters: Terraform plans to take the specification out, which makes a new version and touches
the group with it.

Source: EC2 API reference, CreateLaunchTemplate, TagSpecification and LaunchTemplateData.
"""

from typing import Any

from moto.ec2.models.launch_templates import LaunchTemplateBackend

from lab.aws.moto_edge import patch

_KEY = "TagSpecifications"


def close() -> None:
    """Take the template's own tags out of its data before it is made."""

    def create(
        self: LaunchTemplateBackend,
        name: str,
        description: str,
        template_data: dict[str, Any],
        tag_spec: dict[str, Any],
    ) -> Any:  # noqa: ANN401
        if _KEY in template_data:
            kept = [one for one in template_data[_KEY] if one["ResourceType"] != "launch-template"]
            template_data.pop(_KEY)
            if kept:
                template_data[_KEY] = kept
        return original(self, name, description, template_data, tag_spec)

    original = patch(LaunchTemplateBackend, "create_launch_template", create)
