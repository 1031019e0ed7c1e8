"""What a bake leaves in the lab's EC2, and the real Packer's processes."""

from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from corral.clients.packer import find_ansible, find_packer
from corral.domain.images import BUILDER_TAG
from corral.errors import PrerequisiteError
from corral.settings import Settings
from tests.lab.stage import Stage

TEMPORARY = "packer_"


def lacking() -> str:
    """Return what a real bake takes and this machine lacks; empty if all is there."""
    settings = Settings()
    try:
        find_packer(settings.packer)
        find_ansible(settings.ansible_playbook)
    except PrerequisiteError as error:
        return str(error)
    return ""


needs_packer = pytest.mark.skipif(bool(lacking()), reason=f"nothing was baked: {lacking()}")


class Oven:
    """The lab's EC2 as a bake sees it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.ec2 = stage.client("ec2")

    def builders(self, *states: str) -> list[str]:
        """Return the ids of the builders in one of these states; by default of all that live."""
        living = states or ("pending", "running", "stopping", "stopped", "shutting-down")
        return [row["InstanceId"] for row in self._instances() if row["State"]["Name"] in living]

    def left(self) -> list[str]:
        """Return everything that a bake leaves only if nobody cleans up."""
        keys = [row["KeyName"] for row in self.ec2.describe_key_pairs()["KeyPairs"]]
        groups = [row["GroupName"] for row in self.ec2.describe_security_groups()["SecurityGroups"]]
        return self.builders() + [one for one in keys + groups if one.startswith(TEMPORARY)]

    def images(self) -> dict[str, Any]:
        """Return our images by their names."""
        return {row["Name"]: row for row in self.ec2.describe_images(Owners=["self"])["Images"]}

    def packers(self) -> list[psutil.Process]:
        """Return the Packers that this stage's flows have started and that still run."""
        return [one for one in psutil.process_iter() if self._is_ours(one)]

    def _instances(self) -> Iterator[Any]:
        filters = [{"Name": "tag-key", "Values": [BUILDER_TAG]}]
        for page in self.ec2.get_paginator("describe_instances").paginate(Filters=filters):
            for reservation in page["Reservations"]:
                yield from reservation["Instances"]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            words = process.cmdline()
            environment = process.environ() if "packer" in " ".join(words[:2]) else {}
        except psutil.Error:
            return False
        return environment.get("CORRAL_WORK_DIR") == str(self.stage.work_dir)
