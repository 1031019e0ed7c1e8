"""The registry the lab's machines pull from: two repositories, Rancher's."""

import re

SERVER = "rancher/server"
AGENT = "rancher/agent"
PULL_S = {SERVER: 20.0, AGENT: 8.0}
"""Invented, but of the size of a pull within a region: 1 GB and 230 MB."""

NEWEST = (6, 30)
TAG = re.compile(r"v1\.(\d+)\.(\d+)|stable|latest")
"""Source: Rancher 1.6 documentation, installing the server; `-rcN` is not supported. What came
after v1.6.30 was never released, so that nobody can pull it."""


class ImageNotFoundError(LookupError):
    """The registry has no such image; the text is Docker's."""


def repository_of(image: str) -> str:
    """Return which of Rancher's images a name means, whatever registry it names.

    Raises:
        ImageNotFoundError: No such repository, or no such tag.
    """
    name, _, tag = image.rpartition("/")[2].partition(":")
    repository = "/".join([*image.split("/")[-2:-1], name])
    if repository not in PULL_S:
        raise ImageNotFoundError(
            f"pull access denied for {image.partition(':')[0]}, repository does not exist or may "
            "require 'docker login': denied: requested access to the resource is denied"
        )
    if not _is_released(repository, tag or "latest"):
        raise ImageNotFoundError(f"manifest for {image} not found: manifest unknown")
    return repository


def _is_released(repository: str, tag: str) -> bool:
    found = TAG.fullmatch(tag)
    if found is None or found[1] is None or repository != SERVER:
        return found is not None
    return (int(found[1]), int(found[2])) <= NEWEST
