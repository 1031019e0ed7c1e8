"""The container that keeps an environment's login to ECR fresh.

rancher-ecr-credentials: main.go
"""

import asyncio
import base64
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lab.rancher import timings
from lab.rancher.health import ACTIVE_SERVICE
from lab.rancher.registries import living_registries
from lab.rancher.rows import Credential, Row, Service, StoragePool
from lab.rancher.schema.registries import REGISTRY, REGISTRY_CREDENTIAL
from lab.rancher.states import ACTIVE

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster

IMAGE: Final = "docker:rancher/rancher-ecr-credentials:"
CONFIG: Final = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})

Token = Mapping[str, str]
"""What AWS gives: `authorizationToken` and `proxyEndpoint`."""

log = logging.getLogger(__name__)


class EcrRefresher:
    """Asks AWS for a password as soon as such a service is active, and each six hours from then."""

    def __init__(self, cluster: "RancherCluster") -> None:
        self._cluster = cluster
        self._known: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        cluster.store.listen(self._follow)

    def _follow(self, base: str, row: Row) -> None:
        if base != "service" or not isinstance(row, Service) or row.id in self._known:
            return
        image = str(row.launch_config.get("imageUuid", ""))
        if row.state == ACTIVE and image.startswith(IMAGE) and self._cluster.world.aws_endpoint:
            self._known.add(row.id)
            self._refresh(row)

    def _refresh(self, service: Service) -> None:
        if service.state not in ACTIVE_SERVICE:
            self._known.discard(service.id)
            return
        task = asyncio.ensure_future(self._ask(service))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._cluster.clockwork.after(timings.ECR_REFRESH, lambda: self._refresh(service))

    async def _ask(self, service: Service) -> None:
        given = service.launch_config.get("environment")
        environment = given if isinstance(given, dict) else {}
        endpoint = self._cluster.world.aws_endpoint
        try:
            tokens = await asyncio.to_thread(_fetch, endpoint, environment)
        except (BotoCoreError, ClientError) as error:
            log.warning("%s gets no password from ECR: %s", service.name, error)
            return
        may_create = str(environment.get("AUTO_CREATE", "")).lower() in ("1", "t", "true")
        for token in tokens:
            self._keep(service, token, may_create=may_create)

    def _keep(self, service: Service, token: Token, *, may_create: bool) -> None:
        """Write the password where it belongs: into the one login of the registry at its address.

        A registry with no login or several is left alone; one is made only where that is wanted.
        """
        host = urlsplit(token["proxyEndpoint"]).netloc
        user, _, password = base64.b64decode(token["authorizationToken"]).decode().partition(":")
        registries = living_registries(self._cluster.store, service.account_id or 0)
        registry = next((one for one in registries if one.server_address == host), None)
        if registry is None and may_create:
            self._create(service, host, user, password)
        elif registry is not None:
            self._update(registry, user, password)

    def _update(self, registry: StoragePool, user: str, password: str) -> None:
        store = self._cluster.store
        logins = [
            one
            for one in store.credentials.where("registry_id", registry.id)
            if one.removed is None
        ]
        if len(logins) != 1:
            log.warning("the registry %s has %s logins", registry.server_address, len(logins))
            return
        store.credentials.change(logins[0], "public_value", user)
        logins[0].secret_value = password
        store.changed("credential", logins[0])

    def _create(self, service: Service, host: str, user: str, password: str) -> None:
        store, engine = self._cluster.store, self._cluster.engine
        now = time.time()
        registry = StoragePool(
            kind=REGISTRY.name, created=now, account_id=service.account_id, server_address=host
        )
        engine.create("storagePool", store.storage_pools.add(registry))
        login = Credential(
            kind=REGISTRY_CREDENTIAL.name,
            created=now,
            account_id=service.account_id,
            registry_id=registry.id,
            public_value=user,
            secret_value=password,
        )
        engine.create("credential", store.credentials.add(login))


def _fetch(endpoint: str, environment: Mapping[str, str]) -> list[Token]:
    """Ask AWS; keys that were not given come from the instance, which the lab takes as they are."""
    client = boto3.client(
        "ecr",
        endpoint_url=endpoint,
        region_name=environment.get("AWS_REGION") or "us-east-1",
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID") or "instance",
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY") or "role",
        config=CONFIG,
    )
    tokens: list[Token] = client.get_authorization_token()["authorizationData"]
    return tokens
