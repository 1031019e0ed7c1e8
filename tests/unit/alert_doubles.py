"""Prefect's variables and people who listen, as stand-ins that keep their state and may kill."""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import uuid4

import httpx
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from pydantic import SecretStr

from corral.clients.alerts import Channel
from corral.domain.alerts import AlertStep, Problem
from corral.errors import AlertError
from tasks import crier
from tasks.memory import Memory

NAME = re.compile(r"[a-z0-9-_]{1,255}")
MOST_CHARACTERS = 5000


class KilledError(BaseException):
    """The run's process is gone."""


class PrefectDouble:
    """The part of Prefect's client that knows variables.

    Source: Prefect 3.8, `POST /variables/filter`, `create_variable` and so on.
    """

    def __init__(self) -> None:
        self._variables: dict[str, Any] = {}
        self.calls: list[str] = []
        self.before_call: Callable[[str], None] = lambda _: None
        self.refused = ""
        self.meanwhile: Callable[[], Any] | None = None

    @property
    def names(self) -> list[str]:
        return sorted(self._variables)

    def put(self, name: str, value: Any) -> None:
        self._variables[name]["value"] = value

    def request(
        self,
        method: str,
        path: str,
        json: dict[str, Any] | None = None,
        path_params: dict[str, Any] | None = None,
    ) -> httpx.Response:
        if (method, path) == ("DELETE", "/variables/{id}") and path_params:
            return self._delete_by_id(path_params["id"])
        self._note("filter")
        assert (method, path) == ("POST", "/variables/filter")
        assert json is not None
        tags = set(json["variables"]["tags"]["all_"])
        found = [row for _, row in sorted(self._variables.items()) if tags <= set(row["tags"])]
        page = found[json["offset"] : json["offset"] + min(json["limit"], 200)]
        return httpx.Response(200, json=page)

    def read_variable_by_name(self, name: str) -> Any:
        self._note("read")
        row = self._variables.get(name)
        return SimpleNamespace(**row) if row else None

    def create_variable(self, variable: Any) -> Any:
        if self.meanwhile and variable.name.endswith("-telling"):
            interruption, self.meanwhile = self.meanwhile, None
            interruption()
        self._note("create")
        if variable.name in self._variables:
            raise ObjectAlreadyExists(httpx.HTTPError("409"))
        self._write(variable)
        self._variables[variable.name]["id"] = str(uuid4())
        return SimpleNamespace(**self._variables[variable.name])

    def update_variable(self, variable: Any) -> None:
        self._note("update")
        if variable.name not in self._variables:
            raise _answer(404)
        self._write(variable)

    def delete_variable_by_name(self, name: str) -> None:
        self._note("delete")
        if name not in self._variables:
            raise ObjectNotFound(httpx.HTTPError("404"))
        del self._variables[name]

    def _delete_by_id(self, variable_id: str) -> httpx.Response:
        self._note("delete")
        found = [name for name, row in self._variables.items() if row["id"] == variable_id]
        if not found:
            raise _answer(404)
        del self._variables[found[0]]
        return httpx.Response(204)

    def _write(self, variable: Any) -> None:
        if self.refused and self.refused in variable.name:
            raise _answer(422)
        assert NAME.fullmatch(variable.name)
        assert len(variable.model_dump_json(include={"value"})) <= MOST_CHARACTERS
        known = self._variables.setdefault(variable.name, {})
        known.update(variable.model_dump(mode="json"))

    def _note(self, call: str) -> None:
        self.before_call(call)
        self.calls.append(call)


def _answer(status: int) -> httpx.HTTPStatusError:
    request = httpx.Request("PATCH", "http://prefect/api/variables")
    return httpx.HTTPStatusError(str(status), request=request, response=httpx.Response(status))


class Town:
    """A cluster's channels and what each of them heard, over as many runs as wanted.

    `dies_after` so many calls, of Prefect or of a channel, the run is killed.
    """

    A_MOMENT: ClassVar = timedelta(milliseconds=1)

    def __init__(
        self,
        *names: str,
        cluster: str = "lab",
        prefect: PrefectDouble | None = None,
        dies_after: int | None = None,
    ) -> None:
        self._names = names
        self._cluster = cluster
        self._dies_after = dies_after
        self._told: list[tuple[str, str, str]] = []
        self._tried: list[str] = []
        self.prefect = prefect or PrefectDouble()
        self.prefect.before_call = self._count
        self.calls = 0
        self.last_call = ""
        self.searches = 0
        self.broken: set[str] = set()
        self.unknown: set[str] = set()
        self.refused = ""
        self.slowness_s = 0.0

    def run(self, problems: Sequence[Problem], settled: Collection[str] = ()) -> list[str]:
        one = crier.Crier(
            self._cluster,
            self._names,
            find=self._find,
            deliver=self._deliver,
            resolve_quietly=lambda channel, key: self._tell(channel, "quiet", key),
            clock=lambda: self.slowness_s * len(self._tried),
        )
        return one.tell(Memory(self.prefect, self._cluster), problems, settled)

    def recover(self) -> None:
        """Let the next runs live, long enough after the death."""
        self._dies_after = None
        telling = f"corral-{self._cluster}-telling"
        if telling in self.prefect.names:
            self.prefect.put(telling, {"until": "2026-01-01T00:00:00Z"})

    def heard(self, channel: str) -> list[str]:
        return [f"{what} {key}" for name, what, key in self._told if name == channel]

    def states(self, channel: str, key: str, *, without_repetitions: bool) -> list[str]:
        """Return what a channel heard of a key, if wanted without what it heard twice in a row."""
        heard = [what for name, what, which in self._told if (name, which) == (channel, key)]
        kept = [
            what
            for before, what in zip(["", *heard], heard, strict=False)
            if what != before or not without_repetitions
        ]
        return [what for what in kept if what != "quiet"]

    def attempts(self, channel: str) -> int:
        return self._tried.count(channel)

    def open_keys(self) -> list[str]:
        return sorted(alert.key for alert in Memory(self.prefect, self._cluster).alerts())

    def _find(self) -> tuple[list[Channel], list[str]]:
        self.searches += 1
        known = [name for name in self._names if name not in self.unknown]
        missing = [f"The alert channel {name} has no address." for name in sorted(self.unknown)]
        return [Channel(name, SecretStr("json://somewhere")) for name in known], missing

    def _deliver(self, channel: Channel, step: AlertStep) -> None:
        self._tell(channel, str(step.action), step.alert.key)

    def _tell(self, channel: Channel, what: str, key: str) -> None:
        self._count(f"told {channel.name}")
        self._tried.append(channel.name)
        if channel.name in self.broken or key == self.refused:
            raise AlertError(channel.name, "is out of order.")
        self._told.append((channel.name, what, key))

    def _count(self, call: str) -> None:
        if self.calls == self._dies_after:
            raise KilledError
        self.calls += 1
        self.last_call = call
