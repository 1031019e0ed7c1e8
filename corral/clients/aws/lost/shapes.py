"""What all finders share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import boto3

from corral.clients.aws.calls import CONFIG
from corral.domain.adoption import Found, Wanted
from corral.errors import AmbiguousError


@dataclass(frozen=True, slots=True)
class Look:
    """How resources of one type are found."""

    service: str
    """As boto3 spells it, for errors."""
    find: Callable[[boto3.Session, Wanted], Found | None]


@lru_cache(maxsize=32)
def open_client(session: boto3.Session, service: str) -> Any:  # noqa: ANN401 - one of many types
    """Return a client, made once for all resources that are looked for: that takes a while."""
    make: Any = session.client  # its stubs know literal names only
    return make(service, config=CONFIG)


def has_marks(wanted: Wanted, tags: Mapping[str, str]) -> bool:
    """Whether these tags say that a resource is the wanted one's cluster's and stack's."""
    return bool(wanted.marks) and wanted.marks.items() <= tags.items()


def tags_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return tags as a mapping, from the pairs that most of AWS gives."""
    return {row["Key"]: row["Value"] for row in rows}


def only(wanted: Wanted, ids: Sequence[str]) -> str | None:
    """Return the one id there is; None without any.

    Raises:
        AmbiguousError: There are several.

    """
    if len(ids) > 1:
        raise AmbiguousError(f"What could be {wanted.address}", list(ids))
    return ids[0] if ids else None
