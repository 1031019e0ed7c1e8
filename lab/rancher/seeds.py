"""The rows that a new database has from its first migration on."""

import time
from typing import Final

from lab.rancher.rows import Account, ProjectMember
from lab.rancher.states import ACTIVE
from lab.rancher.store import Store

ACCOUNTS: Final = (
    ("admin", "admin", "admin"),
    ("system", "system", "system"),
    ("service", "service", "service"),
    ("token", "token", "token"),
    ("project", "Default", "adminProject"),
)
"""Kind, name and uuid. The fifth is the environment Default, so its id is 1a5.

rancher: `GET /v2-beta/projects?uuid=adminProject` is normally 1a5
"""


def plant(store: Store) -> None:
    """Make the accounts and the environment Default, whose owner is the admin."""
    now = time.time()
    for kind, name, uuid in ACCOUNTS:
        store.accounts.add(Account(kind=kind, name=name, uuid=uuid, state=ACTIVE, created=now))
    default = store.accounts.where("uuid", "adminProject")[0]
    store.project_members.add(
        ProjectMember(
            kind="projectMember",
            state=ACTIVE,
            created=now,
            account_id=default.id,
            project_id=default.id,
            external_id="1a1",
        )
    )
