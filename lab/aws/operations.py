"""What AWS calls a request: the service and the action's name, read from its bytes.

Query protocols name the action in the form, JSON ones in a header, REST ones only by verb and path;
for these botocore's own models say which path means which action.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qs

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel
from botocore.session import get_session

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/[^/]*/(?P<service>[^/]+)/aws4_request")
_RPC_PATH = re.compile(r"/service/[^/]+/operation/(?P<name>\w+)$")
_QUERY, _JSON, _EC2, _REST_XML = "query", "json", "ec2", "rest-xml"


@dataclass(frozen=True, slots=True)
class Call:
    """One request as AWS sees it."""

    service: str
    operation: str
    protocol: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    path: re.Pattern[str]
    query: frozenset[str]
    headers: frozenset[str]
    name: str
    weight: int


def _compile(uri: str) -> tuple[re.Pattern[str], frozenset[str]]:
    """Return what a path looks like, with or without a last slash, and what its query has."""
    path, _, query = uri.partition("?")
    pieces = re.split(r"(\{[^}]+\})", path.rstrip("/"))
    pattern = "".join(
        (".+" if piece.endswith("+}") else "[^/]+") if piece.startswith("{") else re.escape(piece)
        for piece in pieces
    )
    return re.compile(pattern + "/?$"), frozenset(part for part in query.split("&") if part)


@cache
def _routes(service: str) -> tuple[str, tuple[_Route, ...]]:
    """Return a service's protocol and its REST routes, the most telling first."""
    try:
        model = get_session().get_service_model(service)
    except UnknownServiceError:
        return _REST_XML, ()
    routes = [_route(name, model.operation_model(name)) for name in model.operation_names]
    return model.protocol, tuple(sorted(routes, key=lambda route: -route.weight))


def _required(operation: OperationModel, location: str) -> frozenset[str]:
    """Return the names of what a call of an action must have in its query or its headers."""
    shape = operation.input_shape
    if shape is None:
        return frozenset()
    return frozenset(
        member.serialization.get("name", key)
        for key, member in shape.members.items()
        if key in shape.required_members and member.serialization.get("location") == location
    )


def _route(name: str, operation: OperationModel) -> _Route:
    """Return how one action is told from others: by verb, path and what it must have.

    Of two names for the same request the one that is not deprecated is the more telling.
    """
    path, query = _compile(operation.http["requestUri"])
    required = _required(operation, "querystring")
    headers = frozenset(header.lower() for header in _required(operation, "header"))
    weight = 10 * len(query) + 5 * len(required | headers) + path.pattern.count("/")
    weight -= int(operation.deprecated)
    return _Route(operation.http["method"], path, query | required, headers, name, weight)


def _rest(
    service: str, method: str, path: str, query: str, headers: Mapping[str, str]
) -> tuple[str, str]:
    protocol, routes = _routes(service)
    given = {part.partition("=")[0] for part in query.split("&")} | set(query.split("&"))
    for route in routes:
        has_all = route.query <= given and route.headers <= headers.keys()
        if route.method == method and has_all and route.path.match(path):
            return protocol, route.name
    return protocol, f"{method} {path}"


def _service(authorization: str, query: str) -> str:
    """Return the service a signature is for; a pre-signed or unsigned call is one to S3."""
    match = _SCOPE.search(authorization or parse_qs(query).get("X-Amz-Credential", [""])[0])
    return match["service"] if match else "s3"


def _members(body: bytes) -> dict[str, str]:
    """Return the members of a JSON request that are texts."""
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    members = document.items() if isinstance(document, dict) else ()
    return {name: value for name, value in members if isinstance(value, str)}


def read_call(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Call:
    """Name one request.

    Args:
        method: the HTTP verb.
        path: the path, unquoted.
        query: the query string as sent.
        headers: the headers by their lower-case names.
        body: all of the body.

    """
    service = _service(headers.get("authorization", ""), query)
    target = headers.get("x-amz-target", "")
    if target:
        return Call(service, target.rpartition(".")[2], _JSON, _members(body))
    rpc = _RPC_PATH.search(path)
    if rpc:
        return Call(service, rpc["name"], _JSON, {})
    is_form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    form = parse_qs(body.decode("utf-8", "replace") if is_form else query)
    if "Action" in form:
        parameters = {key: values[0] for key, values in form.items()}
        protocol = _EC2 if service == "ec2" else _QUERY
        return Call(service, parameters["Action"], protocol, parameters)
    protocol, name = _rest(service, method, path, query, headers)
    return Call(service, name, protocol, {"path": path})
