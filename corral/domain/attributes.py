"""Which attributes of a resource differ, as people read it: paths, and values that may be shown.

What Terraform marks as sensitive is compared here and shown nowhere.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Any, Final

NOTHING: Final = "(none)"
SENSITIVE: Final = "(sensitive)"
UNKNOWN: Final = "(known after apply)"

LONGEST: Final = 120
"""Characters of a value that are shown."""

# AWS answers with numbers where stacks say names. Source: IANA, protocol numbers.
_PROTOCOLS: Final = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
_PROTOCOL_FIELDS: Final = ("protocol", "ip_protocol")

_TAGS, _ALL_TAGS = "tags", "tags_all"


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """One attribute that differs, with both values as text."""

    path: str
    """Dotted: `tags.Name`, `policy.Statement.0.Action`; elements of a set have no index."""
    before: str
    after: str

    def __str__(self) -> str:
        """As `instance_class: db.m5.large -> db.m5.xlarge`."""
        return f"{self.path}: {self.before} -> {self.after}"

    def leads_to(self, other: "AttributeChange") -> bool:
        """Whether another change of the same attribute begins where this one ended."""
        return (self.path, self.after) == (other.path, other.before)

    def undoes(self, other: "AttributeChange") -> bool:
        """Whether it puts back what another has changed."""
        return other.leads_to(self) and other.before == self.after


def attribute_changes(change: Mapping[str, Any]) -> tuple[AttributeChange, ...]:
    """Return each attribute that differs, by its path.

    Values that the provider does not tell apart are one: null, "", 0, false, [] and {}, and a
    protocol's number and name. What `tags_all` repeats of `tags` is left out.

    Args:
        change: `before`, `after`, `after_unknown`, `before_sensitive` and `after_sensitive`, as in
            the JSON of a plan; all may be missing.

    Source: developer.hashicorp.com/terraform/internals/json-format, change representation.
    """
    secret = _with_tags(_merged(change.get("before_sensitive"), change.get("after_sensitive")))
    after = _with_unknown(change.get("after") or {}, change.get("after_unknown"))
    before = _sealed(change.get("before") or {}, secret)
    found = tuple(_differences((), before, _sealed(after, secret)))
    said = {(path, one.before, one.after) for path, one in found}
    return tuple(
        one
        for path, one in found
        if path[:1] != (_ALL_TAGS,) or ((_TAGS, *path[1:]), one.before, one.after) not in said
    )


def is_same(one: object, other: object) -> bool:
    """Whether the provider would call two values one."""
    return bool(_plain(one) == _plain(other))


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A value that may be compared and not be seen."""

    value: Any = field(repr=False)


_Path = tuple[str, ...]


def _differences(path: _Path, before: Any, after: Any) -> Iterator[tuple[_Path, AttributeChange]]:  # noqa: ANN401 - JSON
    before, after = _opened(before, after)
    if is_same(before, after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted({*before, *after}):
            yield from _differences((*path, name), before.get(name), after.get(name))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _elements(path, before, after)
    else:
        yield path, AttributeChange(".".join(path), _shown(before), _shown(after))


def _elements(
    path: _Path, before: list[Any], after: list[Any]
) -> Iterator[tuple[_Path, AttributeChange]]:
    """Compare a block's only element by attribute, and those of a set as wholes."""
    if len(before) == len(after) == 1 and isinstance(before[0], Mapping):
        yield from _differences((*path, "0"), before[0], after[0])
        return
    gone = [one for one in before if not _is_in(after, one)]
    come = [one for one in after if not _is_in(before, one)]
    for old, new in zip_longest(gone, come):
        yield path, AttributeChange(".".join(path), _shown(old), _shown(new))


def _is_in(elements: list[Any], one: object) -> bool:
    return any(is_same(one, other) for other in elements)


def _opened(before: Any, after: Any) -> tuple[Any, Any]:  # noqa: ANN401 - JSON
    """Return what two texts hold if both are JSON documents, as policies are."""
    documents = _document(before), _document(after)
    return (before, after) if None in documents else documents


def _document(text: object) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(text, str) or not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a value without the differences that mean nothing; None for every empty one."""
    if isinstance(value, _Sealed):
        return _plain(value.value)
    if isinstance(value, Mapping):
        known = {name: _plain(_named(name, one)) for name, one in value.items()}
        return {name: one for name, one in known.items() if one is not None} or None
    if isinstance(value, list):
        elements = (_plain(one) for one in value)
        return sorted((one for one in elements if one is not None), key=_as_json) or None
    return value or None


def _named(name: str, value: object) -> object:
    return _PROTOCOLS.get(str(value), value) if name in _PROTOCOL_FIELDS else value


def _as_json(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _shown(value: Any) -> str:  # noqa: ANN401 - JSON
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return _cut(" ".join(value.split())) if value else '""'
    if isinstance(value, Mapping | list):
        return _cut(json.dumps(_without_empty(value), separators=(", ", ": ")))
    return SENSITIVE if isinstance(value, _Sealed) else json.dumps(value)


def _without_empty(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a value as it is shown: blocks say what they have, and secrets that they are some."""
    if isinstance(value, _Sealed):
        return SENSITIVE
    if isinstance(value, Mapping):
        known = {name: one for name, one in value.items() if _plain(one) is not None}
        return {name: _without_empty(_named(name, one)) for name, one in known.items()}
    return [_without_empty(one) for one in value] if isinstance(value, list) else value


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _with_unknown(after: Any, unknown: Any) -> Any:  # noqa: ANN401 - JSON
    """Return what is planned, with a word in place of what only the apply will tell."""
    if unknown is True:
        return UNKNOWN
    if isinstance(unknown, Mapping) and unknown:
        known = after if isinstance(after, Mapping) else {}
        names = chain(known, (name for name in unknown if name not in known and unknown[name]))
        return {name: _with_unknown(known.get(name), unknown.get(name)) for name in names}
    if isinstance(unknown, list) and isinstance(after, list):
        return [_with_unknown(*pair) for pair in zip_longest(after, unknown)]
    return after


def _sealed(value: Any, secret: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a value whose sensitive parts cannot be seen."""
    if secret is True:
        return value if value is None else _Sealed(value)
    if isinstance(secret, Mapping) and isinstance(value, Mapping):
        return {name: _sealed(one, secret.get(name)) for name, one in value.items()}
    if isinstance(secret, list) and isinstance(value, list) and len(secret) == len(value):
        return [_sealed(*pair) for pair in zip(value, secret, strict=True)]
    return value


def _merged(one: Any, other: Any) -> Any:  # noqa: ANN401 - JSON
    """Return what is sensitive before or after; a list in which something is, is so as a whole.

    Its elements may have other places before and after.
    """
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {name: _merged(one.get(name), other.get(name)) for name in {*one, *other}}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other) == 1:
        return [_merged(one[0], other[0])]
    marks = [mark for mark in (one, other) if _is_marked(mark)]
    if any(isinstance(mark, bool | list) for mark in marks):
        return True
    return marks[0] if marks else False


def _with_tags(secret: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the marks with those of the tags on all tags too, where Terraform sets none."""
    if not isinstance(secret, Mapping) or _TAGS not in secret:
        return secret
    return {**secret, _ALL_TAGS: _merged(secret[_TAGS], secret.get(_ALL_TAGS))}


def _is_marked(mark: object) -> bool:
    """Whether anything in it is sensitive."""
    if isinstance(mark, Mapping):
        return any(map(_is_marked, mark.values()))
    if isinstance(mark, list):
        return any(map(_is_marked, mark))
    return mark is True
