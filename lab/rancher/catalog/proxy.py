"""How a Rancher server passes calls on to the catalog service beside it."""

from typing import TYPE_CHECKING, Final

from aiohttp import web

from lab.rancher.catalog.service import ROOT, Question, answer
from lab.rancher.rendering import format_id
from lab.rancher.urls import base_url

ID_LENGTH: Final = 3

if TYPE_CHECKING:
    from lab.rancher.callers import Caller


def is_catalog(path: str) -> bool:
    """Say whether a path is the catalog service's."""
    return path.split("/")[1] == ROOT


def catalog_id(path: str) -> str | None:
    """Return the id of the template or catalog that a path is about, if it is about one."""
    parts = path.strip("/").split("/")
    return parts[2] if parts[0] == ROOT and len(parts) == ID_LENGTH else None


def pass_on(request: web.Request, caller: "Caller", *, loaded: bool) -> web.Response:
    """Answer as the catalog service does, to whoever was let in; no right is asked for.

    The account of the call is handed over, and environments see the global catalogs too. An error
    comes as plain text, since the service says its type too late.
    cattle: web.xml (Catalog), ProxyFilter.java, GenericWhitelistedProxy.java
    catalog-service: service/utils.go (ReturnHTTPError)
    """
    question = Question(
        method=request.method,
        parts=tuple(part for part in request.path.split("/")[2:] if part),
        parameters=request.query,
        base=base_url(request.headers),
        environment=format_id("account", caller.account.id) or "",
    )
    status, document = answer(question, loaded=loaded)
    if document is None:
        return web.Response(status=status)
    response = web.json_response(document, status=status)
    if status >= web.HTTPBadRequest.status_code:
        response.content_type = "text/plain"
    return response
