"""What one run bakes, and what Packer's template is told of it and of the way to its builder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corral.clients.aws import Image
from corral.cluster import ClusterSpec
from corral.domain.images import BUILDER_TAG, RUN_TAG, family_of, image_tags

ENDPOINTS = ("AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL")
"""Where EC2 is, if not at AWS: what boto3 reads, and Packer's SDK does not."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What one run bakes."""

    name: str
    source: Image
    revision: str
    """Of the project, as git names it."""
    versions: Mapping[str, str]
    """Of what is put into the image."""
    variables: Path
    """The operator's file of Ansible variables."""
    ansible: Path
    run: str
    """Id of Prefect's run."""

    @property
    def origin(self) -> str:
        """The source image, for people."""
        return f"{self.source.image_id} {self.source.name}"


def template_variables(spec: ClusterSpec, recipe: Recipe) -> dict[str, Any]:
    """Return the variables of Packer's template."""
    bake = spec.bake
    endpoint = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), "")
    return {
        "region": spec.aws.region,
        "custom_endpoint_ec2": endpoint,
        "source_image": recipe.source.image_id,
        "image_name": recipe.name,
        "image_tags": _image_tags(spec, recipe),
        "instance_type": bake.instance_type,
        "volume_gib": bake.volume_gib,
        "subnet_id": bake.subnet,
        "source_cidrs": [str(network) for network in spec.network.admin_networks.values()],
        "run_tags": _run_tags(spec, recipe),
        "playbook_variables": str(recipe.variables),
        "ansible_playbook": str(recipe.ansible),
    }


def way_in(spec: ClusterSpec, source: str) -> str:
    """Return where to look if a builder of a cluster never answers by SSH."""
    subnet = f"subnet {spec.bake.subnet}" if spec.bake.subnet else "default VPC's subnet"
    networks = ", ".join(str(network) for network in spec.network.admin_networks.values())
    return (
        f"look whether its {subnet} (bake.subnet) can be reached from this worker, or whether"
        " CORRAL_PACKER_VARIABLES has to name another ssh_interface; whether the worker's address"
        f" is in network.admin_networks ({networks}), which its security group lets in; and whether"
        f" the source image {source} starts and lets the user admin in."
    )


def _image_tags(spec: ClusterSpec, recipe: Recipe) -> dict[str, str]:
    return image_tags(
        family=family_of(spec.image_name),
        name=recipe.name,
        source=recipe.origin,
        revision=recipe.revision,
        versions=recipe.versions,
        run=recipe.run,
    )


def _run_tags(spec: ClusterSpec, recipe: Recipe) -> dict[str, str]:
    return {
        "Name": f"{spec.name}-image-builder",
        "ManagedBy": "corral",
        BUILDER_TAG: spec.name,
        RUN_TAG: recipe.run,
    }
