"""A cluster file as it was written: asked for its parts, it answers None to what is not there."""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any, NamedTuple, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from corral.cluster.values import Hostname, Region

Location: TypeAlias = tuple[str | int, ...]
T = TypeVar("T")

TEXT = TypeAdapter(str)
NUMBER = TypeAdapter(int)
NETWORK = TypeAdapter(IPv4Network)
REGION: TypeAdapter[str] = TypeAdapter(Region)
HOSTNAME: TypeAdapter[str] = TypeAdapter(Hostname)


class Fault(NamedTuple):
    """What is wrong in a file, and where: the keys and numbers that lead there."""

    path: Location
    sentence: str


Faults: TypeAlias = Iterator[Fault]


def at(part: object, *keys: str) -> object:
    """Return what stands under these keys."""
    for key in keys:
        part = part.get(key) if isinstance(part, Mapping) else None
    return part


def read(kind: TypeAdapter[T], part: object) -> T | None:
    """Return a value as the model would read it, None where the model would refuse it."""
    try:
        return kind.validate_python(part)
    except ValidationError:
        return None


def entries(part: object) -> Mapping[Any, Any]:
    """Return a mapping's keys and values; none of anything else."""
    return part if isinstance(part, Mapping) else {}


def items(part: object) -> list[Any]:
    """Return the items of a list; none of anything else."""
    return list(part) if isinstance(part, list | tuple) else []


def texts(parts: Sequence[object]) -> list[str]:
    """Return those parts that are texts."""
    return [part for part in parts if isinstance(part, str)]


def names(part: object) -> list[str]:
    """Return the names of a list's items."""
    return texts([at(item, "name") for item in items(part)])


def repeated(path: Location, found: Sequence[str]) -> Faults:
    """Find the names that occur more than once."""
    if twice := sorted({name for name in found if found.count(name) > 1}):
        yield Fault(path, f"named twice: {', '.join(twice)}")
