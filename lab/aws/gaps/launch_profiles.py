"""Every instance of a launch has its instance profile, also one that the launch template names.

moto: gives it to the first instance of a launch only, and takes no profile from a template.
AWS: gives it to each of them; a call's profile comes before the template's.
Why it matters: the other machines would find no credentials.

A profile without a name is none: Packer's SDK sends one where its template names no profile.

Source: EC2 API reference, RunInstances (IamInstanceProfile, LaunchTemplate); aws-sdk-go, struct
IamInstanceProfileSpecification.
"""

from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.responses.instances import InstanceResponse

from lab.aws.moto_edge import patch

_KEY = "IamInstanceProfile"


def attach(ec2: Any, profile: Mapping[str, str] | None, instances: list[Any]) -> None:  # noqa: ANN401
    """Give a profile to those instances that have none yet."""
    if not profile or not any(profile.values()):
        return
    for instance in instances:
        if instance.id not in ec2.iam_instance_profile_associations:
            ec2.associate_iam_instance_profile(
                instance_id=instance.id,
                iam_instance_profile_name=profile.get("Name"),
                iam_instance_profile_arn=profile.get("Arn"),
            )


def _named(response: InstanceResponse) -> Mapping[str, str] | None:
    """Return the profile that the call or its template names."""
    of_call: Mapping[str, str] | None = response._get_param(_KEY)  # noqa: SLF001
    template = response._get_param("LaunchTemplate")  # noqa: SLF001
    if of_call or not template:
        return of_call
    version = response.ec2_backend._get_template_from_args(template)  # noqa: SLF001
    of_template: Mapping[str, str] | None = version.data.get(_KEY)
    return of_template


def close() -> None:
    """Go on where moto stops after the first instance."""

    def run(self: InstanceResponse) -> ActionResult:
        answer = original(self)
        attach(self.ec2_backend, _named(self), answer.result.instances)
        return answer

    original = patch(InstanceResponse, "run_instances", run)
