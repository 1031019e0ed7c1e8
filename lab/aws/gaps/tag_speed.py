"""A resource's tags are looked up, not searched for.

moto: goes through all tags of the account with a pattern for each resource that is answered, so
that a list of a thousand instances takes a million comparisons.
AWS: answers a thousand instances in about a second.
Why it matters: herds of thousands are read again and again.

Source: measured; moto 5.2.5, `moto/ec2/models/core.py` and `tags.py`.
"""

from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

from lab.aws.moto_edge import patch


def _get_tags(self: TaggedEC2Resource) -> list[dict[str, str]]:
    if not self.id:
        return []
    kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(self.id), "")
    known = self.ec2_backend.tags.get(self.id, {})
    return [
        {"resource_id": self.id, "key": key, "value": value, "resource_type": kind}
        for key, value in list(known.items())
    ]


def close() -> None:
    """Look into the resource's own entry."""
    patch(TaggedEC2Resource, "get_tags", _get_tags)
