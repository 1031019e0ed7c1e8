"""`corral-node VERB`: runs one verb, and ends with one sentence and an exit code if it fails."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from corral_node.config import config_path, read_join_config, read_serve_config
from corral_node.errors import NodeError
from corral_node.join import join
from corral_node.leave import leave
from corral_node.memory import Memory
from corral_node.serve import serve

log = logging.getLogger("corral_node")

AUTHORITY = "database-ca.pem"
"""Beside the configuration; the image brings it."""


def run_serve(path: Path) -> None:
    """Make this machine a Rancher server."""
    serve(read_serve_config(path), path.with_name(AUTHORITY))


def run_join(path: Path) -> None:
    """Make this machine a container host."""
    join(read_join_config(path), Memory.of_machine())


def run_leave(path: Path) -> None:
    """Take this machine, which is shutting down, out of its environment."""
    leave(read_join_config(path), Memory.of_machine())


VERBS: dict[str, Callable[[Path], None]] = {
    "serve": run_serve,
    "join": run_join,
    "leave": run_leave,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code."""
    verb = _parse(arguments)
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(message)s"
    )
    log.setLevel(logging.INFO)
    try:
        VERBS[verb](config_path())
    except NodeError as error:
        log.error("%s failed: %s", verb, error)  # noqa: TRY400 - a sentence, not a traceback
        return error.exit_code
    return 0


def _parse(arguments: Sequence[str] | None) -> str:
    parser = argparse.ArgumentParser(prog="corral-node", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, run in VERBS.items():
        verbs.add_parser(name, help=run.__doc__)
    verb: str = parser.parse_args(arguments).verb
    return verb
