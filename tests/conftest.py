"""What holds for all tests."""

import os
import signal

import pytest

LONGEST_FIRST = ("stage", "day_two", "herd", "images", "prefect")
"""Groups of tests that one worker plays one after another, the longest first.

They are handed out in this order, so that the longest does not begin when all others are done.
"""

# moto brings 1300 public images along, which takes longer to make than all else in a fresh moto.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
# Flows without a server start one of their own, which takes its time beside whole builds.
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "180")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take `--nightly`, for the histories that are too long for every change."""
    parser.addoption("--nightly", action="store_true", help="play the long histories")


def pytest_configure() -> None:
    """Let processes that tests start hear SIGINT, although whoever started us ignores it.

    A shell starts what it puts into the background that way, and programs pass it on.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the groups that take long before everything else."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    marker = item.get_closest_marker("xdist_group")
    group = marker.args[0] if marker else ""
    return LONGEST_FIRST.index(group) if group in LONGEST_FIRST else len(LONGEST_FIRST)
