"""Security group rules that name a group or a prefix list have their description.

moto: knows descriptions of address ranges only.
AWS: every rule has one, whatever it names.
Why it matters: Terraform plans to set each of them again and again.

Source: EC2 API reference, SecurityGroupRule.Description.
"""

from typing import Any

from moto.ec2.models.security_groups import SecurityGroupRule

from lab.aws.moto_edge import patch

_KEY = "Description"


def close() -> None:
    """Take the description from whichever of the three a rule names."""

    def make(self: SecurityGroupRule, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        original(self, *args, **kwargs)
        named = [self.source_group, *(one for one in args if isinstance(one, dict))]
        self.lab_description = next((one[_KEY] for one in named if one.get(_KEY)), None)
        # Rules are one and the same whatever is written beside them
        self.source_group.pop(_KEY, None)

    def describe(self: SecurityGroupRule) -> str | None:
        text: str | None = self.ip_range.get(_KEY) or self.lab_description
        return text

    original = patch(SecurityGroupRule, "__init__", make)
    patch(SecurityGroupRule, "description", property(describe))
