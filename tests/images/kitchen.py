"""The whole of bake-image: real flow, Packer, Ansible, roles; a root in the place of a builder."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from prefect.settings import PREFECT_API_URL, temporary_settings

from corral.settings import PROJECT
from flows.bake_image import bake_image
from tasks import connect
from tests.images.root import Root
from tests.images.way_in import cloud_init
from tests.lab.oven import Oven
from tests.lab.stage import Stage

CLUSTER_FILE = PROJECT / "deployments" / "clusters" / "lab.yaml"


@dataclass(frozen=True)
class Bake:
    """What a bake came to, as its flow and EC2 tell it."""

    end: Any
    """State of the flow's run."""
    images: dict[str, Any]
    """Our images by their names."""
    ended: set[str]
    """Builders that EC2 shows as ended, which it does for a while."""
    left: list[str]
    """What nobody has cleaned up."""


class Kitchen:
    """A lab, a root that every builder turns out to be, and a cluster file of its own."""

    def __init__(self, stage: Stage, root: Root, ansible_playbook: Path, folder: Path) -> None:
        self._stage, self._root, self._folder = stage, root, folder
        self._ansible_playbook = ansible_playbook
        self._oven = Oven(stage)
        self._variables = folder / "variables.json"

    def bake(self, variables: dict[str, Any]) -> Bake:
        """Bake with these variables of the roles; one that is None is left out."""
        kept = {name: value for name, value in variables.items() if value is not None}
        self._variables.write_text(json.dumps(kept))
        content = yaml.safe_load(CLUSTER_FILE.read_text())
        content["bake"] = {"variables": str(self._variables)}
        (self._folder / "lab.yaml").write_text(yaml.safe_dump(content))
        with self._surroundings(), cloud_init(self._oven.ec2, self._root):
            end = bake_image("lab", return_state=True)
        ended = set(self._oven.builders("terminated"))
        return Bake(end, self._oven.images(), ended, self._oven.left())

    @contextmanager
    def _surroundings(self) -> Iterator[None]:
        """Be where a worker of this stage is, with a way to the root."""
        told = {"ssh_host": "127.0.0.1", "ssh_port": self._root.port, "ssh_timeout": "60s"}
        more = {
            "CORRAL_PACKER_VARIABLES": json.dumps(told),
            "CORRAL_CLUSTERS_DIR": str(self._folder),
            "CORRAL_ANSIBLE_PLAYBOOK": str(self._ansible_playbook),
        }
        api = self._stage.environment["PREFECT_API_URL"]
        with pytest.MonkeyPatch.context() as patch, temporary_settings({PREFECT_API_URL: api}):
            for name, value in (self._stage.environment | more).items():
                patch.setenv(name, value)
            patch.setattr(boto3, "DEFAULT_SESSION", None)
            connect.settings.cache_clear()
            yield
        connect.settings.cache_clear()
