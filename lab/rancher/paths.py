"""Paths of the API, taken apart. Pure."""

import re
from dataclasses import dataclass
from typing import Final

VERSIONS: Final = ("v1", "v2-beta")
SCOPED_LENGTH: Final = 4


@dataclass(frozen=True, slots=True)
class Target:
    """What a path means. `project` is the environment that scopes the call, by its path."""

    version: str
    project: str | None = None
    kind: str | None = None
    id: str | None = None
    link: str | None = None


def read_path(path: str) -> Target | None:
    """Return what a path of the API means, or None if it is not the API's.

    Only a path with something below the environment is scoped, and its members are not:
    `/v2-beta/projects/1a5` is a resource of its own.
    cattle: ApiRequestParser.parse
    """
    parts = [part for part in path.split("/") if part]
    if not parts or parts[0] not in VERSIONS:
        return None
    version, project = parts[0], None
    if _is_scoped(parts):
        project = parts[2]
        parts = [version, *parts[3:]]
    if len(parts) > SCOPED_LENGTH:
        return None
    kind, resource_id, link = (*parts[1:], None, None, None)[:3]
    return Target(version, project, kind, resource_id, link)


def _is_scoped(parts: list[str]) -> bool:
    return (
        len(parts) >= SCOPED_LENGTH
        and parts[1].lower() == "projects"
        and parts[3].lower() != "projectmembers"
    )


def operation(method: str, path: str, action: str | None) -> str:
    """Return a call as the journal names it: `POST /v2-beta/projects/{id}/hosts/{id}?remove`."""
    parts = path.split("/")[1:]
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    if parts[0] in (*VERSIONS, "v1-catalog"):
        # After the version, names of collections and ids take turns, but for the word `link`s.
        parts[2::2] = ["{id}"] * len(parts[2::2])
    template = re.sub("/+", "/", "/" + "/".join(parts))
    return f"{method} {template}" + (f"?{action}" if action else "")
