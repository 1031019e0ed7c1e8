"""What user data told this machine to be: one JSON file, checked as a whole before anything starts.

It holds names and addresses only: secrets are read from Secrets Manager, through the role.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corral_node.errors import ConfigurationError

PATH_VARIABLE = "CORRAL_NODE_CONFIG"
DEFAULT_PATH = Path("/etc/corral/node.json")
DEADLINE_HIGHEST_S = 1500
"""Below the TimeoutStartSec of corral-join.service: the program speaks before it is killed."""


@dataclass(frozen=True, slots=True)
class Database:
    """Where Rancher keeps everything, and which secret holds the password."""

    host: str
    port: int
    name: str
    username: str
    secret_id: str


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """What a control node needs to know."""

    region: str
    image: str
    database: Database


@dataclass(frozen=True, slots=True)
class JoinConfig:
    """What a container host needs to know."""

    region: str
    rancher_url: str
    secret_id: str
    environment: str
    labels: dict[str, str]
    deadline_s: float


def config_path() -> Path:
    """Return the file that user data wrote."""
    return Path(os.environ.get(PATH_VARIABLE) or DEFAULT_PATH)


class _Fields:
    """Reads fields of one JSON object and remembers every fault, so that all are told at once."""

    def __init__(self, raw: object, faults: list[str], prefix: str = "") -> None:
        self._is_object = isinstance(raw, dict)
        self._raw: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
        self._prefix = prefix
        self.faults = faults
        if not self._is_object:
            faults.append(f"{prefix.rstrip('.') or 'the file'} has to be an object")

    def _fault(self, name: str, rule: str) -> None:
        if self._is_object:
            self.faults.append(f"{self._prefix}{name} has to be {rule}")

    def text(self, name: str) -> str:
        value = self._raw.get(name)
        if isinstance(value, str) and value:
            return value
        self._fault(name, "a text that is not empty")
        return ""

    def url(self, name: str) -> str:
        value = self._raw.get(name)
        if isinstance(value, str) and value.startswith(("http://", "https://")):
            return value.rstrip("/")
        self._fault(name, "an address that starts with https:// or http://")
        return ""

    def number(self, name: str, highest: int) -> int:
        value = self._raw.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= highest:
            return value
        self._fault(name, f"a whole number from 1 to {highest}")
        return 1

    def texts(self, name: str) -> dict[str, str]:
        value = self._raw.get(name)
        if isinstance(value, dict) and all(isinstance(text, str) for text in value.values()):
            return dict(value)
        self._fault(name, "an object of texts")
        return {}

    def within(self, name: str) -> "_Fields":
        return _Fields(self._raw.get(name), self.faults, f"{self._prefix}{name}.")


def _read(path: Path) -> _Fields:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{path} is missing: user data should have written it. "
            "Look at /var/log/cloud-init.log and at the launch template"
        ) from error
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path} cannot be read as JSON: {error}. Look at the launch template's user data"
        ) from error
    return _Fields(raw, faults=[])


def _refuse_faults(path: Path, fields: _Fields) -> None:
    if fields.faults:
        raise ConfigurationError(
            f"{path} is wrong: {'; '.join(fields.faults)}. Correct the launch template's user data"
        )


def read_serve_config(path: Path) -> ServeConfig:
    """Return what this control node was told.

    Raises:
        ConfigurationError: The file is missing or wrong; every fault is named.
    """
    fields = _read(path)
    config = ServeConfig(
        region=fields.text("region"),
        image=fields.text("image"),
        database=_read_database(fields.within("database")),
    )
    _refuse_faults(path, fields)
    return config


def _read_database(fields: _Fields) -> Database:
    return Database(
        host=fields.text("host"),
        port=fields.number("port", highest=65535),
        name=fields.text("name"),
        username=fields.text("username"),
        secret_id=fields.text("secret_id"),
    )


def read_join_config(path: Path) -> JoinConfig:
    """Return what this container host was told.

    Raises:
        ConfigurationError: The file is missing or wrong; every fault is named.
    """
    fields = _read(path)
    config = JoinConfig(
        region=fields.text("region"),
        rancher_url=fields.url("rancher_url"),
        secret_id=fields.text("secret_id"),
        environment=fields.text("environment"),
        labels=fields.texts("labels"),
        deadline_s=fields.number("deadline_s", highest=DEADLINE_HIGHEST_S),
    )
    if not fields.faults and not config.labels.get("role"):
        fields.faults.append("labels.role has to be a text that is not empty")
    _refuse_faults(path, fields)
    return config
