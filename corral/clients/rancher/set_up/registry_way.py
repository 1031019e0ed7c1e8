"""The way of one registry to its wanted state: each look takes the next legal step."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from corral.clients.rancher.client import RancherClient
from corral.domain.set_up.registries import (
    KnownLogin,
    KnownRegistry,
    Login,
    RegistryMove,
    find_login,
    find_registry,
    is_same,
    next_move,
)
from corral.domain.set_up.steps import Did
from corral.errors import RancherAnswerError, RancherConflictError, RancherGoneError

_ADDRESS_USED: Final = "ServerAddressUsed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The log-in that a registry shall have: how it is known, and where it comes from."""

    is_met_by: Callable[[KnownLogin | None], bool]
    fetch: Callable[[], Login]


@dataclass
class RegistryWay:
    """Where one registry of an environment is, and what was done about it."""

    rancher: RancherClient
    project_id: str
    environment: str
    address: str
    wanted: Wanted
    did: Did = Did.KEPT
    _written: Login | None = field(default=None, repr=False)

    def go_on(self) -> list[str]:
        """Look, take the next step, and say what is still missing."""
        known = self.rancher.registries(self.project_id)
        registry = find_registry(self.environment, self.address, known)
        login = find_login(registry, self.rancher.logins(self.project_id)) if registry else None
        move = next_move(registry, login, is_current=self._is_current(login))
        if move is RegistryMove.KEPT:
            return []
        with suppress(RancherConflictError, RancherGoneError):
            self._take(move, registry, login)
        states = [f"the registry is {registry.state}" if registry else "it is not there"]
        return [*states, *([f"its log-in is {login.state}"] if login else [])]

    def _is_current(self, login: KnownLogin | None) -> bool:
        """Say whether the log-in is the one that was written here, or else the wanted one."""
        if self._written is not None:
            return is_same(login, self._written)
        return self.wanted.is_met_by(login)

    def _take(
        self, move: RegistryMove, registry: KnownRegistry | None, login: KnownLogin | None
    ) -> None:
        """Take one step; where somebody was faster, the next look sees it."""
        rancher, place = self.rancher, self.project_id
        match move, registry, login:
            case RegistryMove.CREATE, _, _:
                self._create()
            case RegistryMove.ACTIVATE, KnownRegistry(id=registry_id), _:
                rancher.activate_registry(place, registry_id)
                self._note(Did.CHANGED)
            case RegistryMove.CREATE_LOGIN, KnownRegistry(id=registry_id), _:
                rancher.create_login(place, registry_id, self._fetch())
                self._note(Did.CHANGED)
            case RegistryMove.ACTIVATE_LOGIN, _, KnownLogin(id=login_id):
                rancher.activate_login(place, login_id)
                self._note(Did.CHANGED)
            case RegistryMove.CHANGE_LOGIN, _, KnownLogin(id=login_id):
                rancher.change_login(place, login_id, self._fetch())
                self._note(Did.CHANGED)

    def _create(self) -> None:
        """Make the registry; an address that is taken belongs to one that comes or goes."""
        try:
            self.rancher.create_registry(self.project_id, self.address)
        except RancherAnswerError as error:
            if error.code != _ADDRESS_USED:
                raise
            return
        self._note(Did.CREATED)

    def _fetch(self) -> Login:
        self._written = self.wanted.fetch()
        return self._written

    def _note(self, did: Did) -> None:
        """Remember what was done; what was made here stays made."""
        if self.did is not Did.CREATED:
            self.did = did
