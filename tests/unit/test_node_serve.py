"""Serving: the container that should run, and what is done to the one that is there."""

import json

import pytest
from corral_node import database, docker, secrets, serve
from corral_node.config import Database, ServeConfig
from corral_node.docker import Container
from corral_node.errors import ConfigurationError
from corral_node.metadata import Identity

IMAGE = "rancher/server:v1.6.30"
CONFIG = ServeConfig("eu-west-1", IMAGE, Database("db", 3306, "cattle", "user", "blue/database"))
IDENTITY = Identity("i-1", "123456789012", "eu-west-1", "10.0.0.7")
WANTED = serve.describe_server(CONFIG, IDENTITY, "s3cret")


def container(**changes: object) -> Container:
    facts = {
        "id": "abc",
        "image": IMAGE,
        "command": WANTED.command,
        "environment": {**WANTED.environment, "PATH": "/usr/bin"},
        "state": "running",
    }
    return Container(**{**facts, **changes})


class Machine:
    """Docker, database and secret of one machine, with a record of what was done."""

    def __init__(self, existing: Container | None) -> None:
        self.existing = existing
        self.done: list[str] = []
        self.run_with: tuple[list[str], dict[str, str]] | None = None

    def run(self, arguments, environment, timeout_s) -> None:
        assert timeout_s
        self.run_with = (arguments, environment)
        self.done.append("run")

    def read_version(self, host: str, port: int) -> str:
        self.done.append(f"asked {host}:{port}")
        return "5.7.44-log"


@pytest.fixture
def serve_on(monkeypatch, tmp_path):
    authority = tmp_path / "database-ca.pem"
    authority.touch()

    def serve_on(existing: Container | None) -> Machine:
        machine = Machine(existing)
        note = machine.done.append
        monkeypatch.setattr(serve, "read_identity", lambda: IDENTITY)
        monkeypatch.setattr(secrets, "_fetch", lambda *_: json.dumps({"password": "s3cret"}))
        monkeypatch.setattr(database, "read_version", machine.read_version)
        monkeypatch.setattr(docker, "find", lambda _: machine.existing)
        monkeypatch.setattr(docker, "pull_if_missing", lambda image, _: note(f"has {image}"))
        monkeypatch.setattr(docker, "remove", lambda one: note(f"removed {one.id}"))
        monkeypatch.setattr(docker, "start", lambda one: note(f"started {one.id}"))
        monkeypatch.setattr(docker, "run", machine.run)
        serve.serve(CONFIG, authority)
        return machine

    return serve_on


def test_the_server_is_run_as_ranchers_manual_has_it(serve_on, tmp_path):
    machine = serve_on(None)

    assert machine.done == ["asked db:3306", f"has {IMAGE}", "run"]
    arguments, environment = machine.run_with
    assert arguments == [
        "--detach", "--restart=unless-stopped", "--name", "rancher-server",
        "--publish", "8080:8080", "--publish", "9345:9345",
        "--volume", f"{tmp_path}/database-ca.pem:/var/lib/rancher/etc/ssl/ca.crt:ro",
        IMAGE, "--advertise-address", "10.0.0.7",
    ]  # fmt: skip
    jdbc_url = environment.pop("CATTLE_DB_CATTLE_MYSQL_URL")
    assert jdbc_url.startswith("jdbc:mysql://db:3306/cattle?useUnicode=true&")
    assert jdbc_url.endswith("&sslServerCert=/var/lib/rancher/etc/ssl/ca.crt&useSSL=true")
    assert environment == {
        "CATTLE_DB_LIQUIBASE_MYSQL_URL": jdbc_url,
        "CATTLE_DB_CATTLE_GO_PARAMS": "tls=skip-verify",
        "CATTLE_DB_CATTLE_MYSQL_HOST": "db",
        "CATTLE_DB_CATTLE_MYSQL_PORT": "3306",
        "CATTLE_DB_CATTLE_MYSQL_NAME": "cattle",
        "CATTLE_DB_CATTLE_USERNAME": "user",
        "CATTLE_DB_CATTLE_PASSWORD": "s3cret",
    }


@pytest.mark.parametrize("state", ["running", "restarting"])
def test_a_server_that_runs_as_wanted_is_left_alone(serve_on, state):
    assert serve_on(container(state=state)).done == []


def test_a_server_that_was_stopped_is_started_again(serve_on):
    assert serve_on(container(state="exited")).done == ["asked db:3306", "started abc"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"image": "rancher/server:v1.6.29"}, id="image"),
        pytest.param({"command": ("--advertise-address", "10.0.0.8")}, id="address"),
        pytest.param(
            {"environment": {**WANTED.environment, "CATTLE_DB_CATTLE_PASSWORD": "old"}}, id="secret"
        ),
    ],
)
def test_a_server_that_is_not_as_wanted_is_replaced(serve_on, change):
    machine = serve_on(container(**change))

    assert machine.done == ["asked db:3306", f"has {IMAGE}", "removed abc", "run"]


def test_without_the_databases_authority_nothing_is_started(tmp_path):
    with pytest.raises(ConfigurationError, match=r"database-ca\.pem is missing"):
        serve.serve(CONFIG, tmp_path / "database-ca.pem")
