"""Who may come in: what RDS was told counts, at the moment somebody asks."""

import secrets
from collections.abc import AsyncGenerator, Callable, Sequence

from mysql_mimic.auth import (
    AuthInfo,
    AuthPlugin,
    IdentityProvider,
    NativePasswordAuthPlugin,
    Success,
    User,
)
from mysql_mimic.connection import Connection
from mysql_mimic.control import Control
from mysql_mimic.errors import MysqlError
from mysql_mimic.stream import MysqlStream

from lab.aws.views import DatabaseView
from lab.machines.databases.session import SqlSession

ACCESS_DENIED = 1045
UNKNOWN_DATABASE = 1049
SECURE_TRANSPORT_REQUIRED = 3159

Look = Callable[[], DatabaseView]


class _Login(NativePasswordAuthPlugin):  # type: ignore[misc]  # mysql-mimic has no types
    """mysql_native_password, which refuses in MySQL's words."""

    def __init__(self, session: SqlSession) -> None:
        self._session = session

    async def auth(
        self, auth_info: AuthInfo | None = None
    ) -> AsyncGenerator[Success | bytes, AuthInfo]:
        """Challenge, and let in whoever proves to know the password.

        Raises:
            MysqlError: the proof is none, or the database that is asked for is not there.

        """
        state = super().auth(auth_info)
        decision = await anext(state)
        while isinstance(decision, bytes):
            auth_info = yield decision
            decision = await state.asend(auth_info)
        if not isinstance(decision, Success):
            raise _denied(auth_info)
        if self._session.database not in (None, "", self._session.name, "information_schema"):
            raise MysqlError(f"Unknown database '{self._session.database}'", UNKNOWN_DATABASE)
        yield decision


def _denied(info: AuthInfo) -> MysqlError:
    given = "YES" if info.data else "NO"
    return MysqlError(
        f"Access denied for user '{info.username}'@'127.0.0.1' (using password: {given})",
        ACCESS_DENIED,
    )


class _Accounts(IdentityProvider):  # type: ignore[misc]  # mysql-mimic has no types
    """The one account of an RDS instance that people know of: its master user."""

    def __init__(self, look: Look, session: SqlSession) -> None:
        self._look = look
        self._session = session

    def get_plugins(self) -> Sequence[AuthPlugin]:
        """Return the one way to come in."""
        return [_Login(self._session)]

    async def get_user(self, username: str) -> User:
        """Return a user; of one that does not exist nobody knows the password."""
        database = self._look()
        password = database.password if username == database.username else secrets.token_hex()
        return User(
            name=username,
            auth_string=_Login.create_auth_string(password),
            auth_plugin=_Login.name,
        )


class Door(Connection):  # type: ignore[misc]  # mysql-mimic has no types
    """One client's connection: TLS first where it is demanded, then user, password, database."""

    def __init__(
        self,
        look: Look,
        session: SqlSession,
        stream: MysqlStream,
        control: Control,
        context: object,
    ) -> None:
        super().__init__(stream, session, control, _Accounts(look, session), ssl=context)
        self._look = look

    async def authenticate(self, *args: object, **given: object) -> None:
        """Let the client in.

        Raises:
            MysqlError: something about it is wrong; the client is told, and hung up on.

        """
        secure = self.stream.writer.transport.get_extra_info("ssl_object") is not None
        if self._look().refuses_plain and not secure:
            raise MysqlError(
                "Connections using insecure transport are prohibited while "
                "--require_secure_transport=ON.",
                SECURE_TRANSPORT_REQUIRED,
            )
        await super().authenticate(*args, **given)

    def error(self, msg: object = "", **given: object) -> bytes:
        """Return the packet of an error, with the number that the error itself brings."""
        if isinstance(msg, MysqlError):
            given["code"], msg = msg.code, msg.msg
        packet: bytes = super().error(msg=msg, **given)
        return packet
