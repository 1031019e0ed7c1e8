"""What a running lab tells others about itself: the ready file, and the exports made of it."""

import json
import os
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path

GATE_INTERVAL_S = 10.0
"""How far apart corral asks its gate in reality; the lab's clock is faster."""


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
            "CORRAL_GATE_INTERVAL_S": f"{GATE_INTERVAL_S / self.time_scale:g}",
        }

    def shell(self) -> str:
        """Return the exports as a shell reads them."""
        return "".join(
            f"export {name}={shlex.quote(value)}\n" for name, value in self.exports().items()
        )
