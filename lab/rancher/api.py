"""The API: which manager answers a call, and what the rights and the verbs say to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from multidict import MultiMapping

from lab.rancher.auth_logins import Logins
from lab.rancher.auth_service import AuthService
from lab.rancher.bodies import read_body
from lab.rancher.call import Call
from lab.rancher.callers import Caller
from lab.rancher.doorkeeper import CHALLENGE, Doorkeeper
from lab.rancher.managers import CREATED, OK, Manager
from lab.rancher.paths import Target
from lab.rancher.problems import ApiError, invalid, not_allowed, not_found
from lab.rancher.rendering import Document, format_id
from lab.rancher.roots import index
from lab.rancher.rows import Row, new_uuid
from lab.rancher.schema import SPELLINGS
from lab.rancher.schema.shape import ResourceType
from lab.rancher.schema.system import SCHEMA, TOKEN
from lab.rancher.schema_documents import get_schema, list_schemas
from lab.rancher.urls import Urls

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster
    from lab.rancher.settings import Settings

UNAUTHORIZED: Final = 401
NO_CONTENT: Final = 204


@dataclass(frozen=True, slots=True)
class Request:
    """What the API needs to know of an HTTP request."""

    method: str
    target: Target
    headers: Mapping[str, str]
    parameters: MultiMapping[str]
    text: str = ""
    content_type: str = ""

    @property
    def project(self) -> str | None:
        """Return the environment named: by the path, a header or a parameter, in that order.

        cattle: ProjectHttpServletRequest.java, ApiAuthenticator.getAccountRequested
        """
        return (
            self.target.project
            or self.headers.get("X-API-Project-Id")
            or self.parameters.get("projectId")
            or None
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as JSON."""

    status: int
    document: Document | None
    headers: Mapping[str, str]


class Api:
    """Answers calls for one server."""

    def __init__(self, cluster: "RancherCluster", settings: "Settings", version: str) -> None:
        self._cluster = cluster
        self._settings = settings
        self._version = version
        self._logins = Logins(cluster, settings)

    def answer(self, request: Request) -> Answer:
        """Return the answer to a call, errors included."""
        urls = Urls(request.headers, request.target.version, request.target.project)
        headers = {"X-Rancher-Version": self._version, "X-API-Schemas": urls.schemas}
        try:
            if _is_login(request):
                status, document = self._log_in(request, urls)
                headers |= _log_out_headers(status)
            else:
                caller = self.admit(request)
                headers |= _caller_headers(caller)
                status, document = self._dispatch(request, self._call(request, caller, urls))
        except ApiError as error:
            return self.refusal(request, error, headers)
        return Answer(status, document, headers)

    def refusal(self, request: Request, error: ApiError, headers: Mapping[str, str]) -> Answer:
        """Return an error as an answer, with a challenge where it is one of names and keys.

        cattle: BasicAuthImpl.challenge
        """
        extra = {}
        silent = request.headers.get("X-API-No-Challenge", "").lower() == "true"
        if error.status == UNAUTHORIZED and not silent:
            extra["WWW-Authenticate"] = CHALLENGE
        return Answer(error.status, error.document(new_uuid()), {**headers, **extra})

    def admit(self, request: Request) -> Caller:
        """Return who calls."""
        doorkeeper = Doorkeeper(self._cluster.store, self._settings, self._logins)
        return doorkeeper.admit(request.headers, request.project)

    def delegate(self, request: Request, path: str) -> Answer:
        """Return what the auth service answers to somebody who was let in here.

        cattle: web.xml (AdminAuthService, AuthService), GenericWhitelistedProxy.java
        """
        urls = Urls(request.headers, request.target.version, None)
        headers = {"X-Rancher-Version": self._version, "X-API-Schemas": urls.schemas}
        try:
            caller = self.admit(request)
            headers |= _caller_headers(caller)
            service = AuthService(self._cluster.sessions, self._settings, self._logins)
            status, document = service.answer(request, path, caller)
        except ApiError as error:
            return self.refusal(request, error, headers)
        return Answer(status, document, headers)

    def _log_in(self, request: Request, urls: Urls) -> tuple[int, Document | None]:
        if request.method == "GET":
            return OK, _one_of(TOKEN, self._logins.describe(request.headers), urls)
        if request.method == "DELETE":
            self._logins.log_out(request.headers)
            return NO_CONTENT, None
        return CREATED, self._logins.log_in(read_body(request.text, request.content_type))

    def _call(self, request: Request, caller: Caller, urls: Urls) -> Call:
        has_body = request.method in ("POST", "PUT")
        return Call(
            cluster=self._cluster,
            settings=self._settings,
            caller=caller,
            version=request.target.version,
            urls=urls,
            parameters=request.parameters,
            body=read_body(request.text, request.content_type) if has_body else {},
        )

    def _dispatch(self, request: Request, call: Call) -> tuple[int, Document]:
        target = request.target
        if target.kind is None:
            return OK, index(call)
        kind = SPELLINGS.get(target.kind.lower())
        if kind is None or not call.caller.knows(kind) or not kind.collected:
            raise not_found()
        if target.id is None:
            return self._collection(request, call, kind)
        return self._resource(request, call, kind, target.id)

    def _collection(self, request: Request, call: Call, kind: ResourceType) -> tuple[int, Document]:
        manager = self._cluster.managers[kind.name]
        if "action" in request.parameters and request.method == "POST":
            raise invalid("InvalidAction", "action")
        if request.method == "GET" and call.caller.may("r", kind):
            if kind is SCHEMA:
                return OK, list_schemas(call)
            return OK, manager.browse(call)
        if request.method == "POST" and call.caller.may("c", kind):
            return manager.create(call)
        raise not_allowed()

    def _resource(
        self, request: Request, call: Call, kind: ResourceType, resource_id: str
    ) -> tuple[int, Document]:
        manager = self._cluster.managers[kind.name]
        action = request.parameters.get("action")
        if request.method == "POST" and action is not None:
            return manager.act(call, resource_id, action)
        if request.method == "GET" and call.caller.may("r", kind):
            return OK, _read(call, manager, resource_id, request.target.link)
        if request.method == "PUT" and call.caller.may("u", kind):
            return OK, manager.update(call, resource_id)
        if request.method == "DELETE" and call.caller.may("d", kind):
            return OK, manager.delete(call, resource_id)
        raise not_allowed()


def _is_login(request: Request) -> bool:
    """Say whether a call is about the token, which nobody has to be logged in for.

    cattle: TokenAccountLookup.java; schema/token/token-auth.json (crd)
    """
    kind = (request.target.kind or "").lower()
    methods = ("GET", "DELETE") if request.target.id is not None else ("GET", "POST")
    return SPELLINGS.get(kind) is TOKEN and request.method in methods


def _log_out_headers(status: int) -> dict[str, str]:
    """cattle: TokenResourceManager.deleteToken."""
    if status != NO_CONTENT:
        return {}
    return {"Set-Cookie": "token=;Path=/;Expires=Thu, 01 Jan 1970 00:00:00 GMT;"}


def _one_of(kind: ResourceType, entry: Document, urls: Urls) -> Document:
    """Return a collection of one, for somebody without a schema of their own."""
    here = urls.collection(kind.plural)
    return {
        "type": "collection",
        "resourceType": kind.name,
        "links": {"self": here},
        "createTypes": {kind.name: here},
        "actions": {},
        "data": [entry],
    }


def _read(call: Call, manager: Manager[Row], resource_id: str, link: str | None) -> Document:
    if manager.kind is SCHEMA:
        return get_schema(call, resource_id)
    if link is not None:
        return manager.follow(call, resource_id, link)
    return manager.read(call, resource_id)


def _caller_headers(caller: Caller) -> dict[str, str]:
    """Return the headers that say in whose name the call was answered.

    cattle: ApiAuthenticator.saveInContext
    """
    headers = {
        "X-API-Account-Id": format_id("account", caller.account.id),
        "X-API-User-Id": format_id("account", caller.user.id),
        "X-API-Account-Kind": caller.account.kind,
        "X-API-Account-Name": caller.account.name,
    }
    return {name: value for name, value in headers.items() if value}
