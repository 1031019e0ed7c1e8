"""`python -m lab`: put the lab up, point a shell at it, or show everything at once."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.ready import NotReadyError, Ready

DEFAULT_SCALE = 10.0


def _scale(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("a time scale is greater than 0")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    up = commands.add_parser("up", help="run the lab in the foreground until SIGTERM or Ctrl-C")
    up.add_argument("--ready-file", type=Path, required=True, help="appears when the lab is ready")
    up.add_argument("--port-base", type=int, default=0, help="first of six ports; 0: any free ones")

    env = commands.add_parser("env", help="print exports that point a shell at a running lab")
    env.add_argument("ready_file", type=Path)

    demo = commands.add_parser("demo", help="the lab, Prefect, a build, and what came of it")
    demo.add_argument("--stay", action="store_true", help="keep everything up until Ctrl-C")

    for command in (up, demo):
        command.add_argument(
            "--time-scale",
            type=_scale,
            default=DEFAULT_SCALE,
            help="how many times faster than in reality machines and Rancher are",
        )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the exit code."""
    given = _parser().parse_args(arguments)
    if given.command == "up":
        from lab.up import up  # noqa: PLC0415 - `env` need not wait for moto to load

        try:
            up(given.ready_file, given.time_scale, given.port_base)
        except OSError as error:
            print(f"the lab could not start: {error}", file=sys.stderr)
            return 1
        return 0
    if given.command == "demo":
        from lab.demo import demo  # noqa: PLC0415 - as above

        return demo(stay=given.stay, time_scale=given.time_scale)
    try:
        print(Ready.read(given.ready_file).shell(), end="")
    except NotReadyError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
