"""Makes sure that the provider can be had, before anything is changed."""

from collections.abc import Sequence
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter

from corral.clients.terraform.engine import Engine
from corral.clients.terraform.mirror import PROVIDER, USUAL_PLACES, Package, find_source
from corral.errors import PrerequisiteError
from corral.settings import Settings

CACHE = ".plugins"
"""Terraform's plugin cache, in the work folder."""

_ANSWER_S = (5, 10)
"""Seconds to reach the registry, and seconds until it answers."""
_RETRIES = 1
_GONE = 404


def check_provider(
    engine: Engine, settings: Settings, places: Sequence[Path] = USUAL_PLACES
) -> str:
    """Make sure that the provider of the stacks can be had; return from where, for the log.

    Args:
        engine: What will run the stacks.
        settings: Where the stacks, the mirror and the plugin cache are.
        places: Where to look for a mirror.

    Raises:
        PrerequisiteError: It is not in the configured mirror, or the registry has no such
            provider or does not answer.

    """
    package = Package.of(engine, settings.stacks_dir)
    source = find_source(settings.provider_mirror, package, places=places)
    if source.mirror:
        return f"{package} from {source.mirror}"
    if source.is_operators:
        return f"{package} from where Terraform's own configuration says"
    fault = _ask(package)
    if fault and package.lies_in(settings.work_dir / CACHE):
        return f"{package} from the plugin cache, since {fault}"
    if fault:
        raise PrerequisiteError(
            f"{package} cannot be had, and no mirror of it is on this machine, since {fault}: open"
            f" the way to https://{package.registry}, or set CORRAL_PROVIDER_MIRROR to a local"
            " mirror."
        )
    return f"{package} from {package.registry}"


def _ask(package: Package) -> str:
    """Ask the registry for the package; return what is wrong, or nothing."""
    os_name, _, architecture = package.platform.partition("_")
    path = f"v1/providers/{PROVIDER}/{package.version}/download/{os_name}/{architecture}"
    try:
        with requests.Session() as session:
            session.mount("https://", HTTPAdapter(max_retries=_RETRIES))
            answer = session.get(f"https://{package.registry}/{path}", timeout=_ANSWER_S)
    except requests.exceptions.SSLError:
        return ""  # it answers; whose certificates Terraform trusts is for Terraform to say
    except requests.RequestException as error:
        return f"{package.registry} does not answer ({type(error).__name__})"
    if answer.ok:
        return ""
    if answer.status_code == _GONE:
        return f"{package.registry} does not have it"
    return f"{package.registry} answered {answer.status_code}"
