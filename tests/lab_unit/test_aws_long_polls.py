"""Calls that wait for a message of a queue."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

POLL_S = 4
AT_ONCE_S = 1.0
UNDER_WAY_S = 0.5
"""By then a call has reached the lab."""


@pytest.fixture
def url(aws_lab) -> Iterator[str]:
    sqs = aws_lab.client("sqs")
    made = sqs.create_queue(QueueName="waited-for")["QueueUrl"]
    yield made
    sqs.delete_queue(QueueUrl=made)


def timed(call) -> tuple[dict, float]:
    began = time.monotonic()
    return call(), time.monotonic() - began


def test_a_message_ends_the_waiting_and_nobody_else_waits(aws_lab, url):
    sqs, listener = aws_lab.client("sqs"), aws_lab.client("sqs")
    with ThreadPoolExecutor() as pool:
        poll = pool.submit(
            timed, lambda: listener.receive_message(QueueUrl=url, WaitTimeSeconds=POLL_S)
        )
        time.sleep(UNDER_WAY_S)
        _, asked_s = timed(aws_lab.client("ec2").describe_instances)
        assert not poll.done()
        sqs.send_message(QueueUrl=url, MessageBody="news")
        answer, polled_s = poll.result()

    assert asked_s < AT_ONCE_S
    assert [message["Body"] for message in answer["Messages"]] == ["news"]
    assert polled_s < POLL_S


def test_a_poll_of_an_empty_queue_ends_in_its_time(aws_lab, url):
    sqs = aws_lab.client("sqs")

    answer, polled_s = timed(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1))

    assert "Messages" not in answer
    assert 1 <= polled_s < POLL_S
