"""Where the provider comes from: a mirror on this machine if there is one, else the registry."""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from corral.clients.terraform.engine import Engine
from corral.errors import PrerequisiteError
from corral.settings import Settings

USUAL_PLACES = (
    Path("/opt"),
    Path("/srv"),
    Path("/usr/share"),
    Path("/usr/share/terraform"),
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


_PIN = re.compile(r'"hashicorp/aws"[^}]*?\n\s*version\s*=\s*"=\s*([\w.-]+)"')


@dataclass(frozen=True, slots=True)
class Package:
    """The one build of the provider that the stacks use on this machine."""

    registry: str
    """Host name of the engine's registry, which is a folder's name in a mirror."""
    version: str
    platform: str

    @classmethod
    def of(cls, engine: Engine, stacks_dir: Path) -> Self:
        """Return what the stacks' pin means for this engine.

        Raises:
            PrerequisiteError: The stacks pin no version.

        """
        file = stacks_dir / "base" / "versions.tf"
        pin = _PIN.search(file.read_text(encoding="utf-8")) if file.is_file() else None
        if pin is None:
            raise PrerequisiteError(
                f"{file} does not pin the version of {PROVIDER}: check CORRAL_STACKS_DIR."
            )
        return cls(engine.registry, pin[1], engine.platform)

    def lies_in(self, folder: Path) -> bool:
        """Whether a mirror or a plugin cache has it, unpacked or as an archive."""
        return (
            self.is_unpacked_in(folder) or (folder / self.registry / PROVIDER / self._zip).is_file()
        )

    def is_unpacked_in(self, folder: Path) -> bool:
        """Whether it lies there as a directory, which Terraform links instead of unpacking."""
        return (folder / self.registry / PROVIDER / self.version / self.platform).is_dir()

    @property
    def _zip(self) -> str:
        return f"terraform-provider-aws_{self.version}_{self.platform}.zip"

    def __str__(self) -> str:
        """Provider, version and platform."""
        return f"{PROVIDER} {self.version} for {self.platform}"


@dataclass(frozen=True, slots=True)
class ProviderSource:
    """How `init` gets the provider."""

    mirror: Path | None = None
    """Directory that holds `registry.terraform.io/...`; None asks the registry."""
    is_unpacked: bool = False
    """Whether the mirror holds directories, which are linked, or archives, which are unpacked."""
    is_operators: bool = False
    """Whether the operator's own Terraform configuration decides, of which we know nothing."""

    @property
    def needs_cache(self) -> bool:
        """Whether each copy would get its own 700 MB if there were no shared plugin cache."""
        return not self.is_unpacked


def find_source(
    configured: Path | None,
    package: Package,
    environment: Mapping[str, str] = os.environ,
    places: Sequence[Path] = USUAL_PLACES,
) -> ProviderSource:
    """Return where the provider comes from.

    Args:
        configured: The operator's choice, which is taken or refused, never replaced.
        package: What is needed; a mirror that is found without it is passed over.
        environment: An operator's own Terraform configuration in it is left in charge.
        places: Where to look, after the plugins in the operator's home.

    Raises:
        PrerequisiteError: The configured mirror does not have what is needed.

    """
    if configured is not None:
        return _configured(configured, package)
    if _has_own_configuration(environment):
        return ProviderSource(is_operators=True)
    mirrors = (
        folder.parent.parent.parent
        for place in (*_home(environment), *places)
        for pattern in (f"{package.registry}/{PROVIDER}", f"*/{package.registry}/{PROVIDER}")
        for folder in sorted(place.glob(pattern))
    )
    return next(
        (_source(mirror, package) for mirror in mirrors if package.lies_in(mirror)),
        ProviderSource(),
    )


def source_for(engine: Engine, settings: Settings) -> ProviderSource:
    """Return where the provider of the settings' stacks comes from.

    Raises:
        PrerequisiteError: The configured mirror does not have it, or the stacks pin none.

    """
    return find_source(settings.provider_mirror, Package.of(engine, settings.stacks_dir))


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


def _configured(mirror: Path, package: Package) -> ProviderSource:
    provider = mirror / package.registry / PROVIDER
    if not provider.is_dir():
        raise PrerequisiteError(
            f"CORRAL_PROVIDER_MIRROR is {mirror}, but {provider} is no directory: point it at the"
            " directory above the registry's name, or unset it to use the registry."
        )
    if not package.lies_in(mirror):
        raise PrerequisiteError(
            f"CORRAL_PROVIDER_MIRROR is {mirror}, but {package} is not in it: add it with"
            f" `terraform providers mirror -platform={package.platform} {mirror}` in a stack's"
            " folder, or unset CORRAL_PROVIDER_MIRROR to use the registry."
        )
    return _source(mirror, package)


def _source(mirror: Path, package: Package) -> ProviderSource:
    return ProviderSource(mirror.absolute(), package.is_unpacked_in(mirror))


def _has_own_configuration(environment: Mapping[str, str]) -> bool:
    named = environment.get("TF_CLI_CONFIG_FILE")
    home = environment.get("HOME")
    return bool(
        (named and Path(named).is_file()) or (home and (Path(home) / ".terraformrc").is_file())
    )


def _home(environment: Mapping[str, str]) -> list[Path]:
    """Return the folder of the operator's own plugins, where Terraform looks unasked."""
    home = environment.get("HOME")
    return [Path(home) / ".terraform.d"] if home else []
