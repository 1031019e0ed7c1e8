"""Secrets that people make, looked at before anything is built."""

from datetime import timedelta

import pytest

from corral.clients.rancher import Patience, Site
from corral.clients.rancher.set_up import find_secret_faults
from corral.cluster import Environment, GithubAccess, LocalAccess, PasswordRegistry

GITHUB = GithubAccess(kind="github", organizations=("acme",), secret="lab/github")
REGISTRY = PasswordRegistry(kind="password", address="registry.example.com", secret="lab/registry")
LOGIN = {"username": "corral", "password": "hidden"}
APPLICATION = {"client_id": "Iv1", "client_secret": "hidden"}


class Kept(dict[str, dict[str, str]]):
    """A vault that is only read."""

    def read(self, name: str) -> dict[str, str] | None:
        return self.get(name)

    def version(self, name: str) -> str:
        return name


def find(access: LocalAccess | GithubAccess, **secrets: dict[str, str]) -> list[str]:
    vault = Kept({f"lab/{name}": held for name, held in secrets.items()})
    nowhere = "https://rancher.invalid"
    patience = Patience(timedelta(), timedelta())
    site = Site("lab", vault, public_url=nowhere, reached_at=nowhere, patience=patience)  # type: ignore[arg-type]
    environments = [Environment(name=name, registries=(REGISTRY,)) for name in ("one", "two")]
    return find_secret_faults(site, access, environments)


def test_secrets_that_hold_what_they_must_have_no_fault():
    assert find(GITHUB, github=APPLICATION, registry=LOGIN) == []
    assert find(LocalAccess(kind="local"), registry=LOGIN) == []


@pytest.mark.parametrize("lacking", sorted(APPLICATION))
def test_an_application_of_github_that_lacks_a_half_is_told(lacking):
    half = {key: value for key, value in APPLICATION.items() if key != lacking}

    [fault] = find(GITHUB, github=half, registry=LOGIN)

    assert fault.startswith(f"The secret lab/github has no {lacking}: make an OAuth application")
    assert "hidden" not in fault


@pytest.mark.parametrize("lacking", sorted(LOGIN))
def test_a_log_in_that_lacks_a_half_is_told_once(lacking):
    half = {key: value for key, value in LOGIN.items() if key != lacking}

    [fault] = find(LocalAccess(kind="local"), registry=half)

    assert "lab/registry holds no username and password" in fault
    assert "hidden" not in fault
