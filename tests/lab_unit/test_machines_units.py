"""Unit files: what the lab's systemd understands of them."""

from math import inf
from pathlib import Path

import pytest

from lab.machines.units import UnitError, parse_span, parse_unit

FOLDER = Path(__file__).parents[2] / "node" / "systemd"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15", 15), ("15s", 15), ("1h 30min", 5400), ("2min 200ms", 120.2), ("infinity", inf)],
)
def test_a_time_span_is_read_as_systemd_does(text, seconds):
    assert parse_span(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "5 parsecs", "-3"])
def test_what_is_no_time_span_is_refused(text):
    with pytest.raises(UnitError, match="is no time span"):
        parse_span(text)


@pytest.mark.parametrize("verb", ["serve", "join"])
def test_the_units_of_the_image_are_understood(verb):
    name = f"corral-{verb}.service"
    unit = parse_unit(name, (FOLDER / name).read_text())

    assert unit.exec_start == (("/opt/corral-node/bin/corral-node", verb),)
    assert unit.is_oneshot
    assert unit.remain_after_exit
    assert (unit.restart_s, unit.start_timeout_s, unit.start_limit_burst) == (15, 1800, 5)
    assert unit.condition_paths == ("/etc/corral/node.json",)


def test_the_farewell_is_wanted_by_the_membership_and_stops_after_it():
    join, leave = (
        parse_unit(name, (FOLDER / name).read_text())
        for name in ("corral-join.service", "corral-leave.service")
    )

    assert leave.name in join.wants
    assert leave.starts_before(join)
    assert not join.starts_before(leave)
    assert leave.exec_start == ()
    assert leave.exec_stop == (("/opt/corral-node/bin/corral-node", "leave"),)
    assert leave.remain_after_exit
    assert leave.stop_timeout_s == 120
    assert join.state_directories == leave.state_directories == ("corral-node",)


def test_what_a_unit_does_not_say_has_systemds_defaults():
    simple = parse_unit("a.service", "[Service]\nExecStart=/bin/true\n")
    oneshot = parse_unit("a.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n")

    assert (simple.restart, simple.restart_s, simple.start_timeout_s) == ("no", 0.1, 90)
    assert oneshot.start_timeout_s == inf
    assert (simple.start_limit_interval_s, simple.start_limit_burst) == (10, 5)


def test_settings_add_up_and_an_empty_one_takes_them_back():
    unit = parse_unit(
        "a.service",
        "[Service]\nExecStart=/bin/false\nExecStart=\nExecStart=/bin/a 'b c'\n"
        "# a comment\nEnvironment=A=1 'B=2 3'\nEnvironment=C=4\n",
    )

    assert unit.exec_start == (("/bin/a", "b c"),)
    assert unit.environment == {"A": "1", "B": "2 3", "C": "4"}


@pytest.mark.parametrize("text", ["[Service]\nExecStart=-/bin/true", "[Service]\nnonsense"])
def test_what_it_does_not_understand_is_refused(text):
    with pytest.raises(UnitError):
        parse_unit("a.service", text)


@pytest.mark.parametrize(
    ("restart", "code", "again"),
    [
        ("no", 1, False),
        ("on-failure", 0, False),
        ("on-failure", 1, True),
        ("on-failure", -9, True),
        ("on-failure", 78, False),
        ("always", 0, True),
        ("always", 78, False),
    ],
)
def test_restart_follows_systemds_table(restart, code, again):
    unit = parse_unit(
        "a.service", f"[Service]\nRestart={restart}\nRestartPreventExitStatus=78 79\n"
    )

    assert unit.restarts_after(code) is again
