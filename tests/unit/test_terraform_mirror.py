from pathlib import Path

import pytest

from corral.clients.terraform.mirror import (
    Package,
    ProviderSource,
    find_source,
    write_configuration,
)
from corral.errors import PrerequisiteError

REGISTRY = "registry.terraform.io"
PACKAGE = Package(REGISTRY, "5.100.0", "linux_amd64")


def make_mirror(place: Path, *, unpacked: bool = True, build: str = "5.100.0/linux_amd64") -> Path:
    versions = place / REGISTRY / "hashicorp" / "aws"
    if unpacked:
        (versions / build).mkdir(parents=True)
        return place
    versions.mkdir(parents=True)
    (versions / "terraform-provider-aws_5.100.0_linux_amd64.zip").write_text("")
    return place


def find(place: Path, configured: Path | None = None, **environment: str) -> ProviderSource:
    return find_source(configured, PACKAGE, environment, [place])


others = pytest.mark.parametrize("build", ["5.99.0/linux_amd64", "5.100.0/darwin_arm64"])


@pytest.mark.parametrize("below", ["", "tf-plugins"], ids=["one-level", "two-levels"])
def test_a_mirror_below_a_usual_place_is_found(tmp_path, below):
    mirror = make_mirror(tmp_path / below)

    assert find(tmp_path).mirror == mirror


def test_without_a_mirror_the_registry_is_asked(tmp_path):
    source = find(tmp_path)

    assert source.mirror is None
    assert source.needs_cache
    assert write_configuration(source, tmp_path) is None


def test_a_mirror_without_the_provider_is_none(tmp_path):
    (tmp_path / "x" / REGISTRY / "hashicorp" / "random").mkdir(parents=True)

    assert find(tmp_path).mirror is None


@others
def test_a_mirror_with_another_build_is_passed_over(tmp_path, build):
    make_mirror(tmp_path / "a", build=build)

    assert find(tmp_path).mirror is None
    assert find(make_mirror(tmp_path / "b").parent).mirror == tmp_path / "b"


@others
def test_a_configured_mirror_with_another_build_is_refused(tmp_path, build):
    with pytest.raises(PrerequisiteError, match=r"hashicorp/aws 5\.100\.0 for linux_amd64 is not"):
        find(tmp_path, make_mirror(tmp_path / "mine", build=build))


def test_the_configured_mirror_is_taken_before_any_other(tmp_path):
    make_mirror(tmp_path / "found")
    mine = make_mirror(tmp_path / "a" / "b" / "mine")

    assert find(tmp_path, mine).mirror == mine


def test_a_configured_mirror_without_the_provider_is_refused(tmp_path):
    with pytest.raises(PrerequisiteError, match="CORRAL_PROVIDER_MIRROR is"):
        find(tmp_path, tmp_path / "nowhere")


def test_an_operators_own_configuration_is_left_in_charge(tmp_path):
    make_mirror(tmp_path / "found")
    own = tmp_path / "own.tfrc"
    own.write_text("")

    assert find(tmp_path, TF_CLI_CONFIG_FILE=str(own)).mirror is None


def test_a_configuration_that_is_not_there_is_not_in_charge(tmp_path):
    mirror = make_mirror(tmp_path / "found")

    assert find(tmp_path, TF_CLI_CONFIG_FILE=str(tmp_path / "gone")).mirror == mirror


def test_plugins_in_the_operators_home_are_taken_before_those_of_all(tmp_path):
    make_mirror(tmp_path / "found")
    mine = make_mirror(tmp_path / "home" / ".terraform.d" / "plugins")

    assert find(tmp_path, HOME=str(tmp_path / "home")).mirror == mine


def test_what_is_unpacked_is_linked_and_needs_no_cache(tmp_path):
    assert not find(make_mirror(tmp_path / "x").parent).needs_cache


def test_archives_are_unpacked_once_into_a_cache(tmp_path):
    assert find(make_mirror(tmp_path / "x", unpacked=False).parent).needs_cache


def test_terraform_is_pointed_at_the_mirror_and_at_nothing_else(tmp_path):
    source = find(make_mirror(tmp_path / "x").parent)

    path = write_configuration(source, tmp_path / "work")

    assert path is not None
    assert f'path = "{tmp_path / "x"}"' in path.read_text()
    assert "direct" not in path.read_text()
    assert write_configuration(source, tmp_path / "work") == path
