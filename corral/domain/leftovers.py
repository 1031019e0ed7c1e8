"""What is left after the end of a cluster, and which of it is meant to stay."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from corral.domain.images import FAMILY_TAG


@dataclass(frozen=True, slots=True)
class Found:
    """One thing of the cluster that AWS still has; `name` is its ARN, or what people call it."""

    name: str
    tags: Mapping[str, str]
    state: str = ""
    """As its service says it, where that tells whether it is there at all."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing that is left; `reason` says why it is meant to stay, "" if it is not."""

    name: str
    reason: str = ""


GONE: Final = frozenset({"deleted", "deleting", "shutting-down", "terminated"})
"""States of what AWS still lists for about an hour. Source: EC2 user guide, "Instance lifecycle";
VPC user guide, "NAT gateway states"."""

LEAVING: Final = "leaving"
"""The state of a secret in its recovery window."""


def judge_leftovers(found: Iterable[Found], *, state_bucket: str) -> tuple[Leftover, ...]:
    """Return what is left, what nobody wanted first; what is on its way out is left out."""
    left = [Leftover(one.name, _reason(one, state_bucket)) for one in found if not _is_gone(one)]
    return tuple(sorted(left, key=lambda one: (bool(one.reason), one.name)))


def _is_gone(one: Found) -> bool:
    return one.state in GONE


def _reason(one: Found, state_bucket: str) -> str:
    if one.name == f"arn:aws:s3:::{state_bucket}":
        return "the bucket of the states, with all their versions"
    if ":rds:" in one.name and ":snapshot:" in one.name:
        return "a snapshot of the database"
    if ":rds:" in one.name and ":auto-backup:" in one.name:
        return "automated backups of the database, until their days are over"
    if one.state == LEAVING:
        return "a secret that can be called back for a while"
    if FAMILY_TAG in one.tags:
        return "a machine image, which other clusters may start from"
    return ""
