"""How machines become hosts: registration tokens, their script, and registers."""

import time
from datetime import UTC, datetime
from string import Template
from typing import TYPE_CHECKING, Final

from lab.rancher.bodies import Values
from lab.rancher.call import Call
from lab.rancher.keys import new_access_key, new_secret_key
from lab.rancher.managers import Manager
from lab.rancher.registration_tokens import KIND, token_text
from lab.rancher.rendering import Document
from lab.rancher.rows import Account, Agent, Credential, Register, Row, new_uuid
from lab.rancher.schema.accounts import REGISTRATION_TOKEN
from lab.rancher.schema.hosts import REGISTER_TYPE
from lab.rancher.settings import AGENT_IMAGE, Settings
from lab.rancher.states import ACTIVE
from lab.rancher.urls import Urls

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster

SCRIPT: Final = Template(
    """#!/bin/sh
export CATTLE_REGISTRATION_ACCESS_KEY="registrationToken"
export CATTLE_REGISTRATION_SECRET_KEY="$token"
export CATTLE_URL="$url"
export CATTLE_AGENT_IMAGE="$image"
export DETECTED_CATTLE_AGENT_IP="$client_ip"
"""
)
"""cattle: RegisterScriptHandler.java"""


def api_base(settings: Settings, urls: Urls) -> str:
    """Return the address of /v1 that agents are to use: that of api.host, else the caller's.

    cattle: RegistrationTokenOutputFilter.java
    """
    return (settings.get("api.host").rstrip("/") or urls.base) + "/v1"


def script(settings: Settings, urls: Urls, token: str, client_ip: str) -> str:
    """Return the script that an agent's launcher sources."""
    return SCRIPT.substitute(
        token=token,
        url=api_base(settings, urls),
        image=settings.get("bootstrap.required.image") or AGENT_IMAGE,
        client_ip=client_ip,
    )


class RegistrationTokenManager(Manager[Credential]):
    """Registration tokens of the API."""

    def __init__(self) -> None:
        super().__init__(REGISTRATION_TOKEN)

    def is_visible(self, call: Call, row: Credential) -> bool:
        """Hide tokens from those who may not bring hosts in."""
        return call.caller.may_change_hosts and super().is_visible(call, row)

    def document(self, call: Call, row: Credential) -> Document:
        """Return a token; its text and what follows from it are null until it has its keys."""
        document = super().document(call, row)
        text = token_text(row, datetime.now(UTC))
        names = ("token", "image", "registrationUrl", "command", "windowsCommand")
        document |= dict.fromkeys(names)
        if text is not None:
            url = f"{api_base(call.settings, call.urls)}/scripts/{text}"
            image = call.settings.get("bootstrap.required.image")
            command = call.settings.get("docker.register.command")
            windows = call.settings.get("docker.register.windows.command")
            windows_image = call.settings.get("bootstrap.required.windows.image")
            document["token"] = text
            document["image"] = image
            document["registrationUrl"] = url
            document["command"] = command % ("", image, url)
            document["windowsCommand"] = windows % windows_image
            links = document["links"]
            if isinstance(links, dict):
                links["registrationUrl"] = url
        return document

    def make(self, call: Call, values: Values) -> Credential:
        """Make a token."""
        row = Credential(kind=KIND, **values)  # type: ignore[arg-type]
        return self.store_new(call, row)


class RegisterManager(Manager[Register]):
    """Registers: one for each machine that asked for keys."""

    def __init__(self) -> None:
        super().__init__(REGISTER_TYPE)

    def document(self, call: Call, row: Register) -> Document:
        """Return a register; only who names its key, and after it is active, sees the keys.

        cattle: RegisterOutputFilter.java
        """
        document = super().document(call, row)
        if row.state != ACTIVE or call.parameters.get("key") != row.key:
            for name in ("key", "accessKey", "secretKey"):
                document.pop(name, None)
        return document

    def make(self, call: Call, values: Values) -> Register:
        """Take a machine's request."""
        row = Register(kind="register", key=str(values["key"]), name=_text(values.get("name")))
        return self.store_new(call, row)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


class RegistrationProcesses:
    """What happens when tokens and registers are made."""

    def __init__(self, cluster: "RancherCluster") -> None:
        self._cluster = cluster
        cluster.engine.handle("credential", "create", self._fill_keys)
        cluster.engine.handle("genericObject", "create", self._make_agent)

    def _fill_keys(self, row: Row) -> bool:
        """Give a credential without keys its keys, such as a registration token.

        cattle: ApiKeyCreate.java
        """
        if isinstance(row, Credential):
            if row.public_value is None:
                self._cluster.store.credentials.change(row, "public_value", new_access_key())
            row.secret_value = row.secret_value or new_secret_key()
        return True

    def _make_agent(self, row: Row) -> bool:
        """Make the agent of a register, with an account and a key of its own.

        cattle: RegisterCreate.java
        """
        if not isinstance(row, Register):
            return True
        now = time.time()
        store = self._cluster.store
        account = store.accounts.add(Account(kind="agent", state=ACTIVE, created=now))
        agent = store.agents.add(
            Agent(
                kind="agent",
                created=now,
                account_id=account.id,
                uri=f"event:///instanceId={new_uuid()}",
                resources_account_id=row.account_id,
                register_id=row.id,
            )
        )
        key = store.credentials.add(
            Credential(
                kind="agentApiKey",
                state=ACTIVE,
                created=now,
                account_id=account.id,
                public_value=new_access_key(),
                secret_value=new_secret_key(),
            )
        )
        row.access_key, row.secret_key, row.agent_id = key.public_value, key.secret_value, agent.id
        self._cluster.engine.create("agent", agent)
        return True
