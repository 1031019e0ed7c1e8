"""The lab's databases over MySQL's own protocol: who comes in, and what there is to read."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from machines_surroundings import DATABASE, ENDPOINT, FakeAws, FakeBalancers, make_world, until

from lab.machines import Names


class Scene:
    """A resolver with one database, whose data a test may fill."""

    def __init__(self, root: Path) -> None:
        self.aws = FakeAws()
        self.world = make_world(root)
        self.names = Names(self.world, self.aws, FakeBalancers(), root / "names")

    async def make_tables(self) -> Any:
        """Let Rancher make its tables and fill them."""
        cluster = self.names.databases.cluster_of(self.aws.databases()[0])
        await cluster.migration.run("server", "v1.6.30", release=False)
        cluster.migrated()
        return cluster

    async def ask(self, *questions: str, **changes: Any) -> list[Any]:
        """Return the rows of each question's answer, asked over one connection."""

        def talk(port: int) -> list[Any]:
            with contextlib.closing(self.connect(port, **changes)) as connection:
                return [list(_rows(connection, question)) for question in questions]

        return await asyncio.to_thread(talk, await self.port())

    async def port(self) -> int:
        place = await self.names.locate(DATABASE, 3306)
        assert place is not None
        return place[1]

    def connect(self, port: int, **changes: Any) -> pymysql.Connection:
        given = {"user": "cattle", "password": "pa55-database", "database": "cattle"} | changes
        trust = ssl.create_default_context(cafile=str(self.world.authority))
        trust.check_hostname = False
        return pymysql.connect(host="127.0.0.1", port=port, **({"ssl": trust} | given))


def _rows(connection: pymysql.Connection, question: str) -> Iterator[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(question)
        yield from cursor.fetchall()


def play(root: Path, scenario: Callable[[Scene], Any]) -> None:
    async def run() -> None:
        scene = Scene(root)
        await scene.names.listen()
        try:
            await scenario(scene)
        finally:
            await scene.names.close()

    asyncio.run(run())


def test_a_client_with_the_right_password_is_answered(tmp_path):
    async def scenario(scene: Scene) -> None:
        answers = await scene.ask(
            "SELECT 1", "SELECT VERSION()", "SELECT DATABASE()", "SHOW TABLES"
        )
        assert answers == [[(1,)], [("5.7.44-log",)], [("cattle",)], []]

    play(tmp_path, scenario)


def test_the_tables_are_those_that_rancher_made(tmp_path):
    async def scenario(scene: Scene) -> None:
        await scene.make_tables()
        shown, counted, asked, changed = await scene.ask(
            "SHOW TABLES",
            "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'cattle'",
            "SELECT COUNT(*) FROM `setting` WHERE name = 'catalog.url'",
            "SELECT MAX(FILENAME) FROM DATABASECHANGELOG",
        )
        names = {name for (name,) in shown}
        assert {"account", "host", "setting", "DATABASECHANGELOG", "DATABASECHANGELOGLOCK"} <= names
        assert counted == [(len(names),)]
        assert asked == [(0,)]
        assert changed == [("db/core-124.xml",)]

    play(tmp_path, scenario)


def test_rows_are_counted_as_they_are_at_the_moment(tmp_path):
    async def scenario(scene: Scene) -> None:
        cluster = await scene.make_tables()
        question = "SELECT COUNT(*) FROM account WHERE kind = 'project' AND removed IS NULL"
        assert await scene.ask(question, "SELECT COUNT(*) FROM host") == [[(1,)], [(0,)]]
        cluster.seed_herd(3)
        assert await scene.ask(question, "SELECT COUNT(*) FROM host") == [[(1,)], [(3,)]]

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    ("changes", "number", "told"),
    [
        ({"password": "wrong"}, 1045, "Access denied for user 'cattle'"),
        ({"password": ""}, 1045, "using password: NO"),
        ({"user": "root"}, 1045, "Access denied for user 'root'"),
        ({"database": "rancher"}, 1049, "Unknown database 'rancher'"),
    ],
)
def test_who_has_no_business_there_is_refused_in_mysqls_words(tmp_path, changes, number, told):
    async def scenario(scene: Scene) -> None:
        with pytest.raises(pymysql.err.OperationalError, match=told) as refusal:
            await scene.ask("SELECT 1", **changes)
        assert refusal.value.args[0] == number

    play(tmp_path, scenario)


def test_a_refused_client_that_stays_is_not_answered(tmp_path):
    async def scenario(scene: Scene) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", await scene.port())
        header = await reader.readexactly(4)
        await reader.readexactly(int.from_bytes(header[:3], "little"))
        login = (
            (0x0F_A205 & ~0x800).to_bytes(4, "little") + bytes(4) + b"\x21" + bytes(23)
            + b"cattle\0" + b"\x14" + bytes(20) + b"mysql_native_password\0"
        )  # fmt: skip
        writer.write(len(login).to_bytes(3, "little") + b"\x01" + login)
        writer.write(b"\x09\0\0\0\x03SELECT 1")
        answer = await reader.read()
        assert answer.count(b"#28000") == 1
        assert b"SELECT" not in answer
        writer.close()

    play(tmp_path, scenario)


def test_tls_is_not_needed_unless_the_parameter_group_demands_it(tmp_path):
    async def scenario(scene: Scene) -> None:
        assert await scene.ask("SELECT 1", ssl=None, ssl_disabled=True) == [[(1,)]]
        scene.aws.refuses_plain = True
        with pytest.raises(pymysql.err.OperationalError, match="insecure transport") as refusal:
            await scene.ask("SELECT 1", ssl=None, ssl_disabled=True)
        assert refusal.value.args[0] == 3159
        assert await scene.ask("SELECT 1") == [[(1,)]]

    play(tmp_path, scenario)


def test_a_table_that_is_not_there_and_a_change_are_refused(tmp_path):
    async def scenario(scene: Scene) -> None:
        with pytest.raises(pymysql.err.ProgrammingError, match="host' doesn't exist"):
            await scene.ask("SELECT COUNT(*) FROM host")
        with pytest.raises(pymysql.err.Error, match="read only"):
            await scene.ask("DELETE FROM host")

    play(tmp_path, scenario)


def test_open_connections_go_on_when_the_password_changes(tmp_path):
    async def scenario(scene: Scene) -> None:
        port = await scene.port()
        connection = await asyncio.to_thread(scene.connect, port)
        scene.aws.password = "another"
        assert await asyncio.to_thread(lambda: list(_rows(connection, "SELECT 1"))) == [(1,)]
        with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
            await scene.ask("SELECT 1")
        assert await scene.ask("SELECT 1", password="another") == [[(1,)]]
        connection.close()

    play(tmp_path, scenario)


def test_a_database_that_stops_hangs_up_and_is_no_longer_told_of(tmp_path):
    async def scenario(scene: Scene) -> None:
        path = scene.world.database_names
        await until(path.exists, "the file of names")
        port = await scene.port()
        place = f"127.0.0.1:{port}"
        assert json.loads(path.read_text()) == {ENDPOINT: place, DATABASE: place}
        connection = await asyncio.to_thread(scene.connect, port)
        scene.aws.database_status = "stopped"
        await until(lambda: json.loads(path.read_text()) == {}, "an empty file of names")
        with pytest.raises(pymysql.err.OperationalError):
            await asyncio.to_thread(lambda: list(_rows(connection, "SELECT 1")))

    play(tmp_path, scenario)
