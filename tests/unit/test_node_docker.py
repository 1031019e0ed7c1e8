"""Docker's command line: what is asked of it, and what is told when it fails."""

import json
from pathlib import Path

import pytest
from corral_node import docker
from corral_node.errors import NodeError, NotYetError

DESCRIPTION = {
    "Id": "abc",
    "State": {"Status": "running"},
    "Config": {"Image": "rancher/server:v1.6.30", "Cmd": None, "Env": ["A=1=2"]},
}
FAKE = """#!/bin/sh
echo "$@" >> {folder}/calls
echo "$NAME" >> {folder}/environment
test -f {folder}/$1.out && cat {folder}/$1.out
test -f {folder}/$1.err && cat {folder}/$1.err >&2
exit $(cat {folder}/$1.code 2>/dev/null || echo 0)
"""


class Client:
    """A `docker` on the path that records its calls and answers with files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "docker"
        program.write_text(FAKE.format(folder=folder))
        program.chmod(0o755)

    def answer(self, command: str, out: str = "", err: str = "", code: int = 0) -> None:
        for suffix, text in (("out", out), ("err", err), ("code", str(code))):
            (self.folder / f"{command}.{suffix}").write_text(text)

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return Client(tmp_path)


def test_a_container_that_is_not_there_is_none(client):
    client.answer("ps", out="")

    assert docker.find("rancher-server") is None
    assert client.calls == ["ps --all --quiet --no-trunc --filter name=^/rancher-server$"]


def test_a_container_is_described(client):
    client.answer("ps", out="abc\n")
    client.answer("inspect", out=json.dumps([DESCRIPTION]))

    found = docker.find("rancher-server")

    assert found == docker.Container("abc", "rancher/server:v1.6.30", (), {"A": "1=2"}, "running")
    assert found.is_running


def test_a_description_of_another_form_is_told_without_its_content(client):
    client.answer("ps", out="abc\n")
    client.answer("inspect", out='[{"Env": ["PASSWORD=s3cret"]}]')

    with pytest.raises(NotYetError, match="unknown form") as caught:
        docker.find("rancher-server")
    assert "s3cret" not in str(caught.value)


def test_values_travel_in_the_environment_not_on_the_command_line(client):
    docker.run(["--detach", "image"], {"NAME": "s3cret"}, timeout_s=10)

    assert client.calls == ["run --env NAME --detach image"]
    assert (client.folder / "environment").read_text() == "s3cret\n"


def test_a_failure_is_told_in_dockers_words_without_the_values(client):
    client.answer("run", err="docker: no such thing as s3cret\n", code=125)

    with pytest.raises(NotYetError) as caught:
        docker.run(["image"], {"NAME": "s3cret"}, timeout_s=10)
    assert str(caught.value) == "docker run ended with 125: docker: no such thing as ***"


def test_a_command_that_hangs_is_ended(client):
    (client.folder / "docker").write_text("#!/bin/sh\nexec sleep 30\n")

    with pytest.raises(NotYetError, match="docker run took longer than 0 s"):
        docker.run(["image"], {}, timeout_s=0.1)


def test_an_image_that_is_there_is_not_pulled(client):
    client.answer("images", out="0123\n")
    docker.pull_if_missing("rancher/server:v1.6.30", timeout_s=10)

    assert client.calls == ["images --quiet rancher/server:v1.6.30"]


def test_an_image_that_is_missing_is_pulled(client):
    docker.pull_if_missing("rancher/server:v1.6.30", timeout_s=10)

    assert client.calls[1:] == ["pull --quiet rancher/server:v1.6.30"]


def test_a_machine_without_docker_is_a_failure_for_good(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NodeError, match="docker is not on this machine") as caught:
        docker.find("rancher-server")
    assert not isinstance(caught.value, NotYetError)


def test_containers_are_started_and_removed_by_id(client):
    container = docker.Container("abc", "image", (), {}, "exited")
    docker.start(container)
    docker.remove(container)

    assert client.calls == ["start abc", "rm --force abc"]
