"""Where Rancher's API has things."""

from typing import Final
from urllib.parse import quote

API: Final = "/v2-beta"


def path_of(kind: str, resource_id: str) -> str:
    """Return the path of one resource; whatever its id is, it leads nowhere else."""
    return f"{API}/{kind}/{quote(resource_id, safe='')}"


def host_path(project_id: str, host_id: str) -> str:
    """Return the path of a host in the scope of its environment.

    Out of that scope hosts are read-only, whoever asks.

    Source: cattle, test_authorization.py.
    """
    return scoped_path(project_id, "hosts", host_id)


def scoped_path(project_id: str, kind: str, resource_id: str = "") -> str:
    """Return the path of things of an environment, or of one of them, in its scope."""
    path = f"{path_of('projects', project_id)}/{kind}"
    return f"{path}/{quote(resource_id, safe='')}" if resource_id else path
