"""Identities as resources: looked up, never stored."""

from lab.rancher.auth_github import GitHubProvider, ProviderError
from lab.rancher.auth_identity import (
    RANCHER_ID,
    Identity,
    account_number,
    of_account,
    read_identity,
)
from lab.rancher.auth_logins import Logins
from lab.rancher.auth_settings import is_external
from lab.rancher.call import Call
from lab.rancher.engine import is_active
from lab.rancher.managers import Manager
from lab.rancher.problems import not_found
from lab.rancher.rendering import Document, collection
from lab.rancher.rows import Account, Row
from lab.rancher.schema.shape import PROJECT
from lab.rancher.schema.system import IDENTITY


class IdentityManager(Manager[Row]):
    """Who the caller is, and who others are by name or number.

    cattle: IdentityManager.java
    """

    def __init__(self) -> None:
        super().__init__(IDENTITY)

    def browse(self, call: Call) -> Document:
        """Answer the caller's own identities, or those of a name: logins of users and orgs.

        cattle: IdentityManager.listInternal, searchIdentites
        """
        name = call.parameters.get("name") or call.parameters.get("all")
        found = self._named(call, name) if name else self._own(call)
        return collection(call, self.kind, [one.document() for one in found])

    def read(self, call: Call, resource_id: str) -> Document:
        """Answer one identity, such as 1i!github_org:9919; 404 for one that nobody knows.

        cattle: IdentityManager.projectMemberToIdentity
        """
        parts = read_identity(resource_id)
        found = self._numbered(call, *parts) if parts else None
        if found is None:
            raise not_found()
        return found.document()

    def follow(self, call: Call, resource_id: str, link: str) -> Document:
        """Answer that an identity has no links."""
        del call, resource_id, link
        raise not_found()

    def _own(self, call: Call) -> list[Identity]:
        """Return who the caller is, looked up anew.

        cattle: IdentityManager.refreshIdentities
        """
        found = [self._numbered(call, *key) for key in sorted(call.caller.identities)]
        return [one for one in found if one is not None]

    def _numbered(self, call: Call, kind: str, external_id: str) -> Identity | None:
        if kind == RANCHER_ID:
            return self._of_rancher(call, account_number(external_id))
        provider = _provider(call)
        if provider is None:
            return None
        try:
            return provider.identity(kind, external_id, call.caller.access_token)
        except ProviderError:
            return None

    def _of_rancher(self, call: Call, number: int | None) -> Identity | None:
        """cattle: AuthDaoImpl.getIdentity (environments are none)."""
        account = call.cluster.store.accounts.get(number)
        if account is None or account.kind == PROJECT or not is_active(account):
            return None
        return of_account(account, self._login(call, account))

    @staticmethod
    def _login(call: Call, account: Account) -> str | None:
        keys = call.cluster.store.credentials.where("account_id", account.id)
        names = (key.public_value for key in keys if key.kind == "password" and is_active(key))
        return next(names, None)

    def _named(self, call: Call, name: str) -> list[Identity]:
        provider = _provider(call)
        own = [
            of_account(account, name)
            for account in call.cluster.store.accounts
            if is_active(account) and self._login(call, account) == name
        ]
        return own + (provider.search(name, call.caller.access_token) if provider else [])


def _provider(call: Call) -> GitHubProvider | None:
    if not is_external(call.settings):
        return None
    return Logins(call.cluster, call.settings).github
