"""Logging in: a code for a token, and who somebody becomes by it.

cattle: TokenResourceManager.java, AbstractTokenUtil.java, ExternalServiceAuthProvider.java
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from lab.rancher.auth_accounts import Newcomer, account_for, find_password
from lab.rancher.auth_config import kept_config
from lab.rancher.auth_github import GitHubProvider, ProviderError
from lab.rancher.auth_identity import RANCHER_ID, Identity, of_account, user_among
from lab.rancher.auth_settings import (
    LOCAL,
    SECURITY,
    TOKEN_LIFE,
    USER_TYPE,
    check,
    is_external,
    provider_of,
)
from lab.rancher.auth_token import session_document, token_document
from lab.rancher.callers import Known
from lab.rancher.engine import is_active
from lab.rancher.problems import ApiError, invalid
from lab.rancher.rendering import Document
from lab.rancher.rows import Account
from lab.rancher.sessions import Session, token_of_cookie, token_of_header
from lab.rancher.settings import Settings

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster

SECRETIVE: Final = "Error communicating with authentication provider"
"""All that strangers hear of GitHub's errors once access control is on."""


def provider_error(status: int, message: str) -> ApiError:
    """The auth service, or who is behind it, does not do what was asked."""
    return ApiError(status, "AuthError", message)


class Logins:
    """Who is logged in, as one server sees it."""

    def __init__(self, cluster: "RancherCluster", settings: Settings) -> None:
        self._cluster = cluster
        self._settings = settings
        self._sessions = cluster.sessions

    @property
    def github(self) -> GitHubProvider | None:
        """Return the provider that is kept, whether it counts or not."""
        config = kept_config(self._sessions)
        return None if config is None else GitHubProvider(self._cluster.world.github, config)

    def log_in(self, body: Mapping[str, object]) -> Document:
        """Exchange a code for a token: `name:password`, or what GitHub gave a browser.

        While security is off this also makes whoever comes the administrator.
        cattle: TokenResourceManager.createToken; test_authorization.py (test_token_auth)

        Raises:
            ApiError: see `_local` and `_external`; 500 if nobody can log in at all.

        """
        if "code" not in body:
            raise invalid("MissingRequired", "code")
        code = str(body["code"] if body["code"] is not None else "")
        provider = provider_of(self._settings)
        if not provider:
            raise ApiError(500, "NoAuthProvider", "No Auth provider is configured.")
        session = self._local(code) if provider == LOCAL else self._external(code)
        return session_document(self._settings, session)

    def _local(self, code: str) -> Session:
        """Log in with a password: 403 without a colon, 401 if it is wrong.

        cattle: LocalAuthTokenCreator.getToken
        """
        username, colon, password = code.partition(":")
        if not colon:
            raise ApiError(403)
        known = find_password(self._cluster.store, username)
        if known is None or known.secret_value != password or known.account_id is None:
            raise ApiError(401)
        account = self._cluster.store.accounts.get(known.account_id)
        if account is None or not is_active(account):
            raise ApiError(401)
        return self._open([of_account(account, username)], account, "")

    def _external(self, code: str) -> Session:
        """Log in by GitHub. Whatever GitHub has against a code, the status is 500.

        What it is is told only while security is off.
        cattle: ExternalServiceAuthProvider.getToken; rancher-auth-service: CreateToken
        """
        if not code:
            raise self._refusal(400, "Bad Request, Please check the request content")
        try:
            github = self._provider()
            token = github.exchange(code)
            identities = github.identities(token)
        except ProviderError as error:
            raise self._refusal(500, str(error)) from error
        return self._open(identities, None, token)

    def _provider(self) -> GitHubProvider:
        github = self.github
        if github is None:
            raise ProviderError("No auth provider configured")
        return github

    def _refusal(self, status: int, message: str) -> ApiError:
        hidden = self._settings.is_on(SECURITY) and is_external(self._settings)
        return provider_error(status, SECRETIVE if hidden else message)

    def _open(
        self,
        identities: Sequence[Identity],
        account: Account | None,
        access_token: str,
        *,
        refreshed: bool = False,
    ) -> Session:
        """Find or make the account and give out a token for it.

        cattle: AbstractTokenUtil.createToken
        """
        provider = provider_of(self._settings)
        kind = RANCHER_ID if provider == LOCAL else self._settings.get(USER_TYPE)
        user = user_among(identities, kind)
        if user is None:
            raise ApiError(401)
        newcomer = Newcomer(user, identities, account)
        account = account_for(self._cluster, self._settings, newcomer)
        if access_token:
            self._sessions.access_tokens[account.id] = access_token
        account.name = user.name or account.name
        account.external_id, account.external_id_type = user.key[1], user.kind
        self._sessions.logged_in.add(account.id)
        return self._sessions.open(
            provider=provider,
            account_id=account.id,
            user=user,
            identities=identities,
            user_type=account.kind,
            seconds=self._settings.number(TOKEN_LIFE) / 1000,
            refreshed=refreshed,
        )

    def describe(self, headers: Mapping[str, str]) -> Document:
        """Answer how one logs in, and as whom one is; nobody has to be logged in to ask.

        cattle: TokenResourceManager.listToken, AbstractTokenUtil.retrieveCurrentToken
        """
        document = token_document(self._settings)
        provider = provider_of(self._settings)
        if not provider:
            return document
        session = self._session(headers)
        if session is not None:
            document |= {
                "jwt": session.key,
                "userIdentity": session.user.document(),
                "userType": session.user_type,
            }
        github = self.github
        if provider != LOCAL and github is not None:
            document["redirectUrl"] = github.redirect_url
        return document

    def log_out(self, headers: Mapping[str, str]) -> None:
        """Forget the token of the cookie.

        cattle: TokenResourceManager.deleteToken (one in the header is not found: 500)
        """
        if self._session(headers) is None:
            raise ApiError(500, "JWTNotProvided", "Request does not contain JWT cookie")
        key = token_of_cookie(headers)
        if not key:
            raise ApiError(500)
        self._sessions.close(key)

    def recognise(self, headers: Mapping[str, str]) -> Known | None:
        """Return whose token a request brings.

        cattle: TokenAuthLookup.getAccount, ExternalServiceAuthProvider.getIdentities
        """
        session = self._session(headers)
        account = self._cluster.store.accounts.get(session.account_id) if session else None
        return self._known(account, session.identities) if account and session else None

    def known(self, account: Account) -> Known:
        """Return who the owner of an API key is.

        Whoever logged in by GitHub once is looked up there again every sixteen hours, and has to
        be one of those who have access: a key is no way around.
        cattle: ExternalServiceAuthProvider.getIdentities, refreshToken
        """
        token = self._sessions.access_tokens.get(account.id)
        if not token or not is_external(self._settings) or not self._settings.is_on(SECURITY):
            return Known(account)
        session = self._sessions.refreshed(account.id, provider_of(self._settings))
        session = session or self._refresh(token)
        check(self._cluster.store, self._settings, [one.key for one in session.identities])
        return self._known(account, session.identities)

    def _refresh(self, token: str) -> Session:
        try:
            identities = self._provider().identities(token)
        except ProviderError as error:
            raise provider_error(500, SECRETIVE) from error
        return self._open(identities, None, token, refreshed=True)

    def _known(self, account: Account, identities: Iterable[Identity]) -> Known:
        token = self._sessions.access_tokens.get(account.id, "")
        return Known(account, frozenset(one.key for one in identities), token)

    def _session(self, headers: Mapping[str, str]) -> Session | None:
        """Return the session of a cookie or of a header, in that order.

        cattle: AbstractTokenUtil.findAndSetJWT, getJsonData, retrieveJwt
        """
        provider = provider_of(self._settings)
        session = (
            self._sessions.find(token_of_cookie(headers) or token_of_header(headers))
            if provider
            else None
        )
        if session is None:
            return None
        if session.provider.lower() != provider.lower():
            message = "Access control has changed since token was created."
            raise ApiError(401, "AuthProviderChanged", message)
        check(self._cluster.store, self._settings, [one.key for one in session.identities])
        return session
