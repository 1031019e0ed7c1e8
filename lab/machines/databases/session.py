"""What a client of a database may ask: questions in MySQL's words, which SQLite answers."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

from mysql_mimic.errors import ErrorCode, MysqlError
from mysql_mimic.session import Session
from mysql_mimic.variables import GlobalVariables, SessionVariables
from sqlglot import expressions

from lab.machines.databases.tables import Tables

NO_SUCH_TABLE = 1146
Answer = tuple[list[tuple[object, ...]], list[str]]


class SqlSession(Session):  # type: ignore[misc]  # mysql-mimic has no types
    """One connection's questions to the tables of a database: nothing is written through it.

    Args:
        name: the database's inside MySQL.
        version: what the server calls itself, such as `5.7.44-log`.
        read: looks up what there is to read at the moment.

    """

    def __init__(self, name: str, version: str, read: Callable[[], Tables]) -> None:
        super().__init__(SessionVariables(GlobalVariables()))
        self.variables.set("version", version, force=True)
        self.name = name
        self._read = read

    async def schema(self) -> dict[str, dict[str, dict[str, str]]]:
        """Return what SHOW and information_schema tell."""
        return {self.name: self._read().schema()}

    async def query(
        self, expression: expressions.Expression, sql: str, attrs: dict[str, str]
    ) -> Answer:
        """Answer a question to the tables.

        Raises:
            MysqlError: it is no question, or SQLite does not understand it.

        """
        del sql, attrs
        if not isinstance(expression, expressions.Query):
            raise MysqlError("The lab's databases are read only", ErrorCode.NOT_SUPPORTED_YET)
        tables = self._read()
        with closing(sqlite3.connect(":memory:")) as copy:
            for table in expression.find_all(expressions.Table):
                self._fill(copy, tables, table.name)
                table.set("db", None)
            try:
                found = copy.execute(expression.sql(dialect="sqlite"))
            except sqlite3.Error as error:
                raise MysqlError(f"The lab cannot answer: {error}") from error
            return found.fetchall(), [column[0] for column in found.description]

    def _fill(self, copy: sqlite3.Connection, tables: Tables, table: str) -> None:
        columns = tables.schema().get(table)
        if columns is None:
            told = f"Table '{self.name}.{table}' doesn't exist"
            raise MysqlError(told, NO_SUCH_TABLE)
        quoted = ", ".join(f'"{name}"' for name in columns)
        marks = ", ".join("?" * len(columns))
        copy.execute(f'CREATE TABLE IF NOT EXISTS "{table}" ({quoted})')
        copy.executemany(
            f'INSERT INTO "{table}" VALUES ({marks})',  # noqa: S608  # names are the lab's own
            [[record.get(name) for name in columns] for record in tables.records(table)],
        )
