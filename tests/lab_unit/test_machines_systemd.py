"""The lab's systemd: programs started, restarted and ended as their unit says."""

import asyncio
from pathlib import Path

import pytest
from machines_surroundings import until

from lab.machines import services
from lab.machines.cloud_init import CloudInit
from lab.machines.systemd import Systemd, UnknownUnitError


class Box:
    """A root with one unit whose program is a shell script."""

    def __init__(self, root: Path, script: str, unit: str = "") -> None:
        self.root = root
        self.console: list[str] = []
        program = root / "bin/program"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\necho run >> {root}/runs\n{script}\n")
        program.chmod(0o755)
        folder = root / "etc/systemd/system"
        folder.mkdir(parents=True)
        text = f"[Service]\nExecStart=/bin/program\n{unit}\n[Install]\nWantedBy=multi-user.target\n"
        self.folder = folder
        (folder / "a.service").write_text(text)
        self.systemd = Systemd(
            root, {"PATH": "/usr/bin:/bin"}, root, speed=50.0, say=self.console.append
        )

    def add(self, name: str, unit: str) -> None:
        (self.folder / name).write_text(f"{unit}\n")

    def said(self, text: str) -> int:
        """Return at which line of the console it was said."""
        return next(number for number, line in enumerate(self.console) if text in line)

    @property
    def runs(self) -> int:
        path = self.root / "runs"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def state(self) -> str:
        return self.systemd.state("a.service")

    async def until_said(self, text: str) -> None:
        await until(lambda: any(text in line for line in self.console), text)


ONESHOT = "Type=oneshot\nRemainAfterExit=yes"


def test_a_oneshot_that_remains_is_active_once_its_program_has_ended(tmp_path):
    async def scenario() -> None:
        box = Box(tmp_path, "echo hello; echo $NAME >&2", f"{ONESHOT}\nEnvironment=NAME=value")
        box.systemd.start("a.service")
        assert box.state() == "activating"
        await until(lambda: box.state() == "active", "active")

        assert (tmp_path / "a.service.log").read_text() == "hello\nvalue\n"
        box.systemd.start("a.service")
        assert box.runs == 1, "an active unit is not started twice"

    asyncio.run(scenario())


def test_a_failure_is_started_again_until_the_limit(tmp_path):
    unit = f"{ONESHOT}\nRestart=on-failure\nRestartSec=1s\n[Unit]\nStartLimitIntervalSec=1h\n"

    async def scenario() -> None:
        box = Box(tmp_path, "exit 3", f"{unit}StartLimitBurst=3")
        box.systemd.start("a.service")
        await until(lambda: box.state() == "failed" and box.runs == 3, "the limit")

        assert "systemd: a.service is started again in 1 s" in box.console
        await box.until_said("start request repeated too quickly")
        assert box.runs == 3

    asyncio.run(scenario())


def test_a_prevented_exit_code_is_not_started_again(tmp_path):
    async def scenario() -> None:
        unit = f"{ONESHOT}\nRestart=on-failure\nRestartPreventExitStatus=78"
        box = Box(tmp_path, "exit 78", unit)
        box.systemd.start("a.service")
        await until(lambda: box.state() == "failed", "failed")
        await asyncio.sleep(0.1)

        assert box.runs == 1

    asyncio.run(scenario())


def test_a_program_that_takes_too_long_is_killed_with_its_children(tmp_path):
    async def scenario() -> None:
        box = Box(tmp_path, "sleep 60 & wait", f"{ONESHOT}\nTimeoutStartSec=5s")
        box.systemd.start("a.service")
        await until(lambda: box.state() == "failed", "the time-out", seconds=5)

        assert "systemd: a.service /bin/program ended with -14" in box.console

    asyncio.run(scenario())


def test_a_program_that_ignores_the_signal_is_killed(tmp_path):
    async def scenario() -> None:
        script = "trap '' TERM\nwhile :; do sleep 0.05; done"
        box = Box(tmp_path, script, f"{ONESHOT}\nTimeoutStopSec=5s")
        box.systemd.start("a.service")
        await until(lambda: box.runs, "the program")
        await asyncio.wait_for(box.systemd.stop(), 5)

        assert box.state() == "inactive"

    asyncio.run(scenario())


def test_at_shutdown_an_active_unit_runs_its_stop_command(tmp_path):
    async def scenario() -> None:
        box = Box(tmp_path, "", f"{ONESHOT}\nExecStop=/bin/program --leave")
        box.systemd.start("a.service")
        await until(lambda: box.state() == "active", "active")
        await box.systemd.stop()

        assert box.runs == 2

    asyncio.run(scenario())


def test_a_unit_starts_with_those_it_wants_and_after_those_it_has_to(tmp_path):
    async def scenario() -> None:
        box = Box(tmp_path, "sleep 0.1", f"{ONESHOT}\n[Unit]\nWants=b.service nobody.service")
        box.add(
            "b.service", f"[Unit]\nBefore=a.service\n[Service]\nExecStart=/bin/program\n{ONESHOT}"
        )
        box.systemd.start("a.service")
        await until(lambda: box.state() == "active", "active")

        assert box.systemd.state("b.service") == "active"
        assert box.said("b.service /bin/program ended") < box.said("a.service starting")

    asyncio.run(scenario())


def test_at_shutdown_what_started_first_stops_last(tmp_path):
    async def scenario() -> None:
        box = Box(tmp_path, "", f"{ONESHOT}\nExecStop=/bin/program\n[Unit]\nWants=b.service")
        box.add(
            "b.service", f"[Unit]\nBefore=a.service\n[Service]\n{ONESHOT}\nExecStop=/bin/program"
        )
        box.systemd.start("a.service")
        await until(lambda: box.state() == "active", "active")
        box.console.clear()
        await box.systemd.stop()

        assert box.said("a.service /bin/program ended") < box.said("b.service stopping")

    asyncio.run(scenario())


def test_a_unit_that_still_starts_is_ended_before_others_stop(tmp_path):
    async def scenario() -> None:
        trap = f"trap 'echo ended >> {tmp_path}/order; exit' TERM"
        script = f"{trap}\ntouch {tmp_path}/ready\nsleep 60 & wait"
        box = Box(tmp_path, script, f"{ONESHOT}\n[Unit]\nWants=b.service")
        box.add("b.service", f"[Unit]\nBefore=a.service\n[Service]\n{ONESHOT}\nExecStop=/bin/note")
        (tmp_path / "bin/note").write_text(f"#!/bin/sh\necho stopped >> {tmp_path}/order\n")
        (tmp_path / "bin/note").chmod(0o755)
        box.systemd.start("a.service")
        await until((tmp_path / "ready").exists, "the program")
        await box.systemd.stop()

        assert (tmp_path / "order").read_text() == "ended\nstopped\n"

    asyncio.run(scenario())


def test_a_stop_command_that_takes_too_long_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(services, "BEGINNING_S", 0.1)

    async def scenario() -> None:
        box = Box(tmp_path, "", f"{ONESHOT}\nExecStop=/bin/wait\nTimeoutStopSec=5s")
        (tmp_path / "bin/wait").write_text("#!/bin/sh\nexec sleep 60\n")
        (tmp_path / "bin/wait").chmod(0o755)
        box.systemd.start("a.service")
        await until(lambda: box.state() == "active", "active")
        await asyncio.wait_for(box.systemd.stop(), 5)

        assert "systemd: a.service /bin/wait ended with -14" in box.console

    asyncio.run(scenario())


def test_a_state_folder_outlives_its_unit(tmp_path):
    async def scenario() -> None:
        script = "echo x >> $STATE_DIRECTORY/kept"
        box = Box(tmp_path, script, f"{ONESHOT}\nStateDirectory=thing\nExecStop=/bin/program")
        box.systemd.start("a.service")
        await until(lambda: box.state() == "active", "active")
        await box.systemd.stop()

        assert (tmp_path / "var/lib/thing/kept").read_text() == "x\nx\n"
        assert (tmp_path / "var/lib/thing").stat().st_mode & 0o777 == 0o700

    asyncio.run(scenario())


def test_what_is_enabled_starts_at_the_next_boot(tmp_path):
    async def scenario() -> None:
        box = Box(tmp_path, "", ONESHOT)
        box.systemd.enable("a.service")
        box.systemd.boot()
        await until(lambda: box.state() == "active", "active")

    asyncio.run(scenario())


def test_a_missing_condition_skips_the_unit(tmp_path):
    async def scenario() -> None:
        box = Box(tmp_path, "", f"{ONESHOT}\n[Unit]\nConditionPathExists=/etc/no.json")
        box.systemd.start("a.service")
        await box.until_said("skipped: /etc/no.json does not exist")

        assert box.state() == "inactive"
        assert box.runs == 0

    asyncio.run(scenario())


def test_an_unknown_unit_is_refused(tmp_path):
    with pytest.raises(UnknownUnitError, match=r"b\.service does not exist"):
        Box(tmp_path, "").systemd.enable("b.service")


@pytest.mark.parametrize(
    ("user_data", "said"),
    [
        pytest.param("", "no user data", id="none"),
        pytest.param("#!/bin/sh\ntrue", "not obeyed: user data is no cloud-config", id="script"),
        pytest.param("#cloud-config\na: [", "failed: user data is no YAML", id="no-yaml"),
        pytest.param("#cloud-config\n- a", "failed: a cloud-config has to be a mapping", id="list"),
        pytest.param("#cloud-config\nusers: []", "not obeyed: users", id="other-key"),
        pytest.param(
            "#cloud-config\nruncmd: [[curl, x]]", "not obeyed: runcmd ['curl', 'x']", id="command"
        ),
        pytest.param(
            "#cloud-config\nruncmd: ['systemctl enable --now --no-block b.service']",
            "failed: systemctl: Unit file b.service does not exist.",
            id="unknown-unit",
        ),
        pytest.param(
            "#cloud-config\nwrite_files: [{path: /../../x, content: x}]",
            "failed: /../../x is outside of the machine",
            id="outside",
        ),
    ],
)
def test_what_user_data_asks_in_vain_is_told(tmp_path, user_data, said):
    box = Box(tmp_path, "")
    CloudInit(tmp_path, box.systemd, box.console.append).obey(user_data)

    assert any(f"cloud-init: {said}" in line for line in box.console)


def test_user_data_writes_files_with_their_permissions(tmp_path):
    box = Box(tmp_path, "")
    CloudInit(tmp_path, box.systemd, box.console.append).obey(
        "#cloud-config\nwrite_files: [{path: /etc/x/y.json, permissions: '0600', content: text}]"
    )

    assert (tmp_path / "etc/x/y.json").read_text() == "text"
    assert (tmp_path / "etc/x/y.json").stat().st_mode & 0o777 == 0o600
