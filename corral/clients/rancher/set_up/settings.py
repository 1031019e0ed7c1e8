"""Settings of Rancher: written where they differ, refused where they cannot be changed."""

from collections.abc import Iterator, Mapping

from corral.clients.rancher.set_up.site import Site
from corral.domain.set_up.settings import find_setting_fault, needs_setting
from corral.domain.set_up.steps import Did, Step

REGISTRATION_ADDRESS = "api.host"


def ensure_settings(site: Site, further: Mapping[str, str]) -> Iterator[Step]:
    """See to it that hosts are told the cluster's own address, and that further settings hold.

    Raises:
        PrerequisiteError: The servers' environment fixes another value of one.
    """
    for name, (wanted, what) in _wishes(site, further).items():
        yield _ensure_setting(site, name, wanted, what)


def find_setting_faults(site: Site, further: Mapping[str, str]) -> list[str]:
    """Return why a setting cannot be as wanted, a sentence each; nothing is written.

    Before access control is on, anybody may ask.
    """
    rancher, faults = site.first_administrator(), []
    for name, (wanted, _) in _wishes(site, further).items():
        now = rancher.setting(name)
        faults.append(
            find_setting_fault(name, value=now.effective, source=now.source or "", wanted=wanted)
        )
    return [fault for fault in faults if fault]


def _wishes(site: Site, further: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return what each setting shall be, and what it is called in a report."""
    own = {REGISTRATION_ADDRESS: (site.public_url, "registration address")}
    return own | {name: (value, f"setting {name}") for name, value in further.items()}


def _ensure_setting(site: Site, name: str, wanted: str, what: str) -> Step:
    rancher = site.administrator()
    now = rancher.setting(name)
    if not needs_setting(name, value=now.effective, source=now.source or "", wanted=wanted):
        return Step(what, Did.KEPT)
    rancher.set_setting(name, wanted)
    return Step(what, Did.CHANGED if now.effective else Did.CREATED)
