"""Processes that die between any two calls, to Rancher or to Secrets Manager."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from corral.clients.aws import SecretVault


class Death(BaseException):
    """The end of the process, as sudden as a SIGKILL: nothing of ours may catch it."""


@dataclass
class Fate:
    """Lets so many calls be answered, and has nobody live to read the answer of the next one."""

    calls: int | None = None
    seen: int = 0

    def answered(self) -> None:
        self.seen += 1
        if self.calls is not None and self.seen > self.calls:
            raise Death


@dataclass
class MortalVault:
    """Secrets Manager, as seen by a process that may die with each call."""

    vault: SecretVault
    fate: Fate = field(default_factory=Fate)

    def read(self, name: str) -> dict[str, str] | None:
        value = self.vault.read(name)
        self.fate.answered()
        return value

    def version(self, name: str) -> str:
        value = self.vault.version(name)
        self.fate.answered()
        return value

    def write(self, name: str, value: Mapping[str, str]) -> None:
        self.vault.write(name, value)
        self.fate.answered()


@contextmanager
def mortal_calls(fate: Fate, *, reads: bool = True) -> Iterator[None]:
    """Have whoever calls Rancher die when its fate says so."""
    send = requests.Session.send

    def send_and_die(self: requests.Session, request: Any, **options: Any) -> requests.Response:
        response = send(self, request, **options)
        if reads or request.method != "GET":
            fate.answered()
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.Session, "send", send_and_die)
        yield


def mortal_writes(fate: Fate) -> AbstractContextManager[None]:
    """Have whoever writes to Rancher die when its fate says so; what was only read is the same."""
    return mortal_calls(fate, reads=False)
