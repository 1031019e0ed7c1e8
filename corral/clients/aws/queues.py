"""The queues that tell of instances that are about to end."""

from dataclasses import dataclass

import boto3

from corral.clients.aws.calls import CONFIG


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a queue, out on loan until it is deleted or its time is over."""

    id: str
    receipt: str
    body: str
    receives: int
    """How often it was given out, this time included."""


class LifecycleQueue:
    """One queue by its name."""

    def __init__(self, session: boto3.Session, name: str) -> None:
        """Remember which queue; nothing is sent yet."""
        self.name = name
        self._client = session.client("sqs", config=CONFIG)

    def exists(self) -> bool:
        """Say whether there is such a queue."""
        raise NotImplementedError

    def receive(self, wait_s: int, most: int = 10) -> list[Message]:
        """Return what is there, or what comes within some seconds, at most 20.

        Args:
            wait_s: Whole seconds; 0 looks only once.
            most: 1 to 10.
        """
        raise NotImplementedError

    def delete(self, message: Message) -> None:
        """Take a message out of the queue for good."""
        raise NotImplementedError

    def extend(self, message: Message, seconds: int) -> None:
        """Keep a message out of others' hands for so many seconds from now; 0 gives it back."""
        raise NotImplementedError

    def depth(self) -> int:
        """Return about how many messages are in the queue, those on loan included."""
        raise NotImplementedError
