"""Tags are searched for in all that has them.

moto: does not find addresses, launch templates, network ACLs and endpoints of VPCs by their tags,
and finds auto scaling groups.
AWS: finds the former, and not the latter, whose tags are of another kind.
Why it matters: what is left of a cluster is looked for by its tag.

Source: Tagging AWS resources user guide, "Services that support the Resource Groups Tagging API".
"""

from collections.abc import Iterator
from typing import Any

from moto.autoscaling.models import AutoScalingBackend
from moto.core.resource_tagging import TaggedResource
from moto.ec2.models import EC2Backend

from lab.aws.moto_edge import patch


def close() -> None:
    """Show more of EC2, and nothing of Auto Scaling."""

    def show(self: EC2Backend) -> Iterator[TaggedResource]:
        yield from original(self)
        where = f"arn:{self.partition}:ec2:{self.region_name}:{self.account_id}"
        for kind, name in _unseen(self):
            yield TaggedResource(
                arn=f"{where}:{kind}/{name}",
                tags=dict(self.tags.get(name, {})),
                resource_type=f"ec2:{kind}",
            )

    original = patch(EC2Backend, "iter_tagged_resources", show)
    patch(AutoScalingBackend, "iter_tagged_resources", lambda _: iter(()))


def _unseen(backend: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    yield from (("elastic-ip", one.allocation_id) for one in backend.addresses)
    yield from (("launch-template", name) for name in backend.launch_templates)
    yield from (("network-acl", name) for name in backend.network_acls)
    endpoints = backend.vpc_end_points.items()
    yield from (("vpc-endpoint", name) for name, one in endpoints if one.state != "deleted")
