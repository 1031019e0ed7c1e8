"""The `docker` command on a lab machine: reads its arguments, has the daemon do it, tells the end.

Started as a program of its own with nothing but the standard library. As in Docker's own client,
`--env NAME` takes the value from the client's environment, and the daemon goes on when it dies.

Source: Docker CLI reference, docker run, "Exit status": 125 is Docker's own failure.
"""

import argparse
import http.client
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

RUN_FAILED = 125
FAILED = 1
DEFAULT_HOST = "tcp://127.0.0.1:2375"


class Parser(argparse.ArgumentParser):
    """Ends with the exit code and the words Docker has for a wrong argument."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end."""
        is_run = sys.argv[1:2] == ["run"]
        self.exit(RUN_FAILED if is_run else FAILED, f"{self.prog}: {message}\n")


def read_environment(entries: Sequence[str]) -> dict[str, str]:
    """Return variables given as `NAME=value`, or as `NAME` from this process's environment."""
    variables = {}
    for entry in entries:
        name, separator, value = entry.partition("=")
        if separator:
            variables[name] = value
        elif name in os.environ:
            variables[name] = os.environ[name]
    return variables


def build_parser() -> Parser:
    """Return what of Docker's command line this client knows."""
    parser = Parser(prog="docker", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, parser_class=Parser)
    _add_run(commands.add_parser("run", allow_abbrev=False))
    listing = commands.add_parser("ps", allow_abbrev=False)
    listing.add_argument("-a", "--all", action="store_true")
    listing.add_argument("-q", "--quiet", action="store_true")
    listing.add_argument("--no-trunc", action="store_true")
    listing.add_argument("-f", "--filter", action="append", default=[], dest="filters")
    images = commands.add_parser("images", allow_abbrev=False)
    images.add_argument("-q", "--quiet", action="store_true")
    images.add_argument("image", nargs="?", default="")
    pulling = commands.add_parser("pull", allow_abbrev=False)
    pulling.add_argument("-q", "--quiet", action="store_true")
    pulling.add_argument("image")
    inspecting = commands.add_parser("inspect", allow_abbrev=False)
    inspecting.add_argument("--type", choices=["container"])
    inspecting.add_argument("names", nargs="+")
    for name in ("start", "stop", "logs"):
        commands.add_parser(name, allow_abbrev=False).add_argument("names", nargs="+")
    removing = commands.add_parser("rm", allow_abbrev=False)
    removing.add_argument("-f", "--force", action="store_true")
    removing.add_argument("-v", "--volumes", action="store_true")
    removing.add_argument("names", nargs="+")
    commands.add_parser("version", allow_abbrev=False)
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-d", "--detach", action="store_true")
    parser.add_argument("--rm", action="store_true")
    parser.add_argument("--privileged", action="store_true")
    parser.add_argument("--restart", default="no")
    parser.add_argument("--name", default="")
    parser.add_argument("--network", "--net", default="")
    parser.add_argument("-p", "--publish", action="append", default=[], dest="ports")
    parser.add_argument("-e", "--env", action="append", default=[])
    parser.add_argument("-v", "--volume", action="append", default=[], dest="volumes")
    parser.add_argument("image")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)


def send(request: dict[str, Any]) -> int:
    """Have the daemon do a command, print what it says as it says it, and return its exit code."""
    host, _, port = os.environ.get("DOCKER_HOST", DEFAULT_HOST).rpartition("/")[2].partition(":")
    connection = http.client.HTTPConnection(host, int(port))
    try:
        connection.request("POST", "/command", body=json.dumps(request))
        answer = connection.getresponse()
        while line := answer.readline():
            event = json.loads(line)
            if "exit" in event:
                return int(event["exit"])
            stream = sys.stderr if event["stream"] == "stderr" else sys.stdout
            print(event["text"], file=stream, flush=True)
    except (OSError, http.client.HTTPException):
        daemon = os.environ.get("DOCKER_HOST", DEFAULT_HOST)
        print(
            f"Cannot connect to the Docker daemon at {daemon}. Is the docker daemon running?",
            file=sys.stderr,
        )
        return RUN_FAILED if request["command"] == "run" else FAILED
    return FAILED


def main() -> int:
    """Run one command and return its exit code."""
    request = vars(build_parser().parse_args())
    if "env" in request:
        request["environment"] = read_environment(request.pop("env"))
    return send(request)


if __name__ == "__main__":
    sys.exit(main())
