"""Versions as the catalog service compares them. Pure.

catalog-service: utils/version.go, utils/version/version.go
"""

import itertools
import re


def is_greater(one: str, other: str) -> bool:
    """Say whether one version is newer than another.

    v1.6.13 is newer than v1.6.13-rc1: a further part counts as older, unless it is a number.
    """
    if one == other:
        return False
    mine, theirs = _parts(one), _parts(other)
    if len(theirs) > len(mine):
        return not is_greater(other, one)
    for part, opposite in itertools.zip_longest(mine, theirs):
        if opposite is None:
            return part.isdigit()
        order = _compare(part, opposite)
        if order:
            return order > 0
    return False


def is_between(least: str, version: str, most: str) -> bool:
    """Say whether a version lies between two, which count as well; what is empty is no limit."""
    if not version:
        return True
    return not (least and is_greater(least, version)) and not (most and is_greater(version, most))


def _parts(version: str) -> list[str]:
    bare = version.partition("+")[0].lstrip("v")
    return [part for part in re.split(r"[.-]", bare) if part]


def _compare(part: str, opposite: str) -> int:
    """Return more than 0, less or 0: by the words if both have one, then by the numbers."""
    word, other_word = _find("[a-z]+", part), _find("[a-z]+", opposite)
    if word and other_word and word != other_word:
        return 1 if word > other_word else -1
    number, other_number = _find("[0-9]+", part), _find("[0-9]+", opposite)
    if number and other_number:
        return int(number) - int(other_number)
    return (part > opposite) - (part < opposite)


def _find(pattern: str, part: str) -> str:
    found = re.search(pattern, part)
    return found[0] if found else ""
