"""What the roles are told, and which versions of things they put into the image."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from corral.errors import PrerequisiteError

_DOCKER = "docker_host_version"
_PACKAGING = re.compile(r"^\d+:|~.*$")
"""What Debian's packages put around a version: `5:19.03.15~3-0~debian-buster`."""
_DEFAULTS = Path("roles", "docker_host", "defaults", "main.yml")


def read_variables(path: Path) -> dict[str, Any]:
    """Return an operator's variables of the roles.

    Raises:
        PrerequisiteError: There is no such file, or it is no mapping of names to values.

    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PrerequisiteError(
            f"The file of Ansible variables {path} cannot be read ({error.strerror}): correct"
            " bake.variables in the cluster file."
        ) from error
    except (UnicodeDecodeError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise PrerequisiteError(
            f"The file of Ansible variables {path} is no YAML: {reason}"
        ) from error
    if not isinstance(content, dict):
        raise PrerequisiteError(
            f"The file of Ansible variables {path} holds no mapping of names to values, such as"
            " `base_server_operators: []`."
        )
    return content


def versions_in(images: Path, node: Path, variables: Mapping[str, Any]) -> dict[str, str]:
    """Return the versions of Docker and of the node program that an image gets.

    Args:
        images: Folder of the roles.
        node: Folder of the node program.
        variables: What an operator tells the roles otherwise than their defaults.

    """
    defaults = yaml.safe_load((images / _DEFAULTS).read_text(encoding="utf-8"))
    project = tomllib.loads((node / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    docker = str(variables.get(_DOCKER, defaults[_DOCKER]))
    return {"docker": _PACKAGING.sub("", docker), "node": str(project["version"])}
