"""The queues that tell of instances that are about to end."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import boto3

from corral.clients.aws.calls import CONFIG, translated
from corral.errors import AwsError, PrerequisiteError

# The first is the name in the protocol that SQS spoke before JSON, and still says.
_NO_QUEUE: Final = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
_WAIT_AT_MOST_S: Final = 20
_COUNTS: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a queue, out on loan until it is deleted or its time is over."""

    id: str
    receipt: str
    body: str
    receives: int
    """How often it was given out, this time included."""


class LifecycleQueue:
    """One queue by its name.

    Every method but `exists` raises PrerequisiteError where there is no such queue.
    """

    def __init__(self, session: boto3.Session, name: str) -> None:
        """Remember which queue; nothing is sent yet."""
        self.name = name
        with translated("sqs"):
            self._client = session.client("sqs", config=CONFIG)

    def exists(self) -> bool:
        """Say whether there is such a queue."""
        try:
            return bool(self._url)
        except PrerequisiteError:
            return False

    def receive(self, wait_s: float, most: int = 10) -> list[Message]:
        """Return what is there, or what comes within some seconds.

        Args:
            wait_s: SQS waits whole seconds, at most 20; 0 looks once, at some of its servers.
            most: 1 to 10.

        Source: SQS API reference, ReceiveMessage.
        """
        with self._asked():
            answer = self._client.receive_message(
                QueueUrl=self._url,
                WaitTimeSeconds=min(math.ceil(wait_s), _WAIT_AT_MOST_S),
                MaxNumberOfMessages=most,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
        return [
            Message(
                id=row["MessageId"],
                receipt=row["ReceiptHandle"],
                body=row["Body"],
                receives=int(row.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
            )
            for row in answer.get("Messages", [])
        ]

    def delete(self, message: Message) -> None:
        """Take a message out of the queue for good."""
        with self._asked():
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)

    def extend(self, message: Message, seconds: float) -> None:
        """Keep a message from other listeners for so long from now on; 0 gives it back."""
        with self._asked():
            self._client.change_message_visibility(
                QueueUrl=self._url,
                ReceiptHandle=message.receipt,
                VisibilityTimeout=math.ceil(seconds),
            )

    def depth(self) -> int:
        """Return about how many messages are in the queue, those on loan included."""
        with self._asked():
            answer = self._client.get_queue_attributes(
                QueueUrl=self._url, AttributeNames=list(_COUNTS)
            )
        return sum(int(answer["Attributes"].get(name, 0)) for name in _COUNTS)

    @cached_property
    def _url(self) -> str:
        with self._asked():
            return self._client.get_queue_url(QueueName=self.name)["QueueUrl"]

    @contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            with translated("sqs"):
                yield
        except AwsError as error:
            if error.code not in _NO_QUEUE:
                raise
            raise PrerequisiteError(
                f"There is no queue {self.name}: build the pool it belongs to."
            ) from error
