import json
from pathlib import Path

import pytest

from corral.clients.terraform import find_engine
from corral.errors import PrerequisiteError
from tests.engine.stub_engine import StubEngine


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An almost empty search path; the engines under test are put on it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def put(path: Path, name: str, version: str) -> StubEngine:
    engine = StubEngine(path.parent / f"engine-of-{name}")
    engine.play(version={"stdout": json.dumps({"terraform_version": version})})
    (path / name).symlink_to(engine.path)
    return engine


def test_terraform_on_the_path_is_taken(path, tmp_path):
    put(path, "terraform", "1.11.4")

    assert str(find_engine(None, tmp_path)) == f"terraform 1.11.4 ({path / 'terraform'})"


def test_opentofu_is_taken_where_there_is_no_terraform(path, tmp_path):
    put(path, "tofu", "1.11.0")

    engine = find_engine(None, tmp_path)

    assert engine.name == "tofu"
    assert engine.registry == "registry.opentofu.org"


def test_a_new_opentofu_is_taken_before_an_old_terraform(path, tmp_path):
    put(path, "terraform", "1.5.7")
    put(path, "tofu", "1.12.1")

    assert find_engine(None, tmp_path).name == "tofu"


@pytest.mark.parametrize("version", ["1.10.5", "1.5.7", "0.15.0"])
def test_too_old_an_engine_is_refused_with_both_versions(path, tmp_path, version):
    put(path, "terraform", version)

    with pytest.raises(PrerequisiteError) as caught:
        find_engine(None, tmp_path)

    assert f"terraform {version}" in str(caught.value)
    assert "need 1.11 or newer" in str(caught.value)


@pytest.mark.parametrize("version", ["1.11.0", "1.11.0-rc1", "1.12.0", "2.0.0"])
def test_new_enough_is_new_enough(path, tmp_path, version):
    put(path, "terraform", version)

    assert find_engine(None, tmp_path).version == version


def test_the_configured_engine_is_taken_before_any_other(path, tmp_path):
    put(path, "terraform", "1.11.4")
    mine = StubEngine(tmp_path / "mine", version={"stdout": '{"terraform_version": "1.13.0"}'})

    assert find_engine(mine.path, tmp_path).version == "1.13.0"


def test_a_configured_engine_that_is_not_there_is_said(tmp_path):
    with pytest.raises(PrerequisiteError, match="check CORRAL_TERRAFORM"):
        find_engine(tmp_path / "nowhere", tmp_path)


def test_a_program_that_is_no_terraform_is_said(path, tmp_path):
    engine = put(path, "terraform", "1.11.4")
    engine.play(version={"stdout": "GNU Terraform 3", "code": 0})

    with pytest.raises(PrerequisiteError, match="does not answer `version -json`"):
        find_engine(None, tmp_path)


@pytest.mark.parametrize("version", ["dev", "", "v1", "one.eleven"])
def test_a_version_that_is_none_is_said(path, tmp_path, version):
    put(path, "terraform", version)

    with pytest.raises(PrerequisiteError, match="tells nothing of its age"):
        find_engine(None, tmp_path)


def test_an_answer_of_another_shape_is_said(path, tmp_path):
    put(path, "terraform", "1.11.4").play(version={"stdout": "[]"})

    with pytest.raises(PrerequisiteError, match="does not answer `version -json`"):
        find_engine(None, tmp_path)


def test_the_engine_itself_says_what_platform_it_is_for(path, tmp_path):
    answer = json.dumps({"terraform_version": "1.12.0", "platform": "darwin_arm64"})
    put(path, "terraform", "1.12.0").play(version={"stdout": answer})

    assert find_engine(None, tmp_path).platform == "darwin_arm64"


def test_no_engine_at_all_is_said_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    with pytest.raises(PrerequisiteError, match="No Terraform is installed"):
        find_engine(None, tmp_path)
