"""What auto scaling groups do to instances: their log of endings, and lifecycle actions."""

from collections.abc import Collection

import boto3

from corral.clients.aws.calls import CONFIG
from corral.domain.lifecycle import Termination


class Groups:
    """The auto scaling groups of one account in one region."""

    def __init__(self, session: boto3.Session) -> None:
        """Remember whom to ask; nothing is sent yet."""
        self._client = session.client("autoscaling", config=CONFIG)

    def terminations(self, names: Collection[str], ids: Collection[str]) -> dict[str, str]:
        """Return a sentence for each of these instances that one of the groups has ended, by id."""
        raise NotImplementedError

    def lifecycle_states(self, ids: Collection[str]) -> dict[str, tuple[str, str]]:
        """Return group and lifecycle state of each of these instances that is in a group, by id."""
        raise NotImplementedError

    def complete(self, termination: Termination) -> bool:
        """Let an instance end; say whether anybody was still waiting for that."""
        raise NotImplementedError

    def heartbeat(self, termination: Termination) -> bool:
        """Have AWS wait for another time-out of the hook; say whether it still waits at all."""
        raise NotImplementedError
