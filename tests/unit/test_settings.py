"""Settings of this installation."""

from pathlib import Path

import pytest

from corral.errors import PrerequisiteError
from corral.settings import PROJECT, load_settings


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
