"""Rows as the API shows them: typed ids, dates, links, actions."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Final
from urllib.parse import urlencode

from lab.rancher.call import Call
from lab.rancher.listing import Query, attribute
from lab.rancher.rows import Row
from lab.rancher.schema import TYPES
from lab.rancher.schema.shape import ResourceType
from lab.rancher.state_tables import TRANSITIONING

Document = dict[str, object]
Converter = Callable[[object], object]

COMPUTED: Final = frozenset(
    {"transitioning", "transitioningMessage", "transitioningProgress", "healthState"}
)
REFERENCES: Final[Mapping[str, str]] = {
    **{kind.name: kind.prefix for kind in TYPES.values()},
    "hostTemplate": "1ht",
    "storagePool": "1sp",
}


def date_text(seconds: float) -> str:
    """Return a moment as the API writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_id(type_name: str, row_id: int | None) -> str | None:
    """Return an id such as 1h5.

    gdapi: TypeIdFormatter.java
    """
    return None if row_id is None else f"{REFERENCES[type_name]}{row_id}"


def _converter(kind: ResourceType, name: str) -> Converter | None:
    field_type = kind.fields[name].type
    if name == "id":
        return lambda value: f"{kind.prefix}{value}"
    if field_type == "date":
        return lambda value: date_text(value) if isinstance(value, float) else None
    if field_type.startswith("reference["):
        prefix = REFERENCES[field_type[len("reference[") : -1]]
        return lambda value: None if value is None else f"{prefix}{value}"
    return None


@cache
def _readable(type_name: str, role: str) -> tuple[tuple[str, str, Converter | None], ...]:
    """Return name, column and converter of each field that a role may read."""
    kind = TYPES[type_name]
    return tuple(
        (name, attribute(name), _converter(kind, name))
        for name in kind.fields
        if "r" in kind.field_access(role, name) and name not in COMPUTED
    )


@cache
def readable_names(type_name: str, role: str) -> frozenset[str]:
    """Return the fields that a role may read in an answer, once at least."""
    kind = TYPES[type_name]
    return frozenset(name for name in kind.fields if set("ro") & set(kind.field_access(role, name)))


def fields_of(call: Call, kind: ResourceType, row: Row) -> Document:
    """Return the fields of a row that the caller may read."""
    document: Document = {}
    for name, column, convert in _readable(kind.name, call.caller.role):
        value = getattr(row, column, None)
        document[name] = value if convert is None else convert(value)
    return document


def render(call: Call, kind: ResourceType, row: Row, actions: Iterable[str]) -> Document:
    """Return a row as a resource, with the links that are answered and the actions given."""
    document = fields_of(call, kind, row)
    resource_id = str(document["id"])
    document["type"] = kind.name
    if call.version != "v1":
        document["baseType"] = kind.base
    if "created" in document:
        document["createdTS"] = int(row.created * 1000)
    if "transitioning" in kind.fields:
        document |= _transitioning(row)
    here = call.urls.resource(kind.plural, resource_id)
    document["links"] = _links(call, kind, document, here)
    document["actions"] = {name: f"{here}/?action={name}" for name in actions}
    return document


def _transitioning(row: Row) -> Document:
    """Return whether a row is on its way, and why it cannot go on.

    cattle: DefaultObjectMetaDataManager.java, EventVO.java (transitioning "error")
    """
    error = getattr(row, "error", None)
    going = "yes" if row.state in TRANSITIONING else "no"
    return {
        "transitioning": "error" if error else going,
        "transitioningMessage": error,
        "transitioningProgress": None,
    }


@cache
def _link_names(type_name: str, role: str) -> tuple[tuple[str, str], ...]:
    """Return link and field of each reference that a role may follow.

    cattle: AbstractObjectResourceManager.getReferenceLink
    """
    kind = TYPES[type_name]
    return tuple(
        (name[:-2], name)
        for name, field in kind.fields.items()
        if field.type.startswith("reference[")
        and "r" in kind.field_access(role, name)
        and field.type[len("reference[") : -1] in TYPES
        and TYPES[field.type[len("reference[") : -1]].rights.get(role)
    )


def _links(call: Call, kind: ResourceType, document: Document, here: str) -> dict[str, str]:
    links = {"self": here}
    for link, field in _link_names(kind.name, call.caller.role):
        if document.get(field) is not None:
            links[link] = f"{here}/{link.lower()}"
    return links


def reference_of(call: Call, kind: ResourceType, link: str) -> tuple[ResourceType, str] | None:
    """Return the type and the column that a link of a resource leads by."""
    for name, field in _link_names(kind.name, call.caller.role):
        if name.lower() == link.lower():
            return TYPES[kind.fields[field].type[len("reference[") : -1]], attribute(field)
    return None


def collection(
    call: Call,
    kind: ResourceType,
    data: list[Document],
    *,
    query: Query | None = None,
    more: bool = False,
    here: str | None = None,
) -> Document:
    """Return resources as a collection. One without a query has neither pages nor filters.

    `here` is where the collection is, if it is a link's.
    gdapi: CollectionImpl.java
    """
    here = here or call.urls.collection(kind.plural)
    document: Document = {
        "type": "collection",
        "resourceType": kind.name,
        "links": {"self": here},
        "createTypes": {kind.name: here} if call.caller.may("c", kind) else {},
        "actions": {},
        "data": data,
        "sortLinks": {},
        "pagination": None,
        "sort": None,
        "filters": {},
        "createDefaults": {},
    }
    if query is not None:
        document |= _paging(call, kind, query, here, more=more)
    return document


def _paging(call: Call, kind: ResourceType, query: Query, here: str, *, more: bool) -> Document:
    columns = [
        name
        for name, field in kind.fields.items()
        if field.column and "r" in kind.field_access(call.caller.role, name)
    ]
    filters: dict[str, list[dict[str, str]] | None] = dict.fromkeys(sorted(columns))
    for one in query.filters:
        entry = {"value": one.value, "modifier": one.modifier}
        filters[one.field] = [*(filters.get(one.field) or []), entry]
    order = "desc" if query.descending else "asc"
    return {
        "sortLinks": {name: _with(call, here, sort=name, marker=None) for name in columns},
        "pagination": _pages(call, here, query, more=more),
        "filters": filters,
        "sort": query.sort
        and {
            "name": query.sort,
            "order": order,
            "reverse": _with(call, here, order="asc" if query.descending else "desc", marker=None),
        },
    }


def _pages(call: Call, here: str, query: Query, *, more: bool) -> Document:
    """Return where the other pages are. The database is not asked for the total.

    cattle: AbstractJooqResourceManager.java (partial), Pagination.java
    """
    before = max(0, query.offset - query.limit)
    return {
        "first": _with(call, here, marker=None) if query.offset else None,
        "previous": _with(call, here, marker=f"m{before}") if query.offset else None,
        "next": _with(call, here, marker=f"m{query.offset + query.limit}") if more else None,
        "limit": query.limit,
        "total": None,
        "partial": more or query.offset > 0,
    }


def _with(call: Call, here: str, **changes: str | None) -> str:
    """Return the address of this collection with the caller's own parameters, some changed."""
    pairs = [(name, value) for name, value in call.parameters.items() if name not in changes]
    pairs += [(name, value) for name, value in changes.items() if value is not None]
    return f"{here}?{urlencode(pairs)}" if pairs else here
