"""Obeys an instance's user data as far as a corral machine's goes; the rest is named, not done."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from lab.machines.systemd import Systemd, UnknownUnitError

Say = Callable[[str], None]

OBEYED_KEYS = ("write_files", "runcmd")
ENABLE = {"enable", "--now", "--no-block"}


class CloudInit:
    """Writes files and enables units, once in a machine's life.

    Source: cloud-init documentation, modules `write_files` and `runcmd` (once per instance).
    """

    def __init__(self, root: Path, systemd: Systemd, say: Say) -> None:
        self._root = root
        self._systemd = systemd
        self._console = say

    def obey(self, user_data: str) -> None:
        """Do what a cloud-config says."""
        if not user_data.startswith("#cloud-config"):
            self._say("not obeyed: user data is no cloud-config" if user_data else "no user data")
            return
        try:
            config = yaml.safe_load(user_data)
        except yaml.YAMLError as error:
            self._say(f"failed: user data is no YAML: {' '.join(str(error).split())}")
            return
        if not isinstance(config, dict):
            self._say("failed: a cloud-config has to be a mapping")
            return
        self._obey_config(config)

    def _say(self, text: str) -> None:
        self._console(f"cloud-init: {text}")

    def _obey_config(self, config: dict[str, Any]) -> None:
        for key in config:
            if key not in OBEYED_KEYS:
                self._say(f"not obeyed: {key}")
        for entry in config.get("write_files") or ():
            self._write_file(entry)
        for command in config.get("runcmd") or ():
            self._run(command)

    def _write_file(self, entry: dict[str, Any]) -> None:
        path = self._root / str(entry["path"]).lstrip("/")
        if not path.resolve().is_relative_to(self._root.resolve()):
            self._say(f"failed: {entry['path']} is outside of the machine")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(entry.get("content", "")), encoding="utf-8")
        path.chmod(int(str(entry.get("permissions", "0644")), 8))
        self._say(f"wrote {entry['path']}")

    def _run(self, command: str | list[str]) -> None:
        words = command.split() if isinstance(command, str) else command
        if words[:1] == ["systemctl"] and set(words[1:-1]) == ENABLE:
            self._enable(words[-1])
        else:
            self._say(f"not obeyed: runcmd {words}")

    def _enable(self, unit: str) -> None:
        try:
            self._systemd.enable(unit)
            self._systemd.start(unit)
        except UnknownUnitError as error:
            self._say(f"failed: systemctl: {error}")
