"""A Rancher that is secured and has an environment: what members, registries and stacks need."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import boto3
from ranchers import Rancher, Ranchers

from corral.clients.aws import SecretVault
from corral.clients.rancher import Patience, RancherClient, Site, read_admin_key
from corral.clients.rancher.set_up import (
    ensure_admin_key,
    ensure_environments,
    ensure_local_access,
)
from corral.cluster import Environment

PUBLIC_URL = "https://rancher.corral.test"
PATIENCE = Patience(deadline=timedelta(seconds=20), interval=timedelta(seconds=0.01))
IMPATIENCE = Patience(deadline=timedelta(seconds=1), interval=timedelta(seconds=0.01))


@dataclass
class Furnished:
    """One Rancher with the loop that it lives on, and the vault of its secrets."""

    lab: Ranchers
    rancher: Rancher
    vault: SecretVault

    @property
    def site(self) -> Site:
        return Site(
            "lab",
            self.vault,
            public_url=PUBLIC_URL,
            reached_at=self.rancher.url,
            patience=PATIENCE,
        )

    @property
    def impatient(self) -> Site:
        """The same, for whoever waits for what will never come."""
        return replace(self.site, patience=IMPATIENCE)

    @property
    def admin(self) -> RancherClient:
        return self.site.administrator()

    @property
    def key(self) -> tuple[str, str]:
        """The administrator's, as requests wants it."""
        pair = read_admin_key(self.vault, "lab")
        assert pair
        return pair.access_key, pair.secret_key

    def secure(self) -> None:
        ensure_admin_key(self.site)
        ensure_local_access(self.site)

    def make(self, *environments: Environment, hosts: int = 0) -> None:
        """Make environments, and hosts in each of them."""
        list(ensure_environments(self.site, environments))
        for environment in environments:
            if hosts:
                self.lab.call(self.rancher.cluster.seed_herd, hosts, 0, environment.name)
        self.rancher.world.journal.clear()

    def project(self, name: str) -> str:
        [found] = [one.id for one in self.admin.projects() if one.name == name]
        return found

    def writes(self) -> list[str]:
        return self.rancher.writes()


def new_vault() -> SecretVault:
    session = boto3.Session("lab", "lab", region_name="us-east-1")
    return SecretVault(session, {"Cluster": "lab"})


def outcomes(steps: Sequence[Any]) -> list[str]:
    return [str(step) for step in steps]
