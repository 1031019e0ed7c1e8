"""The keys with which hosts join an environment, and what else their secret tells them."""

from collections.abc import Sequence

from pydantic import SecretStr

from corral.clients.rancher.keys import KeyHome, ensure_key
from corral.clients.rancher.set_up.site import Site, read_project
from corral.clients.rancher.vault import HostsSecret, read_secret
from corral.cluster import Environment
from corral.domain.set_up.keys import KeyPair
from corral.domain.set_up.steps import Did, Step
from corral.domain.stacks import environment_secret


def ensure_environment_key(
    site: Site, environment: Environment, alerts: Sequence[SecretStr] = ()
) -> Step:
    """See to it that the vault holds a key of the environment, and whom its hosts alert."""
    rancher = site.administrator()
    project_id = read_project(rancher, environment.name).id
    path = environment_secret(site.cluster, environment.name)
    secret = read_secret(site.vault, path, HostsSecret)

    def filled(pair: KeyPair) -> HostsSecret:
        return HostsSecret(
            url=site.public_url,
            project_id=project_id,
            access_key=pair.access_key,
            secret_key=pair.secret_key,
            alerts="\n".join(url.get_secret_value() for url in alerts),
        )

    def store(pair: KeyPair) -> None:
        site.vault.write(path, filled(pair).model_dump(exclude_defaults=True))

    stored = secret.pair if secret.project_id == project_id else None
    did = ensure_key(rancher, KeyHome(project_id, path, stored, store), site.patience)
    if did is Did.KEPT and stored and secret != filled(stored):
        store(stored)
        did = Did.CHANGED
    return Step(f"key of environment {environment.name}", did)
