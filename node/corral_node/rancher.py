"""The few questions a container host asks Rancher, within its own environment.

Paths are scoped to the environment: there an environment's key may make registration tokens.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from corral_node.errors import GoneError, NotYetError, RefusedError

TIMEOUT_S = (5.0, 20.0)
PAGE = 200
GONE = frozenset({"removing", "removed", "purging", "purged"})
STOPPED = frozenset({"stopped", "removing", "removed", "purging", "purged", "error"})
"""States of a container that does not run. Source: Rancher 1.6 API, resource `container`."""
SYSTEM_LABEL = "io.rancher.container.system"
COMING = frozenset({"requested", "registering", "activating", "updating-active"})

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Registration:
    """How an agent registers: which image, and the address that holds the registration token."""

    image: str
    url: str


@dataclass(frozen=True, slots=True)
class Host:
    """A row of Rancher's list of hosts; the state is the one shown, the agent's included."""

    id: str
    state: str
    agent_state: str = ""
    actions: frozenset[str] = field(default=frozenset())
    removed: bool = False
    address: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A machine's host, or None, and the hosts that carry its instance id at other addresses."""

    host: Host | None = None
    strangers: tuple[Host, ...] = ()

    @property
    def warning(self) -> str:
        """Return what a person should know of the others; empty if there are none."""
        if not self.strangers:
            return ""
        others = ", ".join(f"{one.id} at {one.address or 'no address'}" for one in self.strangers)
        return f"the label aws.instance_id is wrong on {others}: such a host is left alone"


class Rancher:
    """One environment of a Rancher 1.6 server."""

    def __init__(self, url: str, project_id: str, access_key: str, secret_key: str) -> None:
        """Remember where the environment is; nothing is asked yet.

        Args:
            url: Without a path, as `https://rancher.example.org`.
            project_id: As `1a5`.
            access_key: Of an API key of the environment.
            secret_key: Of the same key.
        """
        self._url = url
        self._path = f"/v2-beta/projects/{project_id}"
        self._session = requests.Session()
        self._session.auth = (access_key, secret_key)

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def find_host(self, instance_id: str, address: str) -> Found:
        """Return a machine's newest host that is not on its way out.

        Anybody may write a label, so the machine's private address decides which host is its own.
        Rancher cannot filter by label, so rows are read until it is found, the newest first: of
        the strangers those are told that are newer.
        """
        strangers: list[Host] = []
        for row in self._rows("hosts", {"sort": "created", "order": "desc"}):
            if (row.get("labels") or {}).get("aws.instance_id") != instance_id:
                continue
            if row.get("state") in GONE or row.get("removed"):
                continue
            host = _read_host(row)
            if host.address == address:
                return Found(host, tuple(strangers))
            strangers.append(host)
        return Found(None, tuple(strangers))

    def host(self, host_id: str) -> Host | None:
        """Return a host by its id, a removed one too; None once Rancher has forgotten it."""
        try:
            return _read_host(self._ask("GET", f"{self._path}/hosts/{host_id}"))
        except GoneError:
            return None

    def act(self, host: Host, action: str) -> None:
        """Start an action of a host.

        Raises:
            NotYetError: It is not offered (any more), or somebody else was faster: look again.
        """
        self._ask("POST", f"{self._path}/hosts/{host.id}", params={"action": action}, json={})

    def is_busy(self, host: Host) -> bool:
        """Say whether containers run on a host that are not Rancher's own."""
        path = f"hosts/{host.id}/instances"
        return any(_is_users(container) for container in self._rows(path, {}))

    def registration(self) -> Registration:
        """Return the environment's active registration; ask for one when there is none.

        Raises:
            NotYetError: None is active so far.

        Source: rancher/cattle v0.183.83, `RegistrationTokenOutputFilter`: image and URL are null
        until the token's credentials exist.
        """
        tokens = list(self._rows("registrationtokens", {}))
        active = choose_registration(tokens)
        if active:
            return active
        if any(token.get("state") in COMING | {"active"} for token in tokens):
            raise NotYetError("the environment's registration token is not active yet")
        self._ask("POST", f"{self._path}/registrationtokens", json={"name": "corral-node"})
        raise NotYetError("the environment had no registration token, so one was asked for")

    def _rows(self, collection: str, parameters: dict[str, str]) -> Iterator[Json]:
        page = self._ask(
            "GET", f"{self._path}/{collection}", params={**parameters, "limit": str(PAGE)}
        )
        while True:
            yield from page.get("data") or ()
            following = (page.get("pagination") or {}).get("next")
            if not following:
                return
            page = self._ask("GET", _path_and_query(following))

    def _ask(self, method: str, path: str, **options: Any) -> Json:  # noqa: ANN401 - as requests has it
        try:
            answer = self._session.request(
                method, self._url + path, timeout=TIMEOUT_S, allow_redirects=False, **options
            )
        except requests.RequestException as error:
            raise NotYetError(
                f"Rancher at {self._url} does not answer ({type(error).__name__})"
            ) from error
        if not answer.ok or answer.is_redirect:
            raise _REACTIONS.get(answer.status_code, NotYetError)(
                f"Rancher at {self._url} answered {answer.status_code} to {method} "
                f"{path.partition('?')[0]}{_REFUSALS.get(answer.status_code, '')}"
            )
        return _read_object(answer)


_REFUSALS = {
    401: " (the environment's key is not active yet, or was removed)",
    403: " (the key does not belong to this environment)",
}


_REACTIONS: dict[int, type[NotYetError]] = {401: RefusedError, 403: RefusedError, 404: GoneError}


def _read_host(row: Json) -> Host:
    try:
        return Host(
            id=row["id"],
            state=row["state"],
            agent_state=row.get("agentState") or "",
            actions=frozenset(row.get("actions") or ()),
            removed=bool(row.get("removed")),
            address=row.get("agentIpAddress") or "",
        )
    except KeyError as error:
        raise NotYetError(f"Rancher shows a host without {error}") from error


def _is_users(container: Json) -> bool:
    is_system = container.get("system") or SYSTEM_LABEL in (container.get("labels") or {})
    return not is_system and container.get("state") not in STOPPED


def choose_registration(tokens: list[Json]) -> Registration | None:
    """Return the first active registration that is complete."""
    for token in tokens:
        complete = token.get("image") and token.get("registrationUrl")
        if complete and token.get("state") == "active":
            return Registration(image=token["image"], url=token["registrationUrl"])
    return None


def _path_and_query(url: str) -> str:
    """Return a link without its host: Rancher writes the host it was asked by, maybe another."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def _read_object(answer: requests.Response) -> Json:
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise NotYetError(f"Rancher at {answer.url.partition('?')[0]} did not answer with JSON")
    return body
