"""Versions of Rancher and of its catalog's templates, in the order that the catalog gives them."""

import re
from itertools import starmap

# Where one version goes on and the other has ended: rc1 makes it older, a further number newer.
_WORD, _END, _NUMBER = range(3)

SortKey = tuple[tuple[int, str, int], ...]


def sort_key(version: str) -> SortKey:
    """Return what versions are sorted by: v1.6.13-rc1, v1.6.13, v1.6.13.1, v1.6.14.

    What follows a `+` does not count.

    Source: rancher/catalog-service, utils/version/version.go.
    """
    bare = version.partition("+")[0].lstrip("v")
    parts = re.findall(r"([^.\d-]*)(\d*)", bare.lower())
    return (*starmap(_part, (part for part in parts if any(part))), (_END, "", 0))


def fits(server: str, *, minimum: str, maximum: str) -> bool:
    """Say whether a server lies between two versions, which count as well; "" is no limit."""
    place = sort_key(server)
    return not (minimum and place < sort_key(minimum)) and not (
        maximum and place > sort_key(maximum)
    )


def _part(word: str, digits: str) -> tuple[int, str, int]:
    number = int(digits or 0)
    return (_WORD, word, number) if word else (_NUMBER, "", number)
