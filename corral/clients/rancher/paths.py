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
    return f"{path_of('projects', project_id)}/hosts/{quote(host_id, safe='')}"
