"""One root for the whole session, on which the playbook is played."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from corral.settings import PROJECT
from tests.images.depot import Depot, run
from tests.images.kitchen import Bake, Kitchen
from tests.images.root import Root, new_root, why_not
from tests.lab.oven import Oven, lacking
from tests.lab.stage import set_stage

IMAGES = PROJECT / "images"
BIN = PROJECT / ".venv-images" / "bin"
PLAY_S = 1500

# What a machine has after it was somebody: the state of its agents, its keys, its logs.
IDENTITIES = [
    "/etc/corral/node.json",
    "/etc/docker/key.json",
    "/etc/hostname",
    "/etc/netplan/50-cloud-init.yaml",
    "/etc/ssh/ssh_host_ed25519_key",
    "/etc/ssh/ssh_host_rsa_key.pub",
    "/home/ada/.bash_history",
    "/home/admin/.bash_history",
    "/home/admin/.ssh/authorized_keys",
    "/opt/aws/amazon-cloudwatch-agent/logs/state/syslog",
    "/root/.bash_history",
    "/root/.python_history",
    "/root/.ssh/authorized_keys",
    "/tmp/left",  # noqa: S108  in the root
    "/var/lib/amazon/ssm/Vault/Store/RegistrationKey",
    "/var/lib/apt/lists/left",
    "/var/lib/cloud/instance/user-data.txt",
    "/var/lib/cloud/sem/config_scripts_per_once.once",
    "/var/lib/corral-node/parked",
    "/var/lib/dbus/machine-id",
    "/var/lib/dhcp/dhclient.eth0.leases",
    "/var/lib/docker/containers/rancher-agent-state/config.v2.json",
    "/var/lib/docker/containers/rancher-agent/config.v2.json",
    "/var/lib/docker/engine-id",
    "/var/lib/otelcol-sumo/credentials/collector",
    "/var/lib/rancher/etc/agent.conf",
    "/var/lib/rancher/state/.docker_uuid",
    "/var/lib/rancher/state/.physical_host_uuid",
    "/var/lib/rancher/state/.registration_token",
    "/var/lib/systemd/credential.secret",
    "/var/lib/systemd/random-seed",
    "/var/log/auth.log",
    "/var/log/cloud-init-output.log",
    "/var/log/journal/0123456789abcdef/system.journal",
]


class Player:
    """Plays the playbook on a root, the way Packer has it played on a builder."""

    def __init__(self, root: Root, key: Path, depot: Depot, folder: Path) -> None:
        self._root, self._key, self._folder = root, key, folder
        self.variables = variables_for(depot)

    def play(self) -> str:
        """Play all of it, and return what Ansible printed."""
        return self._run("ansible-playbook", str(IMAGES / "playbook.yml"))

    def role(self, name: str, *, fails: bool = False, **more: Any) -> str:
        """Play one role with other variables than the usual ones; None takes one away."""
        include = ("127.0.0.1", "--become", "--module-name", "ansible.builtin.include_role")
        return self._run("ansible", *include, "--args", f"name={name}", fails=fails, **more)

    def _run(self, program: str, *arguments: str, fails: bool = False, **more: Any) -> str:
        file = self._folder / "variables.json"
        told = self.variables | {"ansible_port": self._root.port} | more
        file.write_text(json.dumps({name: told[name] for name in told if told[name] is not None}))
        usual = ("--inventory", "127.0.0.1,", "--user", "admin", "--private-key", str(self._key))
        done = subprocess.run(
            [str(BIN / program), *usual, "--extra-vars", f"@{file}", *arguments],
            env=ansible_environment(self._folder), cwd=IMAGES, timeout=PLAY_S, check=False,
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert fails == bool(done.returncode), done.stdout[-6000:]
        return done.stdout


def ansible_environment(folder: Path) -> dict[str, str]:
    """Return the environment in which Ansible runs: its settings, and nothing in anybody's home."""
    return os.environ | {
        "ANSIBLE_CONFIG": str(IMAGES / "ansible.cfg"),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
    }


def variables_for(depot: Depot) -> dict[str, Any]:
    """Return variables under which the roles take everything from the depot."""
    url, fingerprints = depot.url, [depot.fingerprint]
    return {
        "base_server_operators": [
            {"name": "ada", "public_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ada@example.org"]}
        ],
        "base_server_ssm_agent_key": depot.public_key,
        "base_server_ssm_agent_url": f"{url}/amazon-ssm-agent.deb",
        "docker_host_repository": f"{url}/docker",
        "docker_host_key_url": f"{url}/key.asc",
        "docker_host_key_fingerprints": fingerprints,
        "corral_node_database_ca_url": f"{url}/rds.pem",
        "cloudwatch_agent_url": f"{url}/amazon-cloudwatch-agent.deb",
        "cloudwatch_agent_key_url": f"{url}/key.asc",
        "cloudwatch_agent_key_fingerprints": fingerprints,
        "logs_sumologic_repository": f"{url}/sumologic",
        "logs_sumologic_key_url": f"{url}/key.asc",
        "metrics_datadog_repository": f"{url}/datadog",
        "metrics_datadog_key_url": f"{url}/key.asc",
        "metrics_datadog_key_fingerprints": fingerprints,
    }


@pytest.fixture(scope="session")
def depot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Depot]:
    if reason := why_not():
        pytest.skip(f"the roles were not played: {reason}")
    found = Depot(tmp_path_factory.mktemp("depot"))
    with found.served():
        yield found


@pytest.fixture(scope="session")
def root_and_key(
    depot: Depot, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Root, Path]]:
    folder = tmp_path_factory.mktemp("machine")
    key = folder / "key"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    public = key.with_suffix(".pub").read_text()
    with new_root(folder, public, depot.certificate) as root:
        yield root, key


@pytest.fixture(scope="session")
def player(
    root_and_key: tuple[Root, Path], depot: Depot, tmp_path_factory: pytest.TempPathFactory
) -> Player:
    return Player(*root_and_key, depot, tmp_path_factory.mktemp("ansible"))


@dataclass(frozen=True)
class Bakes:
    """Both bakes of the session, of which the second fills the root."""

    before: dict[str, Any]
    """Our images before."""
    refused: Bake
    """One that was not told who the operators are."""
    done: Bake


@pytest.fixture(scope="session")
def bakes(
    root_and_key: tuple[Root, Path], depot: Depot, tmp_path_factory: pytest.TempPathFactory
) -> Bakes:
    if reason := lacking():
        pytest.skip(f"nothing was baked: {reason}")
    root, _ = root_and_key
    variables = variables_for(depot)
    with set_stage(tmp_path_factory.mktemp("kitchen")) as stage:
        kitchen = Kitchen(stage, root, BIN / "ansible-playbook", tmp_path_factory.mktemp("cluster"))
        before = Oven(stage).images()
        refused = kitchen.bake(variables | {"base_server_operators": None})
        root.write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
        for path in IDENTITIES:
            root.write(path, "somebody\n")
        return Bakes(before, refused, kitchen.bake(variables))


@pytest.fixture(scope="session")
def image(root_and_key: tuple[Root, Path], bakes: Bakes) -> Root:
    """A root on which a bake played all roles, after it had been somebody."""
    assert bakes.done.end.name == "Baked", bakes.done.end.message
    root, _ = root_and_key
    return root
