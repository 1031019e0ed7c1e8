"""Instances have the volumes that AWS would give them, with the tags that a template says.

moto: adds an unencrypted root volume of its own to those that a launch template maps, even where
the template maps the root device; leaves the root out where a call maps another device; and does
not put a template's tags for volumes on them.
AWS: has one root volume, made as the image says and changed by what template and call map to its
device; tags for `volume` go on every volume of the launch.
Why it matters: a template that forgets to encrypt the root, or to tag it, would look no worse than
one that does not.

Source: EC2 user guide, "Block device mappings for volumes on Amazon EC2 instances", and EC2 API
reference, RequestLaunchTemplateData.TagSpecifications.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from moto.ec2.models.instances import InstanceBackend, Reservation
from moto.ec2.utils import convert_tag_spec

from lab.aws.moto_edge import patch

_MAPPINGS = "block_device_mappings"
_IMAGES_ROOT = {"VolumeSize": 8, "VolumeType": "gp2", "DeleteOnTermination": True}
_ROOT_OF_NO_IMAGE = "/dev/sda1"

Mapped = Mapping[str, Any]


def _merged(root: str, *said: Iterable[Mapped]) -> list[Mapped]:
    """Return one mapping a device, the last that is said of it; the image's for the root's rest."""
    devices = {one["DeviceName"]: one for mappings in said for one in mappings}
    mapped = devices.get(root, {})
    changes = {name: value for name, value in mapped.get("Ebs", {}).items() if value is not None}
    of_root = {"DeviceName": root, **mapped, "Ebs": {**_IMAGES_ROOT, **changes}}
    return list({**devices, root: of_root}.values())


def _root_of(backend: InstanceBackend, image_id: str | None) -> str:
    image = backend.amis.get(image_id)
    return str(image.root_device_name) if image else _ROOT_OF_NO_IMAGE


def _tags_of(data: Mapped, given: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Return a launch's tags by kind; what the call says comes before what the template says."""
    said = convert_tag_spec(data.get("TagSpecifications") or [])
    return {kind: {**said.get(kind, {}), **given.get(kind, {})} for kind in {*said, *given}}


def close() -> None:
    """Hand moto the whole of the mappings and tags, so that it has nothing to add."""

    def run(
        self: InstanceBackend,
        image_id: str | None,
        count: int,
        user_data: Any,  # noqa: ANN401
        security_group_names: list[str],
        **given: Any,  # noqa: ANN401
    ) -> Reservation:
        template = given.get("launch_template")
        version = self._get_template_from_args(template) if template else None
        data = version.data if version else {}
        given["tags"] = _tags_of(data, given.get("tags") or {})
        # An empty list is the seeded herd's: no volumes at all
        if given.get(_MAPPINGS) != []:
            root = _root_of(self, image_id or data.get("ImageId"))
            of_template = data.get("BlockDeviceMappings") or []
            given[_MAPPINGS] = _merged(root, of_template, given.get(_MAPPINGS) or [])
        return original(self, image_id, count, user_data, security_group_names, **given)

    original = patch(InstanceBackend, "run_instances", run)
