"""What a running lab tells others about itself: the ready file, and the exports made of it."""

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

REAL_S: Final[Mapping[str, float]] = MappingProxyType(
    {
        "CORRAL_GATE_INTERVAL_S": 10.0,
        "CORRAL_QUIET_S": 900.0,
        "CORRAL_JOIN_GRACE_S": 900.0,
        "CORRAL_STUCK_AFTER_S": 600.0,
        "CORRAL_ABSENCE_S": 3600.0,
        "CORRAL_REMOVAL_INTERVAL_S": 1.0,
        "CORRAL_REMOVAL_DEADLINE_S": 120.0,
        "CORRAL_HEARTBEAT_INTERVAL_S": 20.0,
    }
)
"""corral's waits as they are in reality, in seconds; the lab's clock is faster."""
LEAST_S: Final[Mapping[str, float]] = MappingProxyType({"CORRAL_REMOVAL_DEADLINE_S": 20.0})
"""Seconds below which a wait makes no sense here: some of it is corral's own time, not AWS's."""
PAGERDUTY: Final = f"pagerduty://{'0123456789abcdef' * 2}@{'c0rra1' * 3}ab/corral"
"""An integration key of 32 digits, a key of 20 letters and the source, as Apprise spells them."""
CHAT_TOKEN: Final = "chat0123456789corral012345"


class NotReadyError(Exception):
    """There is no ready file, or it is not one of a lab."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Where a running lab is."""

    aws_endpoint: str
    rancher_url: str
    alerts_url: str
    control_url: str
    time_scale: float
    pid: int
    github_url: str = ""
    database_names: str = ""
    """File that says where on loopback each database answers: `{name: "host:port"}`."""
    database_ca: str = ""
    """File with the certificate of who signed the databases' certificates."""

    @classmethod
    def read(cls, path: Path) -> "Ready":
        """Read a ready file.

        Raises:
            NotReadyError: the file is missing or holds something else.

        """
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise NotReadyError(f"{path} is not the ready file of a lab: {error}") from error

    def write(self, path: Path) -> None:
        """Write the file at once and whole, so that who waits for it never reads a part."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        part.replace(path)

    def exports(self) -> dict[str, str]:
        """Return the environment that points AWS's tools and corral at this lab."""
        return {
            "AWS_ENDPOINT_URL": self.aws_endpoint,
            "AWS_ACCESS_KEY_ID": "lab",
            "AWS_SECRET_ACCESS_KEY": "lab",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "CORRAL_RANCHER_URL": self.rancher_url,
            "CORRAL_DATABASE_NAMES": self.database_names,
            "CORRAL_DATABASE_CA": self.database_ca,
            "CORRAL_PAGERDUTY_URL": self.alerts_url,
            "CORRAL_ALERT_URLS": json.dumps(self._channels()),
            **{name: f"{self._wait(name):g}" for name in REAL_S},
        }

    def _wait(self, name: str) -> float:
        return max(REAL_S[name] / self.time_scale, LEAST_S.get(name, 0.0))

    def _channels(self) -> dict[str, str]:
        """Return Apprise URLs by channel: an incident service, and a Mattermost of the sink's."""
        return {
            "pagerduty": PAGERDUTY,
            "chat": f"mmost://{urlsplit(self.alerts_url).netloc}/{CHAT_TOKEN}",
        }

    def shell(self) -> str:
        """Return the exports as a shell reads them."""
        return "".join(
            f"export {name}={shlex.quote(value)}\n" for name, value in self.exports().items()
        )
