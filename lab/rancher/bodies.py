"""Bodies of requests, read as the schema says: strange fields are dropped, wrong ones refused."""

import json
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl

from lab.rancher.callers import parse_id
from lab.rancher.listing import attribute
from lab.rancher.problems import ApiError, invalid
from lab.rancher.schema import TYPES
from lab.rancher.schema.shape import ResourceType
from lab.rancher.store import Store

MAX_LENGTH: Final = 255

Values = dict[str, object]


def read_body(text: str, content_type: str) -> dict[str, object]:
    """Return the object that was sent; forms count as objects of strings.

    Raises:
        ApiError: 400 InvalidBodyContent.

    """
    if not text.strip():
        return {}
    if content_type == "application/x-www-form-urlencoded" and not text.lstrip().startswith("{"):
        return dict(parse_qsl(text, keep_blank_values=True))
    try:
        body = json.loads(text)
    except ValueError as error:
        raise ApiError(400, "InvalidBodyContent", str(error)) from error
    if not isinstance(body, dict):
        raise ApiError(400, "InvalidBodyContent", "the body has to be an object")
    return body


def validated(
    kind: ResourceType, role: str, body: Mapping[str, object], store: Store, *, create: bool
) -> Values:
    """Return what a caller may set, by column.

    gdapi: ValidationHandler.validateRawOperationField

    Raises:
        ApiError: 422, with the name of the field.

    """
    letter = "c" if create else "u"
    values: Values = {}
    for name, field in kind.fields.items():
        if letter not in kind.field_access(role, name):
            continue
        if name in body:
            values[attribute(name)] = _checked(kind, name, body[name], store)
        elif create and field.required:
            raise invalid("MissingRequired", name)
        elif create and field.default is not None:
            values[attribute(name)] = field.default
    return values


def _checked(kind: ResourceType, name: str, value: object, store: Store) -> object:
    field = kind.fields[name]
    if value is None:
        if field.nullable:
            return None
        raise invalid("MissingRequired" if field.required else "NotNullable", name)
    if field.type.startswith("reference["):
        return _reference(field.type[len("reference[") : -1], name, value, store)
    if field.options and value not in field.options:
        raise invalid("InvalidOption", name)
    return CONVERTERS.get(field.type, _as_it_is)(name, value)


def _reference(type_name: str, name: str, value: object, store: Store) -> int:
    row_id = parse_id(str(value))
    if row_id is None or store.table(TYPES[type_name].base).get(row_id) is None:
        raise invalid("InvalidReference", name)
    return row_id


def _as_it_is(_name: str, value: object) -> object:
    return value


def _string(name: str, value: object) -> str:
    if isinstance(value, dict | list):
        raise invalid("InvalidFormat", name)
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text) > MAX_LENGTH and name in ("name", "kind", "uuid"):
        raise invalid("MaxLengthExceeded", name)
    return text


def _number(name: str, value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise invalid("InvalidFormat", name) from None


def _boolean(_name: str, value: object) -> bool:
    return value is True or str(value).lower() == "true"


def _texts(name: str, value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise invalid("InvalidFormat", name)
    return {str(key): str(text) for key, text in value.items()}


def _list(name: str, value: object) -> list[object]:
    if isinstance(value, dict):
        raise invalid("InvalidFormat", name)
    items = value if isinstance(value, list) else [value]
    if None in items:
        raise invalid("NotNullable", name)
    return items


CONVERTERS: Final[Mapping[str, Callable[[str, object], object]]] = {
    "string": _string,
    "int": _number,
    "boolean": _boolean,
    "map[string]": _texts,
    "array[projectMember]": _list,
    "array[string]": _list,
}
