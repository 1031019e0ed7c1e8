"""Machine images: the newest source, those that we baked, who uses them, and their removal."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3

from corral.clients.aws.calls import CONFIG, batches, translated
from corral.clients.aws.lookups import Image
from corral.domain.images import FAMILY_TAG, BakedImage
from corral.errors import AwsError, PrerequisiteError

IDS_AT_ONCE = 200
"""The most values that one filter takes. Source: EC2 API reference, Filter."""

_LIVING = ["pending", "running", "stopping", "stopped"]
_NEWEST = ("$Latest", "$Default")
_GONE = {
    "InvalidAMIID.NotFound",
    "InvalidAMIID.Unavailable",
    "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateId.VersionNotFound",
    "InvalidSnapshot.NotFound",
}


def source_image(session: boto3.Session, owner: str, name: str) -> Image:
    """Return the newest available image of an account whose name matches.

    Raises:
        PrerequisiteError: None matches.

    """
    with translated("ec2"):
        pages = session.client("ec2", config=CONFIG).get_paginator("describe_images")
        found = [
            image
            for page in pages.paginate(
                Owners=[owner],
                Filters=[
                    {"Name": "name", "Values": [name]},
                    {"Name": "state", "Values": ["available"]},
                ],
            )
            for image in page["Images"]
        ]
    if not found:
        raise PrerequisiteError(
            f"No image of account {owner} in {session.region_name} is named {name}: correct"
            " bake.source_owner or bake.source_name in the cluster file."
        )
    newest = max(found, key=lambda image: image["CreationDate"])
    return Image(newest["ImageId"], newest["Name"])


def baked_images(session: boto3.Session, family: str) -> list[BakedImage]:
    """Return the images that were baked for one name, by their tag."""
    with translated("ec2"):
        pages = session.client("ec2", config=CONFIG).get_paginator("describe_images")
        found = pages.paginate(
            Owners=["self"], Filters=[{"Name": f"tag:{FAMILY_TAG}", "Values": [family]}]
        )
        return [_image(row) for page in found for row in page["Images"]]


def users_of(session: boto3.Session, ids: Collection[str]) -> dict[str, str]:
    """Return who uses each of these images, one user's name by the image's id.

    Users are instances that are not terminated, groups, launch templates by their newest and
    their default version, and other accounts that an image was shared with.
    """
    users: dict[str, str] = {}
    for look in (_shares, _templates, _groups, _instances):
        users |= {image: user for image, user in look(session, ids) if image in ids}
    return users


def remove_image(session: boto3.Session, image: BakedImage) -> None:
    """Deregister an image and delete its snapshots; what is gone already is success."""
    client = session.client("ec2", config=CONFIG)
    _unless_gone(lambda: client.deregister_image(ImageId=image.id))
    for snapshot in image.snapshots:
        _delete_snapshot(client, snapshot)


def remove_lost_snapshots(session: boto3.Session, family: str) -> list[str]:
    """Delete the snapshots of images that are gone, and return their ids.

    A run that died between an image and its snapshots leaves some behind.
    """
    client = session.client("ec2", config=CONFIG)
    with translated("ec2"):
        pages = client.get_paginator("describe_snapshots").paginate(
            OwnerIds=["self"], Filters=[{"Name": f"tag:{FAMILY_TAG}", "Values": [family]}]
        )
        found = {row["SnapshotId"] for page in pages for row in page["Snapshots"]}
    # Asked afterwards: an image that another run tags meanwhile has its snapshots.
    kept = {snapshot for image in baked_images(session, family) for snapshot in image.snapshots}
    lost = sorted(found - kept)
    for snapshot in lost:
        _delete_snapshot(client, snapshot)
    return lost


def _image(row: Mapping[str, Any]) -> BakedImage:
    created = datetime.fromisoformat(row["CreationDate"])
    disks = (disk.get("Ebs", {}).get("SnapshotId") for disk in row.get("BlockDeviceMappings", ()))
    return BakedImage(
        id=row["ImageId"],
        name=row["Name"],
        created=created.astimezone(UTC),
        snapshots=tuple(snapshot for snapshot in disks if snapshot),
        tags={tag["Key"]: tag["Value"] for tag in row.get("Tags", ())},
    )


Users = Iterator[tuple[str, str]]
"""Pairs of an image's id and who uses it."""


def _instances(session: boto3.Session, ids: Collection[str]) -> Users:
    client = session.client("ec2", config=CONFIG)
    for some in batches(ids, IDS_AT_ONCE):
        with translated("ec2"):
            pages = client.get_paginator("describe_instances").paginate(
                Filters=[
                    {"Name": "image-id", "Values": some},
                    {"Name": "instance-state-name", "Values": _LIVING},
                ]
            )
            for page in pages:
                for reservation in page["Reservations"]:
                    for row in reservation["Instances"]:
                        yield row["ImageId"], f"instance {row['InstanceId']}"


def _templates(session: boto3.Session, _: Collection[str]) -> Users:
    with translated("ec2"):
        pages = session.client("ec2", config=CONFIG).get_paginator(
            "describe_launch_template_versions"
        )
        for page in pages.paginate(Versions=[*_NEWEST]):
            yield from _of_versions(page["LaunchTemplateVersions"])


def _groups(session: boto3.Session, _: Collection[str]) -> Users:
    """Yield what groups start machines from, where that is neither newest nor default.

    A group whose template or version is gone starts nothing.
    """
    client = session.client("ec2", config=CONFIG)
    for template, version in sorted(_versions_of_groups(session)):
        look = partial(
            client.describe_launch_template_versions, LaunchTemplateId=template, Versions=[version]
        )
        if answer := _unless_gone(look):
            yield from _of_versions(answer["LaunchTemplateVersions"])


def _versions_of_groups(session: boto3.Session) -> set[tuple[str, str]]:
    with translated("autoscaling"):
        pages = session.client("autoscaling", config=CONFIG).get_paginator(
            "describe_auto_scaling_groups"
        )
        named = [
            template
            for page in pages.paginate()
            for group in page["AutoScalingGroups"]
            for template in _templates_of(group)
        ]
    return {
        (template["LaunchTemplateId"], template["Version"])
        for template in named
        if template.get("Version", _NEWEST[1]) not in _NEWEST
    }


def _templates_of(group: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return every launch template that a group may start machines from."""
    mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    named = [
        group.get("LaunchTemplate"),
        mixed.get("LaunchTemplateSpecification"),
        *(other.get("LaunchTemplateSpecification") for other in mixed.get("Overrides", ())),
    ]
    return [template for template in named if template]


def _of_versions(versions: Collection[Mapping[str, Any]]) -> Users:
    for version in versions:
        name = f"launch template {version['LaunchTemplateName']}:{version['VersionNumber']}"
        yield version["LaunchTemplateData"].get("ImageId", ""), name


def _shares(session: boto3.Session, ids: Collection[str]) -> Users:
    client = session.client("ec2", config=CONFIG)
    for image in ids:
        look = partial(client.describe_image_attribute, ImageId=image, Attribute="launchPermission")
        for permission in (_unless_gone(look) or {}).get("LaunchPermissions", ()):
            yield image, f"shared with {permission.get('UserId') or 'others'}"


def _delete_snapshot(client: Any, snapshot: str) -> None:  # noqa: ANN401 - boto3's
    _unless_gone(lambda: client.delete_snapshot(SnapshotId=snapshot))


def _unless_gone(call: Callable[[], Any]) -> Any:  # noqa: ANN401 - boto3's
    """Return what AWS answers; None if what the call is about is not there."""
    try:
        with translated("ec2"):
            return call()
    except AwsError as error:
        if error.code not in _GONE:
            raise
    return None
