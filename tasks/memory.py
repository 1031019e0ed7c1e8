"""What one run tells the next: Variables of Prefect, where people see and can remove them.

A variable takes 5000 characters; a name that is taken cannot be made again, which is the one thing
that two runs at once can agree on.
"""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import VariableCreate, VariableUpdate
from prefect.client.schemas.objects import Variable
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from pydantic import AwareDatetime, BaseModel, ValidationError

from corral.domain.alerts import OpenAlert
from corral.domain.drift import Looks
from corral.domain.herd import Watch
from corral.errors import CorralError

log = logging.getLogger(f"corral.{__name__}")

Kept = TypeVar("Kept", bound=BaseModel)

PAGE = 200
"""Objects that Prefect's API gives at once, at most."""

SLUG_LENGTH = 80

TURN_LASTS = timedelta(minutes=5)
"""Longer than a run takes to tell everybody everything: after that its worker is dead."""

TURN_INTERVAL_S = 1.0


class PrefectUnavailableError(CorralError):
    """Prefect's server did not answer, or not with success."""

    temporary = True


class NotKeptError(CorralError):
    """Prefect does not take what is to be kept of one alert."""


class _Turn(BaseModel):
    """Who is telling people right now, so that nobody else does."""

    until: AwareDatetime


class Memory:
    """What is kept of one cluster; made by `memory_of`."""

    def __init__(self, client: SyncPrefectClient, cluster: str) -> None:
        self._client = client
        self._cluster = cluster
        self._tags = ["corral", cluster]

    def alerts(self) -> list[OpenAlert]:
        """Return the alerts that are open or not yet closed everywhere."""
        prefix = self._name("alert-")
        found = [variable for variable in self._variables() if variable.name.startswith(prefix)]
        alerts = [self._read(OpenAlert, variable) for variable in found]
        ours = f"corral/{self._cluster}/"
        return [alert for alert in alerts if alert and alert.key.startswith(ours)]

    def keep(self, alert: OpenAlert) -> None:
        """Write an alert down, new or not.

        Raises:
            NotKeptError: Prefect answered, but does not take it.
        """
        with _refused(alert):
            self._write(self._alert_name(alert), alert)

    def forget(self, alert: OpenAlert) -> None:
        """Remove an alert that is over for everybody.

        Raises:
            NotKeptError: Prefect answered, but does not let go of it.
        """
        with _refused(alert):
            self._remove(self._alert_name(alert))

    def watch(self) -> Watch:
        """Return since when what is known; empty at first."""
        return self._find(Watch, self._name("watch")) or Watch()

    def keep_watch(self, watch: Watch) -> None:
        """Write down since when what is known."""
        self._write(self._name("watch"), watch)

    def looks(self) -> Looks:
        """Return when each stack was last looked at; empty at first."""
        return self._find(Looks, self._name("looks")) or Looks()

    def keep_looks(self, looks: Looks) -> None:
        """Write down when each stack was last looked at."""
        self._write(self._name("looks"), looks)

    @contextmanager
    def turn(self, wait: timedelta) -> Iterator[bool]:
        """Be the only run that tells people of this cluster; False if another does for too long."""
        deadline = time.monotonic() + wait.total_seconds()
        while (mine := self._take_turn()) is None:
            if time.monotonic() > deadline:
                yield False
                return
            time.sleep(TURN_INTERVAL_S)
        try:
            yield True
        finally:
            self._end_turn(mine)

    def _take_turn(self) -> UUID | None:
        """Take the turn if it is free, or if whoever has it died with it; None if it is not ours.

        The name is what only one can take; the id is that of one turn alone, which keeps everybody
        from ending one that was taken over meanwhile.
        """
        name, now = self._name("telling"), datetime.now(UTC)
        there = self._client.read_variable_by_name(name)
        if there:
            turn = self._read(_Turn, there)
            if turn and turn.until >= now:
                return None
            self._end_turn(there.id)
        mine = self._create(name, _Turn(until=now + TURN_LASTS))
        return mine.id if mine else None

    def _end_turn(self, turn_id: UUID) -> None:
        try:
            self._client.request("DELETE", "/variables/{id}", path_params={"id": turn_id})
        except httpx.HTTPStatusError as error:
            if error.response.status_code != HTTPStatus.NOT_FOUND:
                raise
            log.info("turn %s was ended by somebody else", turn_id)

    def _variables(self) -> Iterator[Variable]:
        """Return the variables of the cluster; Prefect's client knows no filter for them."""
        offset = 0
        while True:
            answer = self._client.request(
                "POST",
                "/variables/filter",
                json={
                    "variables": {"tags": {"all_": self._tags}},
                    "limit": PAGE,
                    "offset": offset,
                },
            )
            page = Variable.model_validate_list(answer.json())
            yield from page
            if len(page) < PAGE:
                return
            offset += PAGE

    def _find(self, model: type[Kept], name: str) -> Kept | None:
        variable = self._client.read_variable_by_name(name)
        return self._read(model, variable) if variable else None

    def _read(self, model: type[Kept], variable: Variable) -> Kept | None:
        """Return what a variable holds; one that nobody can read is removed, to be made anew."""
        try:
            return model.model_validate(variable.value)
        except ValidationError as error:
            log.warning("variable %s is removed, since it makes no sense: %s", variable.name, error)
            self._remove(variable.name)
            return None

    def _write(self, name: str, content: BaseModel) -> None:
        """Write a variable with a single call, unless it is new."""
        update = VariableUpdate(name=name, value=_value(content), tags=self._tags)
        try:
            self._client.update_variable(update)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != HTTPStatus.NOT_FOUND:
                raise
            self._create(name, content)

    def _create(self, name: str, content: BaseModel) -> Variable | None:
        """Make a variable; None if the name is taken."""
        variable = VariableCreate(name=name, value=_value(content), tags=self._tags)
        try:
            return self._client.create_variable(variable)
        except ObjectAlreadyExists:
            return None

    def _remove(self, name: str) -> None:
        try:
            self._client.delete_variable_by_name(name)
        except ObjectNotFound:
            log.info("variable %s was gone already", name)

    def _alert_name(self, alert: OpenAlert) -> str:
        """Return a name that people can read, and that no other key has."""
        slug = re.sub(
            r"[^a-z0-9]+", "-", alert.key.lower().removeprefix(f"corral/{self._cluster}/")
        )
        unique = sha256(alert.key.encode()).hexdigest()[:8]
        return self._name(f"alert-{slug[:SLUG_LENGTH]}-{unique}")

    def _name(self, what: str) -> str:
        return f"corral-{self._cluster}-{what}"


@contextmanager
def _refused(alert: OpenAlert) -> Iterator[None]:
    """Turn an answer of Prefect that is a no to one alert into an error about this one alone."""
    try:
        yield
    except (httpx.HTTPStatusError, ValidationError) as error:
        said = type(error).__name__ if isinstance(error, ValidationError) else str(error)
        raise NotKeptError(
            f"The alert {alert.key} is not told, since Prefect does not keep it: {said}"
        ) from error


@contextmanager
def memory_of(cluster: str) -> Iterator[Memory]:
    """Open what is kept of a cluster.

    Raises:
        PrefectUnavailableError: Prefect did not answer, or not with success.
    """
    try:
        with get_client(sync_client=True) as client:
            yield Memory(client, cluster)
    except httpx.HTTPError as error:
        raise PrefectUnavailableError(
            f"Prefect, which keeps what earlier runs told, cannot be used: {error}"
        ) from error


def _value(content: BaseModel) -> dict[str, Any]:
    return content.model_dump(mode="json")
