"""How access control by GitHub is set: read from a request, kept, and shown.

rancher-auth-service: server/auth_server.go (v0.4.33)
"""

import json
import time
from dataclasses import dataclass
from typing import Any, Final

from lab.rancher.auth_github import GitHubConfig, GitHubProvider, ProviderError
from lab.rancher.auth_identity import GITHUB_USER, Identity, read_identity
from lab.rancher.auth_settings import (
    ACCESS_MODE,
    ALLOWED,
    EXTERNAL,
    GITHUB,
    NO_LOOK_UP,
    PROVIDER,
    PROVIDER_NAME,
    SECURITY,
    SEPARATOR,
    UPDATED,
    USER_TYPE,
)
from lab.rancher.rendering import Document
from lab.rancher.sessions import Sessions
from lab.rancher.settings import Settings

SHAPE: Final[dict[str, object]] = {
    "provider": str,
    "enabled": bool,
    "accessMode": str,
    "allowedIdentities": [{"externalId": str, "externalIdType": str}],
    "githubConfig": {"hostname": str, "scheme": str, "clientId": str, "clientSecret": str},
}


class BadContentError(Exception):
    """A body is not what the service can read."""


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """What somebody wants access control to be."""

    provider: str
    enabled: bool
    access_mode: str
    allowed: tuple[str, ...]
    github: GitHubConfig


def parse(text: str) -> object:
    """Return a body.

    Raises:
        BadContentError: it is not JSON.

    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise BadContentError(str(error)) from error


def read_config(raw: object) -> AuthConfig:
    """Return a configuration as Go reads it: what is missing is empty, a wrong type refused.

    rancher-auth-service: model/auth_config.go, model/github_config.go

    Raises:
        BadContentError: something has another type, such as a number as externalId.

    """
    read = _unmarshal(SHAPE, raw)
    given = read["githubConfig"]
    return AuthConfig(
        provider=read["provider"],
        enabled=read["enabled"],
        access_mode=read["accessMode"],
        allowed=tuple(
            f"{one['externalIdType']}:{one['externalId']}" for one in read["allowedIdentities"]
        ),
        github=GitHubConfig(
            given["hostname"], given["scheme"], given["clientId"], given["clientSecret"]
        ),
    )


def _unmarshal(shape: object, value: object) -> Any:  # noqa: ANN401 - as varied as JSON is
    if isinstance(shape, dict):
        if not isinstance(value, dict | None):
            raise BadContentError("cannot unmarshal into an object")
        return {name: _unmarshal(inner, (value or {}).get(name)) for name, inner in shape.items()}
    if isinstance(shape, list):
        if not isinstance(value, list | None):
            raise BadContentError("cannot unmarshal into an array")
        return [_unmarshal(shape[0], one) for one in value or []]
    kind = shape if isinstance(shape, type) else str
    if value is None:
        return kind()
    if type(value) is not kind:
        raise BadContentError(f"cannot unmarshal into {kind.__name__}")
    return value


def save(sessions: Sessions, settings: Settings, config: AuthConfig) -> None:
    """Keep a configuration. Nobody asks GitHub whether any of it is true.

    What is empty is not written, so that a list of allowed identities is never emptied; whether
    security is on comes last. Nothing keeps one from changing the provider.
    rancher-auth-service: UpdateConfig, updateCommonSettings
    """
    _keep_provider(sessions, config)
    _write(
        settings,
        {
            ACCESS_MODE: config.access_mode,
            USER_TYPE: GITHUB_USER,
            SEPARATOR: ",",
            ALLOWED: ",".join(config.allowed),
            PROVIDER_NAME: config.provider,
            PROVIDER: config.provider,
            EXTERNAL: "true",
            NO_LOOK_UP: "false",
        },
    )
    _write(settings, {SECURITY: str(config.enabled).lower(), UPDATED: time.ctime()})


def _write(settings: Settings, values: dict[str, str]) -> None:
    for name, value in values.items():
        if value:
            settings.write(name, value)


def _keep_provider(sessions: Sessions, config: AuthConfig) -> None:
    """Keep what the provider needs; a secret left out stays, but only if `enabled` is true.

    rancher-auth-service: updateSettings
    """
    known = sessions.provider or {}
    secret = config.github.client_secret
    if not secret and config.enabled:
        secret = known.get("client_secret", "")
    sessions.provider = {
        "hostname": config.github.hostname,
        "scheme": config.github.scheme,
        "client_id": config.github.client_id,
        "client_secret": secret,
    }


def kept_config(sessions: Sessions) -> GitHubConfig | None:
    """Return what is kept of GitHub, or nothing."""
    return GitHubConfig(**sessions.provider) if sessions.provider is not None else None


def show(
    sessions: Sessions, settings: Settings, provider: GitHubProvider | None, token: str
) -> Document:
    """Return the configuration as it is, without the secret.

    The allowed identities are looked up at GitHub if somebody asks who may.
    rancher-auth-service: GetConfig, getAllowedIdentities. Its empty parts for LDAP and Shibboleth
    are left out here.
    """
    name = settings.get(PROVIDER_NAME)
    known = kept_config(sessions) if name == GITHUB else None
    github = known or GitHubConfig()
    allowed = _allowed(settings, provider, token) if name == GITHUB else None
    return {
        "type": "config",
        "links": {},
        "actions": {},
        "provider": GITHUB if name == GITHUB else settings.get(PROVIDER),
        "enabled": settings.is_on(SECURITY),
        "accessMode": settings.get(ACCESS_MODE),
        "allowedIdentities": allowed or None,
        "githubConfig": {
            **({"type": GITHUB} if known else {}),
            "links": {},
            "actions": {},
            "hostname": github.hostname,
            "scheme": github.scheme,
            "clientId": github.client_id,
            "clientSecret": "",
        },
    }


def _allowed(settings: Settings, provider: GitHubProvider | None, token: str) -> list[Document]:
    parts = (read_identity(one) for one in settings.get(ALLOWED).split(","))
    return [_look_up(provider, token, *part).plain_document() for part in parts if part]


def _look_up(provider: GitHubProvider | None, token: str, kind: str, external_id: str) -> Identity:
    if provider is not None and token:
        try:
            return provider.identity(kind, external_id, token)
        except ProviderError:
            pass
    return Identity(kind, external_id)
