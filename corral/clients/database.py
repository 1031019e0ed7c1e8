"""Rancher's database over its own protocol: looked at, never changed."""

import logging
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymysql
from pymysql.constants import CR, ER
from pymysql.cursors import Cursor

from corral.domain.restores import TABLES, DatabaseFacts
from corral.errors import DatabaseRefusedError, PrerequisiteError

log = logging.getLogger(__name__)

TIMEOUT_S = 10

_REFUSED = {ER.ACCESS_DENIED_ERROR, ER.BAD_DB_ERROR, ER.DBACCESS_DENIED_ERROR}
_UNREACHABLE = {CR.CR_CONN_HOST_ERROR, CR.CR_CONNECTION_ERROR, CR.CR_SERVER_LOST}


@dataclass(frozen=True, slots=True)
class Login:
    """How to come into a database."""

    address: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str


def look_at_database(
    login: Login, *, ca: Path | None = None, places: Mapping[str, tuple[str, int]] | None = None
) -> DatabaseFacts:
    """Return what there is to see in a database, over one connection with TLS.

    Args:
        login: Where, and as whom.
        ca: The certificates that the database's own is checked by; None encrypts, and checks
            nothing.
        places: Where databases answer that do not answer at their own names.

    Raises:
        PrerequisiteError: It cannot be reached from here.
        DatabaseRefusedError: It does not let us in, or not to that database.

    """
    host, port = (places or {}).get(login.address, (login.address, login.port))
    with _translated(login):
        connection = pymysql.connect(
            host=host,
            port=port,
            user=login.user,
            password=login.password,
            database=login.database,
            ssl=_trust(ca),
            connect_timeout=TIMEOUT_S,
            read_timeout=TIMEOUT_S,
            write_timeout=TIMEOUT_S,
        )
        with closing(connection), connection.cursor() as cursor:
            facts = _read(cursor)
    log.info("looked at %s: %s", login.address, facts)
    return facts


def _read(cursor: Cursor) -> DatabaseFacts:
    version = str(_one(cursor, "SELECT VERSION()"))
    cursor.execute("SHOW TABLES")
    tables = frozenset(str(name) for (name,) in cursor.fetchall())
    if not tables >= TABLES:
        return DatabaseFacts(version, tables)
    return DatabaseFacts(
        version,
        tables,
        accounts=int(_one(cursor, "SELECT COUNT(*) FROM account WHERE removed IS NULL")),
        settings=int(_one(cursor, "SELECT COUNT(*) FROM setting")),
        migrating=bool(_one(cursor, "SELECT COUNT(*) FROM DATABASECHANGELOGLOCK WHERE LOCKED = 1")),
    )


def _one(cursor: Cursor, question: str) -> Any:  # noqa: ANN401 - whatever MySQL has there
    cursor.execute(question)
    row = cursor.fetchone()
    return row[0] if row else 0


def _trust(ca: Path | None) -> ssl.SSLContext:
    """Return what makes a connection secret.

    RDS's certificates carry the instance's own name, and we may come by another.
    """
    context = ssl.create_default_context(cafile=str(ca) if ca else None)
    context.check_hostname = False
    if ca is None:
        context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def _translated(login: Login) -> Iterator[None]:
    try:
        yield
    except pymysql.err.MySQLError as error:
        code = error.args[0] if error.args else 0
        if code in _REFUSED:
            raise DatabaseRefusedError(login.address, login.user) from None
        if code in _UNREACHABLE:
            raise PrerequisiteError(
                f"The database {login.address}:{login.port} cannot be reached from here: run the"
                " worker inside the cluster's network, or let the admin networks in with"
                " database.open_to_admins in the cluster file."
            ) from error
        raise PrerequisiteError(
            f"The database {login.address} does not answer as MySQL does ({code})."
        ) from error
