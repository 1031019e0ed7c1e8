"""Whether the provider can be had is found out before anything is changed."""

import shutil
import socket
from pathlib import Path

import pytest
import requests
import responses

from corral.clients.terraform import Engine, check_provider
from corral.clients.terraform.mirror import Package
from corral.errors import PrerequisiteError
from corral.settings import PROJECT, Settings

ENGINE = Engine(Path("/bin/terraform"), "terraform", "1.11.4", "linux_arm64")
PACKAGE = Package.of(ENGINE, PROJECT / "terraform")
URL = (
    "https://registry.terraform.io/v1/providers/hashicorp/aws/"
    f"{PACKAGE.version}/download/linux/arm64"
)
BUILD = f"registry.terraform.io/hashicorp/aws/{PACKAGE.version}/linux_arm64"


@pytest.fixture(autouse=True)
def _no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    monkeypatch.delenv("CORRAL_PROVIDER_MIRROR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def check(root: Path, mirror: Path | None = None) -> str:
    return check_provider(
        ENGINE, Settings(work_dir=root / "work", provider_mirror=mirror), places=[root / "opt"]
    )


def test_a_registry_that_has_it_is_enough(tmp_path):
    with responses.RequestsMock() as web:
        web.get(URL, json={})

        assert check(tmp_path).endswith("from registry.terraform.io")


def test_with_a_mirror_the_registry_is_not_asked(tmp_path):
    (tmp_path / "opt" / "plugins" / BUILD).mkdir(parents=True)

    with responses.RequestsMock():
        assert check(tmp_path).endswith(f"from {tmp_path / 'opt' / 'plugins'}")


def test_an_empty_mirror_is_refused(tmp_path):
    with pytest.raises(PrerequisiteError, match="CORRAL_PROVIDER_MIRROR is"):
        check(tmp_path, tmp_path)


def test_a_registry_behind_a_closed_port_is_said_with_what_to_do(tmp_path, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and never listens
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{closed.getsockname()[1]}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)

        with pytest.raises(PrerequisiteError) as caught:
            check(tmp_path)

    assert "registry.terraform.io does not answer (ProxyError)" in str(caught.value)
    assert "set CORRAL_PROVIDER_MIRROR" in str(caught.value)


@pytest.mark.parametrize(("status", "said"), [(404, "does not have it"), (503, "answered 503")])
def test_a_registry_without_it_is_said(tmp_path, status, said):
    with responses.RequestsMock() as web:
        web.get(URL, status=status)

        with pytest.raises(PrerequisiteError, match=said):
            check(tmp_path)


def test_the_plugin_cache_is_enough_while_the_registry_is_silent(tmp_path):
    (tmp_path / "work" / ".plugins" / BUILD).mkdir(parents=True)

    with responses.RequestsMock() as web:
        web.get(URL, body=requests.ConnectTimeout())

        assert "from the plugin cache, since" in check(tmp_path)


def test_whose_certificates_are_trusted_is_left_to_terraform(tmp_path):
    with responses.RequestsMock() as web:
        web.get(URL, body=requests.exceptions.SSLError())

        assert check(tmp_path)


def test_an_operators_own_configuration_is_left_in_charge(tmp_path):
    (tmp_path / ".terraformrc").write_text("")

    with responses.RequestsMock():
        assert "Terraform's own configuration" in check(tmp_path)


def test_stacks_without_a_pin_are_said(tmp_path):
    shutil.copytree(PROJECT / "terraform" / "base", tmp_path / "base")
    pin = tmp_path / "base" / "versions.tf"
    pin.write_text(pin.read_text().replace('version = "= ', 'version = "~> '))

    with pytest.raises(PrerequisiteError, match="does not pin the version of hashicorp/aws"):
        Package.of(ENGINE, tmp_path)
