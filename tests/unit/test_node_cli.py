"""The command line: exit codes and the one sentence."""

import json

import pytest
from corral_node import cli
from corral_node.errors import ConfigurationError, DeadlineError, NodeError


def fail_with(error: Exception):
    def verb(_path) -> None:
        raise error

    return verb


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NodeError("broken"), 1),
        (DeadlineError("too late"), 75),
        (ConfigurationError("wrong"), 78),
    ],
)
def test_each_failure_has_its_exit_code_and_one_sentence(monkeypatch, caplog, error, code):
    monkeypatch.setitem(cli.VERBS, "join", fail_with(error))

    assert cli.main(["join"]) == code
    assert caplog.messages == [f"join failed: {error}"]
    assert caplog.records[0].exc_info is None


def test_success_is_zero(monkeypatch):
    monkeypatch.setitem(cli.VERBS, "serve", lambda _path: None)

    assert cli.main(["serve"]) == 0


@pytest.mark.parametrize("arguments", [[], ["dance"]])
def test_an_unknown_verb_is_a_usage_error(arguments):
    with pytest.raises(SystemExit, match="2"):
        cli.main(arguments)


@pytest.mark.parametrize("verb", ["serve", "join"])
def test_a_wrong_configuration_ends_before_anything_is_asked(monkeypatch, tmp_path, caplog, verb):
    path = tmp_path / "node.json"
    path.write_text(json.dumps({"region": 1}))
    monkeypatch.setenv("CORRAL_NODE_CONFIG", str(path))

    assert cli.main([verb]) == 78
    assert f"{verb} failed: {path} is wrong: region has to be a text" in caplog.text
