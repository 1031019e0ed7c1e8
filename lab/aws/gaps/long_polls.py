"""Who waits for a message keeps nobody else waiting.

moto: waits inside of the call, and one call at a time is answered here.
AWS: answers as soon as there is a message, and all other calls meanwhile.
Why it matters: whoever listens to a queue would stop all of AWS for seconds at a time, the news
that it listens for included.

Source: SQS developer guide, "Amazon SQS short and long polling"; moto 5.2.5, `moto/sqs/models.py`.
"""

from moto.sqs.models import Queue

from lab.aws.moto_edge import LOCK, patch


def close() -> None:
    """Let others have moto's lock while a call waits for messages."""

    def wait(self: Queue, timeout: int) -> None:
        LOCK.release()
        try:
            wait_in_call(self, timeout)
        finally:
            LOCK.acquire()

    wait_in_call = patch(Queue, "wait_for_messages", wait)
