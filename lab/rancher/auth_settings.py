"""Names of the settings of access control, and what they say together. Pure but for `check`.

cattle: SecurityConstants.java, ServiceAuthConstants.java, LocalAuthConstants.java
"""

from collections.abc import Iterable
from typing import Final

from lab.rancher.callers import Key, identity_key
from lab.rancher.engine import is_active
from lab.rancher.problems import ApiError
from lab.rancher.settings import Settings
from lab.rancher.store import Store

SECURITY: Final = "api.security.enabled"
PROVIDER: Final = "api.auth.provider.configured"
PROVIDER_NAME: Final = "api.auth.provider.name.configured"
EXTERNAL: Final = "api.auth.external.provider.configured"
NO_LOOK_UP: Final = "api.auth.external.provider.no.identity.lookup"
SEPARATOR: Final = "api.auth.external.provider.identity.separator"
ACCESS_MODE: Final = "api.auth.access.mode"
LOCAL_ACCESS_MODE: Final = "api.auth.local.access.mode"
ALLOWED: Final = "api.auth.allowed.identities"
USER_TYPE: Final = "api.auth.user.type"
ENABLER: Final = "api.auth.enabler"
UPDATED: Final = "auth.service.config.update.timestamp"
TOKEN_LIFE: Final = "api.auth.jwt.token.expiry"

LOCAL: Final = "localAuthConfig"
GITHUB: Final = "githubconfig"
NONE: Final = "none"

UNRESTRICTED, RESTRICTED, REQUIRED = "unrestricted", "restricted", "required"


def provider_of(settings: Settings) -> str:
    """Return the provider that people log in by; empty if there is none."""
    name = settings.get(PROVIDER)
    return "" if name.lower() == NONE else name


def is_external(settings: Settings) -> bool:
    """Say whether the auth service knows who people are.

    cattle: ExternalServiceAuthProvider.isConfigured
    """
    return provider_of(settings) not in ("", LOCAL) and settings.is_on(EXTERNAL)


def no_access() -> ApiError:
    """Somebody whom the access mode does not let in, though they are who they say."""
    return ApiError(403, "AuthError", "Your account does not have access")


def check(store: Store, settings: Settings, identities: Iterable[Key]) -> None:
    """See whether the access mode lets somebody in; it is asked at each call, not at login only.

    cattle: AbstractTokenUtil.isAllowed, LocalAuthTokenUtils, ExternalServiceTokenUtil.isWhitelisted

    Raises:
        ApiError: 403 AuthError.

    """
    local = provider_of(settings) == LOCAL
    mode = settings.get(LOCAL_ACCESS_MODE if local else ACCESS_MODE)
    keys = frozenset(identities)
    listed = local or bool(keys & _allowed(settings))
    lets_in = {
        UNRESTRICTED: True,
        RESTRICTED: listed or has_project(store, keys),
        REQUIRED: listed,
    }
    if not lets_in.get(mode, False):
        raise no_access()


def _allowed(settings: Settings) -> frozenset[Key]:
    entries = (one.strip().partition(":") for one in settings.get(ALLOWED).split(","))
    return frozenset(
        identity_key(kind, external_id) for kind, colon, external_id in entries if colon
    )


def has_project(store: Store, keys: frozenset[Key]) -> bool:
    """Say whether one of some identities is a member of any environment.

    cattle: AuthDaoImpl.hasAccessToAnyProject
    """
    return any(
        identity_key(one.external_id_type, one.external_id) in keys
        for one in store.project_members
        if is_active(one)
    )
