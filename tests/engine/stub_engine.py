"""A stand-in for Terraform: a real program that prints recorded lines and keeps a diary.

What it does is told by steps: for each command a list, one for each call, the last one for all
further calls. A step may name `lines` (a file in tests/data/terraform), `stdout`, `stderr`, `code`,
`saves` (what it writes to the plan's file), and `hold_s`: then it works that long, or until SIGINT,
after which it takes `unlock_s` to end.

It is a shell script, since it is started a hundred times and Python takes its time to start.
"""

import json
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

DATA = Path(__file__).parent.parent / "data" / "terraform"
VERSION = {"stdout": json.dumps({"terraform_version": "1.11.4"})}
NO_CHANGE = {"lines": "plan-no-change.jsonl", "code": 0}
OUTPUTS = {"stdout": json.dumps({"vpc_id": {"sensitive": False, "value": "vpc-1"}})}

PROGRAM = """#!/bin/sh
home={home}
command=$1
interrupted=
note() {{ printf '%s\\t%s\\t%s\\n' "$1" "$$" "$2" >> "$home/diary"; }}
trap 'interrupted=yes; note SIGINT' INT
call=0
[ -e "$home/calls.$command" ] && read -r call < "$home/calls.$command"
echo $((call + 1)) > "$home/calls.$command"
words=
for word in "$@"; do words="$words$word\x1f"; done
note "$command" "$words"
export -p > "$home/environment.$command"
step="$home/steps/$command.$call"
[ -e "$step" ] || step="$home/steps/$command.last"
[ -e "$step" ] || exit 0
. "$step"
"""

INIT = """
mkdir -p .terraform/providers/aws
printf x > .terraform/providers/aws/provider
printf 'provider "aws" {\\n  version = "5.100.0"\\n  hashes = [\\n    "h1:abc=",\\n  ]\\n}\\n' \\
    > .terraform.lock.hcl
"""

HOLD = """
note holds
left={ticks}
while [ $left -gt 0 ] && [ -z "$interrupted" ]; do sleep 0.02; left=$((left - 1)); done
if [ -n "$interrupted" ]; then sleep {unlock_s}; note unlocked; exit 1; fi
note finished
"""


@dataclass(frozen=True)
class Entry:
    """One line of the diary."""

    what: str
    pid: int
    argv: list[str]


class StubEngine:
    """The program, its steps and its diary."""

    def __init__(self, home: Path, **steps: Any) -> None:
        (home / "steps").mkdir(parents=True)
        self._remember(home)
        self.path.write_text(PROGRAM.format(home=shlex.quote(str(home))), "utf-8")
        self.path.chmod(0o755)
        self.play(**{"version": VERSION, "init": {}, "plan": NO_CHANGE, "output": OUTPUTS, **steps})

    @classmethod
    def reopen(cls, home: Path) -> Self:
        """Return one that another process made."""
        engine = cls.__new__(cls)
        engine._remember(home)
        return engine

    def _remember(self, home: Path) -> None:
        self.home = home
        self.path = home / "terraform"

    def play(self, **steps: Any) -> None:
        """Set what these commands do from now on."""
        for command, told in steps.items():
            (self.home / f"calls.{command}").unlink(missing_ok=True)
            for old in (self.home / "steps").glob(f"{command}.*"):
                old.unlink()
            listed = told if isinstance(told, list) else [told]
            for number, step in [*enumerate(listed), ("last", listed[-1])]:
                content = (INIT if command == "init" else "") + _script(**step)
                (self.home / "steps" / f"{command}.{number}").write_text(content, "utf-8")

    @property
    def diary(self) -> list[Entry]:
        """All that happened, in order."""
        path = self.home / "diary"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [_entry(*line.split("\t")) for line in lines]

    def happened(self, what: str) -> list[Entry]:
        """Every entry of one kind."""
        return [entry for entry in self.diary if entry.what == what]

    @property
    def commands(self) -> list[str]:
        """The commands that were run, without the question for the version."""
        return [entry.what for entry in self.diary if entry.argv and entry.what != "version"]

    def environment(self, command: str) -> dict[str, str]:
        """What a command saw the last time."""
        exported = shlex.split((self.home / f"environment.{command}").read_text("utf-8"))
        return dict(word.split("=", maxsplit=1) for word in exported if "=" in word)


def soon(condition: Callable[[], Any], seconds: float = 10) -> None:
    """Wait for something another process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def _script(
    *,
    lines: str = "",
    stdout: str = "",
    saves: str = "",
    stderr: str = "",
    code: int = 0,
    hold_s: float = 0,
    unlock_s: float = 0,
) -> str:
    parts = [
        f"cat {shlex.quote(str(DATA / lines))}" if lines else "",
        f"printf %s {shlex.quote(stdout)}" if stdout else "",
        f"printf %s {shlex.quote(saves)} > .corral/plan" if saves else "",
        f"printf %s {shlex.quote(stderr)} >&2" if stderr else "",
        HOLD.format(ticks=int(hold_s / 0.02), unlock_s=unlock_s) if hold_s else "",
        f"exit {code}",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _entry(what: str, pid: str, argv: str) -> Entry:
    return Entry(what, int(pid), argv.split("\x1f")[:-1])
