"""Settings of this installation."""

import json
from pathlib import Path
from traceback import format_exception

import pytest

from corral.errors import PrerequisiteError
from corral.settings import PROJECT, Settings, load_settings
from flows import renew_registries, rotate_keys


def test_a_relative_path_is_relative_to_the_repository(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CORRAL_CLUSTERS_DIR", "my/clusters")
    monkeypatch.setenv("CORRAL_TERRAFORM", "bin/tofu")
    monkeypatch.setenv("CORRAL_WORK_DIR", str(tmp_path))

    settings = load_settings()

    assert settings.clusters_dir == PROJECT / "my" / "clusters"
    assert settings.terraform == PROJECT / "bin" / "tofu"
    assert settings.work_dir == tmp_path


def test_all_bad_settings_are_named_in_one_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CORRAL_GATE_PASSES", "three")
    monkeypatch.setenv("CORRAL_LOCK_WAIT_S", "-1")

    with pytest.raises(PrerequisiteError) as caught:
        load_settings()

    assert "CORRAL_GATE_PASSES is 'three': Input should be a valid integer" in str(caught.value)
    assert "CORRAL_LOCK_WAIT_S is '-1': Input should be greater than" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (["pagerduty://S3CRET@x"], "CORRAL_ALERT_URLS: Input should be a valid dictionary"),
        ({"chat": ["slack://S3CRET"]}, "CORRAL_ALERT_URLS, chat: Input should be a valid string"),
    ],
    ids=["list", "list-in-it"],
)
def test_a_wrong_setting_that_is_a_secret_is_not_quoted(monkeypatch, value, told):
    monkeypatch.setenv("CORRAL_ALERT_URLS", json.dumps(value))

    with pytest.raises(PrerequisiteError, match=told) as caught:
        load_settings()

    assert "S3CRET" not in "".join(format_exception(caught.value))


def test_a_setting_that_is_no_json_is_named_and_not_quoted(monkeypatch):
    monkeypatch.setenv("CORRAL_ALERT_URLS", "pagerduty=pagerduty://S3CRET")

    with pytest.raises(PrerequisiteError, match="use: CORRAL_ALERT_URLS is no JSON") as caught:
        load_settings()

    assert caught.value.__cause__ is None
    assert "S3CRET" not in "".join(format_exception(caught.value))


@pytest.mark.parametrize("flow", [renew_registries, rotate_keys])
def test_who_waits_longest_for_its_turn_has_minutes_left_for_its_work(monkeypatch, flow):
    longest = flow.LONGEST.total_seconds() - 600
    monkeypatch.setenv("CORRAL_TURN_DEADLINE_S", f"{longest:.0f}")
    assert Settings().turn_deadline_s == longest

    monkeypatch.setenv("CORRAL_TURN_DEADLINE_S", f"{longest + 1:.0f}")
    with pytest.raises(PrerequisiteError, match="CORRAL_TURN_DEADLINE_S is '3001'"):
        load_settings()
