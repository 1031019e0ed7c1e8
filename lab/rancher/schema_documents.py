"""The schemas that the API publishes, by which Rancher's clients find their way."""

from collections.abc import Mapping

from lab.rancher.call import Call
from lab.rancher.listing import MODIFIERS
from lab.rancher.problems import not_found
from lab.rancher.rendering import Document, collection
from lab.rancher.schema import SPELLINGS, TYPES
from lab.rancher.schema.shape import READONLY, ResourceType
from lab.rancher.schema.system import SCHEMA, SETTING


def list_schemas(call: Call) -> Document:
    """Return the schema of each type the caller knows."""
    known = [kind for kind in TYPES.values() if call.caller.knows(kind)]
    return collection(call, SCHEMA, [describe(call, kind) for kind in known])


def get_schema(call: Call, name: str) -> Document:
    """Return one schema."""
    kind = SPELLINGS.get(name.lower())
    if kind is None or not call.caller.knows(kind):
        raise not_found()
    return describe(call, kind)


def describe(call: Call, kind: ResourceType) -> Document:
    """Return one type as this caller may use it.

    gdapi: SchemaImpl.java; cattle: AuthOverlayPostProcessor.java
    """
    links = {"self": call.urls.resource("schemas", kind.name)}
    if kind.collected:
        links["collection"] = call.urls.collection(kind.plural)
    return {
        "id": kind.name,
        "type": "schema",
        "links": links,
        "actions": {},
        "pluralName": kind.plural,
        "collectionActions": {},
        "collectionFields": {},
        "collectionFilters": _filters(call, kind),
        "collectionMethods": _methods(call, kind, {"GET": "r", "POST": "c"}),
        "includeableLinks": [],
        "resourceActions": _actions(call, kind),
        "resourceFields": {
            name: _field(call, kind, name)
            for name in kind.fields
            if kind.field_access(call.caller.role, name)
        },
        "resourceMethods": _methods(call, kind, {"GET": "r", "PUT": "u", "DELETE": "d"}),
    }


def _methods(call: Call, kind: ResourceType, methods: Mapping[str, str]) -> list[str]:
    if not kind.collected:
        return []
    return [method for method, letter in methods.items() if call.caller.may(letter, kind)]


def _filters(call: Call, kind: ResourceType) -> Document:
    if not kind.collected or kind.base == SETTING.base:
        return {}
    return {
        name: {"modifiers": list(MODIFIERS), "options": None}
        for name, field in kind.fields.items()
        if field.column and "r" in kind.field_access(call.caller.role, name)
    }


def _actions(call: Call, kind: ResourceType) -> Document:
    if call.caller.role == READONLY:
        return {}
    return {
        name: {"input": action.input, "output": action.output}
        for name, action in kind.actions.items()
    }


def _field(call: Call, kind: ResourceType, name: str) -> Document:
    field = kind.fields[name]
    access = kind.field_access(call.caller.role, name)
    return {
        "type": field.type,
        "create": "c" in access,
        "update": "u" in access,
        "readOnCreateOnly": "o" in access,
        "required": field.required,
        "nullable": field.nullable,
        "default": field.default,
        "options": list(field.options) or None,
    }
