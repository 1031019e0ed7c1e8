"""Upgrades and restores that a run did not finish: what a build must not start servers upon.

Nothing here asks anybody.
"""

from dataclasses import dataclass

from corral.domain.gate import VERSION
from corral.domain.restores import Restore
from corral.domain.upgrades import Attempt, say_way_back


@dataclass(frozen=True, slots=True)
class Serving:
    """Who serves as Rancher at the moment."""

    servers: int
    """How many their group shall have: none, while an upgrade stops them all."""
    running: str
    """The version that answers, or what was answered instead."""

    @property
    def is_up(self) -> bool:
        """Whether a database is known to be good for the version that answers."""
        return self.servers > 0 and VERSION.fullmatch(self.running) is not None


def find_half_upgrade(cluster: str, attempt: Attempt | None, serving: Serving) -> str:
    """Return why no server may be started after an upgrade that was not finished; "" if any may.

    While somebody serves nothing is half migrated: either no server was stopped, or the first of
    the new version has passed its gate.

    Args:
        cluster: Its name.
        attempt: The newest that is not known to have ended, of the database that serves.
        serving: Who serves now.

    Source: cattle, db-loader Loader.java: an older server starts on a newer database; and
    rancher/rancher issue 7125: two servers race for the schema.

    """
    if attempt is None or serving.is_up:
        return ""
    return (
        f"An upgrade of {cluster} from {attempt.source} to {attempt.target} was begun and is not"
        " over, and nobody answers as Rancher: a server that a build starts might meet a database"
        " that is half migrated. Go on with it: write rancher.version:"
        f" {attempt.target}, then run upgrade-rancher/{cluster}. Or go back."
        f" {say_way_back(cluster, attempt.source, attempt.snapshot)} Nothing was changed."
    )


def find_half_restore(cluster: str, restore: Restore | None, standing: str) -> str:
    """Return why a build would turn back a restore that was not finished; "" if it would not.

    Until Terraform lets go of the old instance nothing has happened but that servers were stopped.

    Args:
        cluster: Its name.
        restore: The last one, if the instance that it made is there.
        standing: The instance that Terraform looks after; "" if it looks after none.

    """
    if restore is None or restore.ended or standing == restore.replaces:
        return ""
    return (
        f"A restore of {cluster} from {restore.source} was begun and is not over:"
        f" {restore.identifier} takes the place of {restore.replaces}. Run"
        f" restore-database/{cluster} again with the same parameters: it goes on where it was."
        " Nothing was changed."
    )
