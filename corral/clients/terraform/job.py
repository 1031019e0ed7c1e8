"""What to run, and the surroundings Terraform gets for it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corral.clients.process import without_other_identities

_MEANING = ("TF_CLI_ARGS", "TF_WORKSPACE", "TF_DATA_DIR", "TF_CLI_CONFIG_FILE")
"""Beginnings of variables that would change what our command lines mean."""

_GOGC = "400"
"""How lazily Terraform and the provider collect garbage. Go's own 100 spends a quarter of a plan's
CPU time to save 5 % of memory (provider 5.100.0: 2.6 s with 623 MB, against 2.0 s with 650)."""


@dataclass(frozen=True, slots=True)
class Backend:
    """Where the states are kept."""

    bucket: str
    region: str


@dataclass(frozen=True, slots=True)
class StackJob:
    """One stack to run."""

    folder: Path
    key: str
    """Of the state, without its ending: `<cluster>/<stack>`."""
    variables: Mapping[str, Any]
    backend: Backend
    environment: Mapping[str, str]
    """Added to ours: credentials, where they are not in ours; these then stand alone."""

    @property
    def stack(self) -> str:
        """The stack's name without its cluster: `vpc`, `host-pool/web`."""
        return self.key.split("/", maxsplit=1)[-1]

    @property
    def state(self) -> str:
        """Key of the state's object in the bucket."""
        return f"{self.key}.tfstate"

    def backend_options(self) -> dict[str, str]:
        """Return what `init` is told of the backend."""
        options = {
            "bucket": self.backend.bucket,
            "region": self.backend.region,
            "key": self.state,
            "use_lockfile": "true",
            "encrypt": "true",
        }
        if self._has_endpoint():
            options["use_path_style"] = "true"
        return options

    def surroundings(self, configuration: Path | None, cache: Path | None) -> dict[str, str]:
        """Return the variables Terraform sees.

        Args:
            configuration: Terraform's configuration file; None leaves the operator's own.
            cache: Plugin cache to share; None does without.

        """
        own = os.environ.get("TF_CLI_CONFIG_FILE", "")
        ours = without_other_identities(self.environment)
        found = {name: value for name, value in ours.items() if not name.startswith(_MEANING)}
        found |= {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
        found.setdefault("GOGC", _GOGC)
        if configuration or Path(own).is_file():
            found["TF_CLI_CONFIG_FILE"] = str(configuration or own)
        if cache:
            found["TF_PLUGIN_CACHE_DIR"] = str(cache)
        return found

    def _has_endpoint(self) -> bool:
        """Whether S3 is somewhere else than at AWS, where buckets have no host names."""
        names = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")
        return any(os.environ.get(name) or self.environment.get(name) for name in names)
