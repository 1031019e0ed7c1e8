"""The roles make of a bare Debian what a machine has to be, and nobody in particular."""

import re

import pytest

from corral.settings import PROJECT
from tests.images.conftest import IDENTITIES, Player
from tests.images.depot import DOCKER
from tests.images.root import Root

pytestmark = [
    pytest.mark.images,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("images"),
]

UNITS = [path.name for path in sorted((PROJECT / "node" / "systemd").glob("*.service"))]


def test_what_made_the_builder_somebody_is_gone(image: Root):
    assert [path for path in IDENTITIES if image.has(path)] == []
    assert image.read("/etc/machine-id") == ""


def test_docker_is_the_one_that_rancher_supports_although_newer_ones_are_offered(image: Root):
    shown = image.run("dpkg-query", "--show", "docker-ce", "docker-ce-cli", "containerd.io")

    assert dict(line.split("\t") for line in shown.splitlines()) == {
        "containerd.io": "1.4.13-1",
        "docker-ce": DOCKER,
        "docker-ce-cli": DOCKER,
    }
    assert image.run("apt-mark", "showhold").split() == [
        "containerd.io",
        "docker-ce",
        "docker-ce-cli",
    ]


def test_debians_own_docker_cannot_come_instead(image: Root):
    image.run("apt-get", "update")

    assert "Candidate: (none)" in image.run("apt-cache", "policy", "docker.io")


def test_the_machine_boots_with_control_groups_of_version_1(image: Root):
    assert image.read("/boot/cmdline") == "quiet systemd.unified_cgroup_hierarchy=0\n"


def test_the_firewall_speaks_what_the_containers_of_ranchers_network_speak(image: Root):
    assert "(legacy)" in image.run("iptables", "--version")
    assert "(legacy)" in image.run("ip6tables", "--version")


@pytest.mark.parametrize("unit", [*UNITS, "corral-instance-disk.service", "docker.service"])
def test_systemd_takes_the_unit(image: Root, unit: str):
    verify = ("systemd-analyze", "verify", "--man=no", unit)

    assert image.run(*verify) == ""


@pytest.mark.parametrize(
    ("unit", "state"),
    [
        ("corral-serve.service", "disabled"),
        ("corral-join.service", "disabled"),
        ("corral-leave.service", "static"),
        ("corral-instance-disk.service", "enabled"),
        ("docker.service", "enabled"),
        ("chrony.service", "enabled"),
        ("amazon-ssm-agent.service", "enabled"),
        ("amazon-cloudwatch-agent.service", "enabled"),
    ],
)
def test_a_unit_starts_with_the_machine_or_waits_for_user_data(image: Root, unit: str, state: str):
    assert image.run("systemctl", "is-enabled", unit, fails=state == "disabled") == f"{state}\n"


def test_a_first_boot_does_not_enable_what_waits_for_user_data(image: Root):
    image.run("systemctl", "preset", "corral-serve.service", "corral-join.service")

    assert image.run("systemctl", "is-enabled", "corral-join.service", fails=True) == "disabled\n"
    assert image.run("systemctl", "is-enabled", "corral-serve.service", fails=True) == "disabled\n"


def test_the_program_runs(image: Root):
    assert "serve" in image.run("/opt/corral-node/bin/corral-node", "--help")


def test_the_program_names_what_its_configuration_lacks(image: Root):
    image.write("/etc/corral/test.json", '{"region": "eu-west-1"}')
    said = image.run(
        *(
            "env",
            "CORRAL_NODE_CONFIG=/etc/corral/test.json",
            "/opt/corral-node/bin/corral-node",
            "join",
        ),
        fails=True,
    )

    assert "rancher_url" in said
    assert "Traceback" not in said


def test_the_program_has_the_steps_that_the_flows_have(image: Root):
    installed = image.run(
        "sh", "-c", "cat /opt/corral-node/lib/python3.*/site-packages/corral_node/steps.py"
    )

    assert installed == (PROJECT / "corral" / "domain" / "steps.py").read_text()


def test_the_authorities_of_the_database_are_known(image: Root):
    assert "BEGIN CERTIFICATE" in image.read("/etc/corral/database-ca.pem")


def test_an_operator_logs_in_with_a_key_and_becomes_root_without_a_password(image: Root):
    assert image.read("/home/ada/.ssh/authorized_keys").startswith("ssh-ed25519 ")
    assert image.run("stat", "--format", "%U %a", "/home/ada/.ssh/authorized_keys") == "ada 600\n"
    assert "NOPASSWD" in image.run("sudo", "--list", "--other-user=ada")
    assert image.run("passwd", "--status", "ada").split()[1] == "L"


def test_nobody_logs_in_with_a_password_or_as_root(image: Root):
    own_keys = ("-h", "/etc/corral-test/host_key")  # the image has none until it boots
    told = image.run("/usr/sbin/sshd", "-T", *own_keys).splitlines()

    assert {
        "passwordauthentication no",
        "permitrootlogin no",
        "kbdinteractiveauthentication no",
    } <= set(told)


def test_upgrades_come_for_security_and_never_for_docker(image: Root):
    told = image.run("apt-config", "dump")

    origins = re.findall(r'Origins-Pattern:: "(.*)"', told)
    assert origins == ["origin=Debian,codename=${distro_codename}-security,label=Debian-Security"]
    assert {"^docker-ce", r"^containerd\.io$"} <= set(
        re.findall(r'Package-Blacklist:: "(.*)"', told)
    )


@pytest.mark.usefixtures("image")
def test_a_second_play_changes_nothing(player: Player):
    played = player.play()

    assert re.findall(r"changed=(\d+)", played) == ["0"], played
