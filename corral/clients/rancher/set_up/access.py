"""Who may come in: an administrator's key first, then access control on."""

import secrets
from collections.abc import Iterator, Sequence

from corral.clients.rancher.keys import KeyHome, ensure_key
from corral.clients.rancher.set_up.github import (
    CodeRequest,
    GithubDoor,
    find_access,
    read_application,
)
from corral.clients.rancher.set_up.guests import await_shut_door
from corral.clients.rancher.set_up.site import Site
from corral.clients.rancher.vault import AdminSecret, admin_secret, read_secret
from corral.cluster import GithubAccess, LocalAccess
from corral.domain.set_up.access import AccessMove, find_provider_fault, next_access_move
from corral.domain.set_up.identities import Identity
from corral.domain.set_up.keys import KeyPair
from corral.domain.set_up.steps import Did, Step
from corral.errors import PrerequisiteError

ADMIN_USERNAME = "admin"
PASSWORD_BYTES = 24


def ensure_admin_key(site: Site) -> Step:
    """See to it that the vault holds an administrator's key that Rancher accepts.

    Raises:
        PrerequisiteError: Access control is on, and nothing in the vault opens it.
    """
    path = admin_secret(site.cluster)
    secret = read_secret(site.vault, path, AdminSecret)
    rancher = site.first_administrator()

    def store(pair: KeyPair) -> None:
        fresh = AdminSecret(
            access_key=pair.access_key,
            secret_key=pair.secret_key,
            username=secret.username or ADMIN_USERNAME,
            password=secret.password or secrets.token_urlsafe(PASSWORD_BYTES),
        )
        site.vault.write(path, fresh.model_dump())

    home = KeyHome(rancher.admin_account_id(), path, secret.pair, store)
    did = ensure_key(rancher, home, site.patience)
    return Step("administrator's key", did)


def ensure_access(
    site: Site, access: LocalAccess | GithubAccess, others: Sequence[Identity] = ()
) -> Iterator[Step]:
    """See to it that access control is as wanted, as far as nobody has to come for it.

    `find_code_request` says afterwards whether somebody has to; meanwhile Rancher is closed.

    Args:
        site: The Rancher that is set up.
        access: What there shall be.
        others: Whose ids at GitHub are needed besides those who are let in: members.

    Raises:
        PrerequisiteError: The cluster file, a secret or Rancher does not allow it.
        RancherUnsettledError: Servers disagree about it.
    """
    if isinstance(access, LocalAccess):
        yield ensure_local_access(site)
    else:
        yield from GithubDoor(site, access, tuple(others)).steps()


def find_code_request(
    site: Site, access: LocalAccess | GithubAccess, others: Sequence[Identity] = ()
) -> CodeRequest | None:
    """Return what a person is to be asked for; None if nobody has to come. Nothing is written."""
    if isinstance(access, LocalAccess):
        return None
    return GithubDoor(site, access, tuple(others)).request()


def admit(site: Site, access: GithubAccess, code: str, others: Sequence[Identity] = ()) -> Step:
    """Use up the code that a person brought; `ensure_access` goes on from there.

    Raises:
        CodeRefusedError: Another code may do; the message says why this one does not.
        PrerequisiteError: The secret is wrong, or GitHub does not know a name.
    """
    return GithubDoor(site, access, tuple(others)).admit(code)


def find_access_faults(site: Site, access: LocalAccess | GithubAccess) -> list[str]:
    """Return why access control cannot be as wanted; nothing is written."""
    faults = [find_provider_fault(access.kind, find_access(site))]
    if isinstance(access, GithubAccess):
        try:
            read_application(site, access)
        except PrerequisiteError as error:
            faults.append(str(error))
    return [fault for fault in faults if fault]


def ensure_local_access(site: Site) -> Step:
    """See to it that nobody comes in without a key or the password.

    Raises:
        PrerequisiteError: The vault holds no password to switch it on with, or another provider
            is in force.
    """
    what, path = "access control", admin_secret(site.cluster)
    rancher, secret = site.administrator(), read_secret(site.vault, path, AdminSecret)
    if next_access_move(LocalAccess(kind="local"), find_access(site)) is AccessMove.KEEP:
        return Step(what, Did.KEPT)
    if not (secret.username and secret.password):
        raise PrerequisiteError(
            f"The secret {path} holds no username and password to switch access control on with:"
            " add both to it."
        )
    rancher.switch_on_local_access_control(secret.username, secret.password)
    await_shut_door(site)
    return Step(what, Did.CREATED)
