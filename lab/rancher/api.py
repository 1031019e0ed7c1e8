"""The API: which manager answers a call, and what the rights and the verbs say to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from multidict import MultiMapping

from lab.rancher.access import describe_login, log_in
from lab.rancher.accounts import PROJECT_KIND
from lab.rancher.bodies import read_body
from lab.rancher.call import Call
from lab.rancher.callers import CHALLENGE, Caller, Doorkeeper
from lab.rancher.managers import CREATED, OK, Manager
from lab.rancher.paths import VERSIONS, Target
from lab.rancher.problems import ApiError, invalid, not_allowed, not_found
from lab.rancher.rendering import Document, format_id
from lab.rancher.rows import Row, new_uuid
from lab.rancher.schema import SPELLINGS, TYPES
from lab.rancher.schema.accounts import PROJECT_TYPE
from lab.rancher.schema.shape import ResourceType
from lab.rancher.schema.system import SCHEMA, TOKEN
from lab.rancher.schema_documents import get_schema, list_schemas
from lab.rancher.settings_api import SettingManager
from lab.rancher.urls import Urls

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster
    from lab.rancher.settings import Settings

UNAUTHORIZED: Final = 401


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
    document: Document
    headers: Mapping[str, str]


class Api:
    """Answers calls for one server."""

    def __init__(self, cluster: "RancherCluster", settings: "Settings", version: str) -> None:
        self._cluster = cluster
        self._settings = settings
        self._version = version

    def answer(self, request: Request) -> Answer:
        """Return the answer to a call, errors included."""
        urls = Urls(request.headers, request.target.version, request.target.project)
        headers = {"X-Rancher-Version": self._version, "X-API-Schemas": urls.schemas}
        try:
            if _is_login(request):
                status, document = self._log_in(request, urls)
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
        doorkeeper = Doorkeeper(self._cluster.store, self._settings, self._cluster.sessions)
        return doorkeeper.admit(request.headers, request.project)

    def _log_in(self, request: Request, urls: Urls) -> tuple[int, Document]:
        if request.method == "GET":
            return OK, describe_login(self._settings, urls)
        body = read_body(request.text, request.content_type)
        return CREATED, log_in(self._cluster, self._settings, body.get("code"))

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
            return OK, _index(call)
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
        if request.method == "POST" and kind is PROJECT_TYPE and _is_environment(call):
            raise ApiError(403)
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


def _is_environment(call: Call) -> bool:
    """Say whether an environment calls, which must not make another one.

    cattle: ProjectResourceManager.createProject
    """
    return call.caller.account.kind == PROJECT_KIND


def _is_login(request: Request) -> bool:
    kind = (request.target.kind or "").lower()
    return SPELLINGS.get(kind) is TOKEN and request.method in ("GET", "POST")


def _read(call: Call, manager: Manager[Row], resource_id: str, link: str | None) -> Document:
    if manager.kind is SCHEMA:
        return get_schema(call, resource_id)
    if isinstance(manager, SettingManager):
        return manager.get(call, resource_id)
    if link is not None:
        return manager.follow(call, resource_id, link)
    return manager.document(call, manager.find(call, resource_id))


def _index(call: Call) -> Document:
    """Return the root of a version: where its collections are.

    gdapi: VersionHandler
    """
    known = [kind for kind in TYPES.values() if kind.collected and call.caller.knows(kind)]
    links = {kind.plural: call.urls.collection(kind.plural) for kind in known}
    return {
        "id": call.version,
        "type": "apiVersion",
        "links": {"self": call.urls.version, **links},
        "actions": {},
    }


def list_versions(base: str) -> Document:
    """Return the root of the API: its versions."""
    return {
        "type": "collection",
        "resourceType": "apiVersion",
        "links": {"self": f"{base}/", "latest": f"{base}/{VERSIONS[-1]}"},
        "createTypes": {},
        "actions": {},
        "data": [
            {
                "id": version,
                "type": "apiVersion",
                "links": {"self": f"{base}/{version}"},
                "actions": {},
            }
            for version in VERSIONS
        ],
        "sortLinks": {},
        "pagination": None,
        "sort": None,
        "filters": {},
        "createDefaults": {},
    }


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
