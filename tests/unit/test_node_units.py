"""The systemd units: what they promise, and that systemd itself accepts them."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from corral_node import alerts, config, leave
from corral_node.errors import ConfigurationError

FOLDER = Path(__file__).parents[2] / "node" / "systemd"
VERBS = ["serve", "join"]
UNITS = [*VERBS, "leave"]


def read(verb: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(strict=True, interpolation=None)
    unit.optionxform = str
    unit.read(FOLDER / f"corral-{verb}.service")
    return unit


@pytest.mark.parametrize("verb", VERBS)
def test_a_unit_starts_its_verb_once_network_and_docker_are_there(verb):
    unit = read(verb)

    assert unit["Service"]["ExecStart"] == f"/opt/corral-node/bin/corral-node {verb}"
    assert unit["Service"]["Type"] == "oneshot"
    assert unit["Service"]["RemainAfterExit"] == "yes"
    assert unit["Unit"]["After"].split() == ["network-online.target", "docker.service"]
    assert "Requires" not in unit["Unit"], "a restart of Docker must not stop the unit"


@pytest.mark.parametrize("verb", VERBS)
def test_a_unit_tries_again_but_not_for_ever_and_not_with_a_wrong_configuration(verb):
    unit = read(verb)

    assert unit["Service"]["Restart"] == "on-failure"
    assert int(unit["Unit"]["StartLimitBurst"]) <= 5
    assert unit["Service"]["RestartPreventExitStatus"] == str(ConfigurationError.exit_code)


def test_the_programs_own_deadline_ends_before_systemds():
    assert read("join")["Service"]["TimeoutStartSec"] == "30min"
    assert config.DEADLINE_HIGHEST_S + 300 <= 30 * 60


def test_leaving_comes_before_network_and_docker_stop_and_after_nobody_joins_any_more():
    unit = read("leave")

    assert unit["Unit"]["After"].split() == ["network-online.target", "docker.service"]
    assert unit["Unit"]["Before"].split() == ["corral-join.service"]
    assert unit["Service"]["ExecStop"] == "/opt/corral-node/bin/corral-node leave"
    assert "ExecStart" not in unit["Service"]
    assert unit["Service"]["RemainAfterExit"] == "yes"
    assert "corral-leave.service" in read("join")["Unit"]["Wants"].split()


def test_leaving_and_telling_people_end_before_systemd_kills_them():
    assert read("leave")["Service"]["TimeoutStopSec"] == "2min"
    assert leave.DEADLINE_S + leave.GRACE_S + alerts.CUT_OFF_S < 2 * 60
    assert leave.METADATA_S + leave.ASKING_S + leave.GRACE_S < leave.DEADLINE_S


def test_joining_and_leaving_remember_in_one_folder_and_write_nowhere_else():
    for verb in ("join", "leave"):
        service = read(verb)["Service"]
        assert (service["StateDirectory"], service["StateDirectoryMode"]) == ("corral-node", "0700")
        assert service["ProtectSystem"] == "strict"


@pytest.mark.parametrize("verb", UNITS)
def test_every_unit_has_as_few_rights_as_the_others(verb):
    hardening = {"NoNewPrivileges", "CapabilityBoundingSet", "PrivateTmp", "ProtectKernelModules"}

    assert hardening <= set(read(verb)["Service"])


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not on this machine")
@pytest.mark.parametrize("verb", UNITS)
def test_systemd_accepts_a_unit(tmp_path, verb):
    name = f"corral-{verb}.service"
    text = (FOLDER / name).read_text().replace("/opt/corral-node/bin/corral-node", sys.executable)
    (tmp_path / name).write_text(text)

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / name],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert name not in done.stderr
    assert done.returncode == 0
