"""Where the provider comes from: a mirror on this machine if there is one, else the registry."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from corral.errors import PrerequisiteError

USUAL_PLACES = (
    Path("/opt"),
    Path("/srv"),
    Path("/usr/share"),
    Path("/usr/lib"),
    Path("/usr/local"),
    Path("/usr/local/share"),
    Path("/usr/local/lib"),
    Path("/usr/local/share/terraform"),
)
"""Where software for all users of a machine is put; a mirror lies one or two levels below."""

PROVIDER = Path("hashicorp/aws")

_CONFIG = """provider_installation {{
  filesystem_mirror {{
    path = "{path}"
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class ProviderSource:
    """How `init` gets the provider."""

    mirror: Path | None = None
    """Directory that holds `registry.terraform.io/...`; None asks the registry."""
    is_unpacked: bool = False
    """Whether the mirror holds directories, which are linked, or archives, which are unpacked."""

    @property
    def needs_cache(self) -> bool:
        """Whether each copy would get its own 700 MB if there were no shared plugin cache."""
        return not self.is_unpacked


def find_source(
    configured: Path | None,
    registry: str,
    environment: Mapping[str, str],
    places: Sequence[Path] = USUAL_PLACES,
) -> ProviderSource:
    """Return where the provider comes from.

    Args:
        configured: The operator's choice, which is taken or refused, never replaced.
        registry: Host name of the engine's registry, which is the folder looked for.
        environment: An operator's own Terraform configuration in it is left in charge.
        places: Where to look.

    Raises:
        PrerequisiteError: The configured mirror has no AWS provider.

    """
    if configured is not None:
        if not (configured / registry / PROVIDER).is_dir():
            raise PrerequisiteError(
                f"CORRAL_PROVIDER_MIRROR is {configured}, but {configured / registry / PROVIDER}"
                " is no directory: point it at the directory above the registry's name."
            )
        return _source(configured, registry)
    if _has_own_configuration(environment):
        return ProviderSource()
    return next(
        (
            _source(folder.parent.parent.parent, registry)
            for place in places
            for pattern in (f"{registry}/{PROVIDER}", f"*/{registry}/{PROVIDER}")
            for folder in sorted(place.glob(pattern))
        ),
        ProviderSource(),
    )


def write_configuration(source: ProviderSource, work_dir: Path) -> Path | None:
    """Write Terraform's configuration for this source; None if it needs none."""
    if source.mirror is None:
        return None
    content = _CONFIG.format(path=source.mirror)
    name = hashlib.sha256(content.encode()).hexdigest()[:12]
    path = work_dir / f".mirror-{name}.tfrc"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return path


def _source(mirror: Path, registry: str) -> ProviderSource:
    packages = (mirror / registry / PROVIDER).glob("*/*")
    return ProviderSource(mirror.absolute(), any(package.is_dir() for package in packages))


def _has_own_configuration(environment: Mapping[str, str]) -> bool:
    named = environment.get("TF_CLI_CONFIG_FILE")
    home = environment.get("HOME")
    return bool(
        (named and Path(named).is_file()) or (home and (Path(home) / ".terraformrc").is_file())
    )
