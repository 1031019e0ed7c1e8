"""Collections: filters, order and pages. Pure, but for reading the rows."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

from multidict import MultiMapping

from lab.rancher.callers import parse_id
from lab.rancher.rows import Row
from lab.rancher.schema.shape import ResourceType

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 3000
"""cattle: api.pagination.limit.max; the manual says 1000, the code 3000"""

MODIFIERS: Final = (
    *("eq", "ne", "lt", "lte", "gt", "gte", "prefix", "like", "notlike", "null", "notnull"),
)


RowT = TypeVar("RowT", bound=Row)


def attribute(name: str) -> str:
    """Return the column's name in our rows: agentState is agent_state."""
    return re.sub(r"([A-Z])", r"_\1", name).lower()


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on a column."""

    field: str
    modifier: str
    value: str


@dataclass(frozen=True, slots=True)
class Query:
    """What a caller asked of a collection."""

    filters: Sequence[Filter]
    sort: str | None
    descending: bool
    limit: int
    offset: int
    removed: bool

    @staticmethod
    def read(kind: ResourceType, parameters: MultiMapping[str]) -> "Query":
        """Understand the parameters of a request. Unknown ones are ignored without a word."""
        sort = parameters.get("sort")
        return Query(
            filters=_read_filters(kind, parameters),
            sort=sort if _is_column(kind, sort) else None,
            descending=parameters.get("order", "asc").lower() == "desc",
            limit=_read_limit(parameters.get("limit")),
            offset=_read_marker(parameters.get("marker")),
            removed="_removed" in parameters,
        )

    def page(self, rows: Iterable[RowT], kind: ResourceType) -> tuple[list[RowT], bool]:
        """Return the rows of the page, and whether more follow."""
        found = [row for row in rows if all(self._fits(row, kind, one) for one in self.filters)]
        if self.sort is not None:
            key = attribute(self.sort)
            found.sort(key=lambda row: (_sortable(getattr(row, key)), row.id))
            if self.descending:
                found.reverse()
        end = self.offset + self.limit
        return found[self.offset : end], len(found) > end

    @staticmethod
    def _fits(row: Row, kind: ResourceType, condition: Filter) -> bool:
        actual = getattr(row, attribute(condition.field))
        test = TESTS[condition.modifier]
        return test(actual, _converted(kind.fields[condition.field].type, condition.value))


def _is_column(kind: ResourceType, name: str | None) -> bool:
    field = kind.fields.get(name or "")
    return field is not None and field.column


def _read_filters(kind: ResourceType, parameters: MultiMapping[str]) -> list[Filter]:
    filters = []
    for name, value in parameters.items():
        field, _, modifier = name.rpartition("_")
        if _is_column(kind, name):
            filters.append(Filter(name, "eq", value))
        elif _is_column(kind, field) and modifier in MODIFIERS:
            filters.append(Filter(field, modifier, value))
    return filters


def _read_limit(text: str | None) -> int:
    """Return the size of a page: what is no number counts as unsaid, nothing or less as the cap.

    cattle: test_pagination.py
    """
    if text is None or not re.fullmatch(r"-?\d+", text):
        return DEFAULT_LIMIT
    limit = int(text)
    return limit if 0 < limit <= MAX_LIMIT else MAX_LIMIT


def _read_marker(text: str | None) -> int:
    """Return how many rows come before the page.

    cattle: AbstractJooqResourceManager.getOffset
    """
    found = re.fullmatch(r"m(\d+)", text or "")
    return int(found[1]) if found else 0


def _converted(kind: str, value: str) -> object:
    """Return a filter's value as the column has it."""
    if kind.startswith("reference[") or (
        kind == "int" and value.startswith("1") and parse_id(value)
    ):
        return parse_id(value)
    if kind == "date":
        return _read_date(value)
    if kind == "boolean":
        return value.lower() == "true"
    if kind == "int":
        return float(value) if re.fullmatch(r"-?\d+(\.\d+)?", value) else None
    return value.casefold()


def _read_date(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def _comparable(actual: object) -> object:
    """Return a column's value as MySQL compares it: without regard to case."""
    return actual.casefold() if isinstance(actual, str) else actual


def _sortable(actual: object) -> tuple[bool, object]:
    """Return a key by which rows without a value come first, as in MySQL."""
    return (actual is not None, _comparable(actual) if actual is not None else 0)


def _compare(test: Callable[[object, object], bool]) -> Callable[[object, object], bool]:
    def compared(actual: object, wanted: object) -> bool:
        if actual is None or wanted is None:
            return False
        return test(_comparable(actual), wanted)

    return compared


def _matches(actual: object, wanted: object) -> bool:
    pattern = ".*".join(re.escape(part) for part in str(wanted).split("%"))
    return re.fullmatch(pattern, str(actual), re.DOTALL) is not None


TESTS: Final[Mapping[str, Callable[[object, object], bool]]] = {
    "eq": _compare(operator.eq),
    "ne": _compare(operator.ne),
    "lt": _compare(operator.lt),  # type: ignore[arg-type]
    "lte": _compare(operator.le),  # type: ignore[arg-type]
    "gt": _compare(operator.gt),  # type: ignore[arg-type]
    "gte": _compare(operator.ge),  # type: ignore[arg-type]
    "prefix": _compare(lambda actual, wanted: str(actual).startswith(str(wanted))),
    "like": _compare(_matches),
    "notlike": _compare(lambda actual, wanted: not _matches(actual, wanted)),
    "null": lambda actual, _wanted: actual is None,
    "notnull": lambda actual, _wanted: actual is not None,
}
