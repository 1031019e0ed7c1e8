"""Machine images as corral bakes them: names, tags, what is kept and why, what was left behind.

Nothing here knows how AWS or Packer spell an image.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from corral.cluster import ClusterSpec

FAMILY_TAG = "corral:image"
"""Which images are told apart by age and number: what their names begin with."""
SOURCE_TAG = "corral:source"
REVISION_TAG = "corral:revision"
VERSIONS_TAG = "corral:versions"
RUN_TAG = "corral:run"
BUILDER_TAG = "corral:builder"
"""On a builder, and by newer Packers on all that belongs to it: the cluster whose run bakes."""
LEFT_TAG = "corral:left-behind"
"""On what belongs to a builder that is being ended: the cluster whose run baked with it."""

LONGEST_NAME = 128
"""Source: EC2 API reference, CreateImage."""
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class BakedImage:
    """One image that corral baked."""

    id: str
    name: str
    created: datetime
    snapshots: tuple[str, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of an image, and why."""

    image: BakedImage
    is_kept: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Builder:
    """A machine on which an image is baked, or was."""

    id: str
    run: str
    """Of Prefect, which started it."""
    launched: datetime
    key_pair: str
    groups: tuple[str, ...]


def find_faults(spec: ClusterSpec) -> list[str]:
    """Return why no image can be baked for this cluster, a sentence for each reason."""
    faults = []
    if not re.fullmatch(r"[^*?]+\*", spec.image_name):
        faults.append(
            f"image_name is {spec.image_name}: bake-image puts date, time and revision in the place"
            " of a * at its end, as in corral-node-*"
        )
    sizes = {"control": spec.control.volume_gib} | {p.name: p.volume_gib for p in spec.pools}
    faults += [
        f"{who} has volumes of {size} GiB, less than the {spec.bake.volume_gib} GiB of the image"
        " (bake.volume_gib)"
        for who, size in sizes.items()
        if size < spec.bake.volume_gib
    ]
    return faults


def family_of(pattern: str) -> str:
    """Return what the names of a cluster's images begin with."""
    return pattern.removesuffix("*")


def new_name(pattern: str, now: datetime, revision: str) -> str:
    """Return the name of an image baked now, in UTC: the last by name is the newest."""
    return f"{family_of(pattern)}{now:%Y%m%d-%H%M%S}-{revision}"[:LONGEST_NAME]


def image_tags(
    *, family: str, name: str, source: str, revision: str, versions: Mapping[str, str], run: str
) -> dict[str, str]:
    """Return the tags of a new image and of its snapshots."""
    return {
        "Name": name,
        "ManagedBy": "corral",
        FAMILY_TAG: family,
        SOURCE_TAG: source,
        REVISION_TAG: revision,
        VERSIONS_TAG: write_versions(versions),
        RUN_TAG: run,
    }


def write_versions(versions: Mapping[str, str]) -> str:
    """Return versions as a tag's value: `docker=19.03.15 node=0.1.0`."""
    return " ".join(f"{name}={version}" for name, version in sorted(versions.items()))


def judge_images(
    images: Sequence[BakedImage],
    in_use: Mapping[str, str],
    *,
    keep: int,
    keep_days: int,
    now: datetime,
) -> list[Fate]:
    """Return what becomes of each image, the newest first.

    Args:
        images: All that were baked for one name.
        in_use: By whom an image is used, by its id.
        keep: So many of the newest stay, whatever their age.
        keep_days: Younger ones stay, whatever their number.
        now: The time it is.

    """
    newest_first = sorted(images, key=lambda image: (image.created, image.name), reverse=True)
    rule = timedelta(days=keep_days)
    fates = []
    for place, image in enumerate(newest_first, start=1):
        age = now - image.created
        if user := in_use.get(image.id):
            fates.append(Fate(image, is_kept=True, reason=f"in use: {user}"))
        elif place <= keep:
            fates.append(Fate(image, is_kept=True, reason=f"one of the {keep} newest"))
        elif age < rule:
            reason = f"{age.days} days old, younger than {keep_days}"
            fates.append(Fate(image, is_kept=True, reason=reason))
        else:
            reason = f"{age.days} days old, not one of the {keep} newest, used by nobody"
            fates.append(Fate(image, is_kept=False, reason=reason))
    return fates


def find_leftovers(
    builders: Iterable[Builder], over: Mapping[str, bool], *, now: datetime, longest: timedelta
) -> list[Builder]:
    """Return the builders of which nobody takes care any more.

    Args:
        builders: All of one cluster.
        over: Whether a run has ended; a run of which that is not known is left out.
        now: The time it is.
        longest: No bake takes so long; what counts where nothing is known of the run.

    """
    return [
        builder for builder in builders if over.get(builder.run, now - builder.launched > longest)
    ]
