"""Whose account somebody gets who logs in, and what they own from then on."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.rancher.auth_identity import Identity
from lab.rancher.auth_settings import ENABLER, SECURITY, check, has_project
from lab.rancher.callers import first_admin, identity_key
from lab.rancher.engine import is_active
from lab.rancher.problems import ApiError
from lab.rancher.rows import Account, Credential, ProjectMember
from lab.rancher.schema.shape import ADMIN, PROJECT, USER
from lab.rancher.settings import Settings
from lab.rancher.store import Store

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster

PASSWORD_KIND = "password"
OWN_PROJECT = "-Default"
"""cattle: ProjectConstants.PROJECT_DEFAULT_NAME"""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who proved who they are."""

    user: Identity
    identities: Sequence[Identity]
    account: Account | None
    """Theirs, if Rancher itself knows them."""


def find_password(store: Store, username: str) -> Credential | None:
    """Return the password of a user's name.

    cattle: AuthDaoImpl.getAccountByLogin
    """
    found = (
        row
        for row in store.credentials.where("public_value", username)
        if row.kind == PASSWORD_KIND and is_active(row)
    )
    return next(found, None)


def account_for(cluster: "RancherCluster", settings: Settings, newcomer: Newcomer) -> Account:
    """Return the account of somebody who logs in: found, made, or the administrator's.

    cattle: AbstractTokenUtil.getOrCreateAccount

    Raises:
        ApiError: 403 if the access mode does not let them in, 401 if the account is not active.

    """
    account = newcomer.account or _by_external_id(cluster.store, newcomer.user)
    if not settings.is_on(SECURITY):
        return _make_admin(cluster, settings, newcomer.user, account)
    check(cluster.store, settings, [one.key for one in newcomer.identities])
    if account is not None and not is_active(account):
        raise ApiError(401)
    if account is None:
        account = _make_user(cluster, newcomer.user)
    _give_project(cluster, account, newcomer)
    return account


def _by_external_id(store: Store, user: Identity) -> Account | None:
    """cattle: AuthDaoImpl.getAccountByExternalId."""
    found = (
        row
        for row in store.accounts
        if (row.external_id_type, row.external_id) == user.key and row.state != "purged"
    )
    return next(found, None)


def _make_admin(
    cluster: "RancherCluster", settings: Settings, user: Identity, account: Account | None
) -> Account:
    """Make whoever logs in before security is on an admin: the first one, if nobody knows them."""
    if account is not None:
        account.kind = ADMIN
    else:
        account = first_admin(cluster.store)
    if account is None:
        raise ApiError(500, "FailedToGetAccount")
    hand_over_projects(cluster, user)
    settings.write(ENABLER, user.id)
    return account


def hand_over_projects(cluster: "RancherCluster", user: Identity) -> None:
    """Make an identity owner of each environment that nobody but the first admin is a member of.

    The first admin's own membership ends, as an admin owns everything anyway.
    cattle: AuthDaoImpl.ensureAllProjectsHaveNonRancherIdMembers
    """
    admin = first_admin(cluster.store)
    own = identity_key("rancher_id", str(admin.id)) if admin else None
    if user.key == own:
        # cattle replaces the membership by an equal one.
        return
    for project in cluster.store.accounts:
        if project.kind != PROJECT or project.removed is not None:
            continue
        members = cluster.store.project_members.where("project_id", project.id)
        living = [one for one in members if is_active(one)]
        others = [
            one for one in living if identity_key(one.external_id_type, one.external_id) != own
        ]
        for member in living:
            if member not in others:
                cluster.retire("projectMember", member)
        if not others:
            add_owner(cluster, project, user)


def add_owner(cluster: "RancherCluster", project: Account, user: Identity) -> None:
    """Make somebody an owner of an environment."""
    member = ProjectMember(
        kind="projectMember",
        name=user.name or None,
        created=time.time(),
        account_id=project.id,
        project_id=project.id,
        external_id=user.external_id,
        external_id_type=user.kind,
        role="owner",
    )
    cluster.store.project_members.add(member)
    cluster.engine.create("projectMember", member)


def _make_user(cluster: "RancherCluster", user: Identity) -> Account:
    """cattle: AuthDaoImpl.createAccount."""
    account = Account(
        kind=USER,
        name=user.name or None,
        created=time.time(),
        external_id=user.key[1],
        external_id_type=user.kind,
    )
    cluster.store.accounts.add(account)
    cluster.engine.create("account", account)
    return account


def _give_project(cluster: "RancherCluster", account: Account, newcomer: Newcomer) -> None:
    """Give somebody who comes for the first time, and has none, an environment of their own.

    cattle: AbstractTokenUtil.getOrCreateAccount, project.create.default
    """
    keys = frozenset(one.key for one in newcomer.identities)
    if account.id in cluster.sessions.logged_in or has_project(cluster.store, keys):
        return
    name = f"{newcomer.user.login}{OWN_PROJECT}"
    project = Account(kind=PROJECT, name=name, created=time.time())
    cluster.store.accounts.add(project)
    cluster.engine.create("account", project)
    add_owner(cluster, project, newcomer.user)
