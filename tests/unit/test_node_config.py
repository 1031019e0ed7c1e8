"""What user data may say, and how its faults are told."""

import json
from pathlib import Path

import pytest
from corral_node.config import config_path, read_join_config, read_serve_config
from corral_node.errors import ConfigurationError

JOIN = {
    "region": "eu-west-1",
    "rancher_url": "https://rancher.example.org/",
    "secret_id": "blue/environments/default",
    "environment": "default",
    "labels": {"role": "web"},
    "deadline_s": 600,
}
SERVE = {
    "region": "eu-west-1",
    "image": "rancher/server:v1.6.30",
    "database": {"host": "db", "port": 3306, "name": "c", "username": "u", "secret_id": "s"},
}


def written(tmp_path: Path, config: object) -> Path:
    path = tmp_path / "node.json"
    path.write_text(json.dumps(config))
    return path


def test_a_complete_file_is_read(tmp_path):
    assert read_serve_config(written(tmp_path, SERVE)).database.port == 3306
    assert read_join_config(written(tmp_path, JOIN)).rancher_url == "https://rancher.example.org"


def test_every_fault_is_told_at_once(tmp_path):
    config = {**SERVE, "region": "", "database": {**SERVE["database"], "port": "x", "host": None}}

    with pytest.raises(ConfigurationError) as caught:
        read_serve_config(written(tmp_path, config))

    assert "region has to be a text" in str(caught.value)
    assert "database.host has to be a text" in str(caught.value)
    assert "database.port has to be a whole number from 1 to 65535" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        pytest.param({"labels": {}}, "labels.role has to be", id="no-role"),
        pytest.param({"labels": {"role": 1}}, "labels has to be an object of texts", id="number"),
        pytest.param({"rancher_url": "rancher"}, "rancher_url has to be an address", id="no-url"),
        pytest.param({"deadline_s": 0}, "deadline_s has to be", id="no-deadline"),
        pytest.param({"deadline_s": 9999}, "from 1 to 1500", id="later-than-systemds"),
        pytest.param({"deadline_s": True}, "deadline_s has to be", id="no-number"),
    ],
)
def test_a_wrong_field_is_refused_with_its_rule(tmp_path, change, fault):
    with pytest.raises(ConfigurationError, match=fault):
        read_join_config(written(tmp_path, {**JOIN, **change}))


@pytest.mark.parametrize("config", [[], "text", None])
def test_a_file_that_is_no_object_is_refused(tmp_path, config):
    with pytest.raises(ConfigurationError, match="is wrong: the file has to be an object"):
        read_join_config(written(tmp_path, config))


def test_a_missing_file_says_who_should_have_written_it(tmp_path):
    with pytest.raises(ConfigurationError, match="user data should have written it"):
        read_join_config(tmp_path / "node.json")


def test_a_file_that_is_no_json_is_refused(tmp_path):
    path = tmp_path / "node.json"
    path.write_text("{")

    with pytest.raises(ConfigurationError, match="cannot be read as JSON"):
        read_join_config(path)


def test_the_file_is_named_by_the_environment_or_is_the_usual_one(monkeypatch):
    monkeypatch.setenv("CORRAL_NODE_CONFIG", "/elsewhere.json")
    assert config_path() == Path("/elsewhere.json")

    monkeypatch.delenv("CORRAL_NODE_CONFIG")
    assert config_path() == Path("/etc/corral/node.json")
