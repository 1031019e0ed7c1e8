"""Alerts against the lab's sink, which hears what PagerDuty and a chat would hear."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import stamina
from aiohttp import web
from pydantic import SecretStr

from corral.clients.alerts import Channel, deliver, resolve_quietly
from corral.domain.alerts import Action, AlertStep, OpenAlert, Severity
from corral.errors import AlertError
from lab import alerts
from lab.world import World, free_port

INTEGRATION_KEY = "0123456789abcdef0123456789abcdef"
PAGERDUTY = Channel("pagerduty", SecretStr(f"pagerduty://{INTEGRATION_KEY}@{'a' * 20}/corral"))
KEY = "corral/lab/stuck/main/1h5"
ALERT = OpenAlert(
    key=KEY,
    kind="stuck",
    scope="main",
    subject="1h5",
    severity=Severity.CRITICAL,
    title="Host 1h5 is stuck in removing",
    text="It has been in removing for 20 minutes.",
    since=datetime(2026, 11, 2, 3, 4, 5, tzinfo=UTC),
)
OPEN = AlertStep(ALERT, Action.OPEN, ("pagerduty",))
RESOLVE = AlertStep(ALERT, Action.RESOLVE, ("pagerduty",))
EVENTS = "POST /v2/enqueue"


@dataclass
class Sink:
    """What the lab's sink heard, and where it listens."""

    world: World
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def heard(self, operation: str = EVENTS) -> list[object]:
        rows = [row for row in self.world.journal.rows() if row["operation"] == operation]
        return [row["body"] for row in rows]

    def fail(self, **effect: object) -> None:
        self.world.faults.add({"target": "alerts", "effect": effect, "times": 1})


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    yield made
    made.call_soon_threadsafe(made.stop)
    thread.join()
    made.close()


@pytest.fixture
def sink(loop, tmp_path) -> Iterator[Sink]:
    made = Sink(World(1.0, tmp_path, loop), free_port())
    runner = web.AppRunner(alerts.application(made.world))

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", made.port).start()

    asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    yield made
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)


@pytest.fixture(autouse=True)
def _quick_retries():
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


def test_pagerduty_opens_and_ends_one_incident_by_its_key(sink):
    deliver(PAGERDUTY, OPEN, pagerduty_url=sink.url)
    deliver(PAGERDUTY, RESOLVE, pagerduty_url=sink.url)

    opened, resolved = sink.heard()
    assert opened == {
        "routing_key": INTEGRATION_KEY,
        "event_action": "trigger",
        "dedup_key": KEY,
        "payload": {
            "summary": "Host 1h5 is stuck in removing",
            "source": "corral",
            "severity": "critical",
            "class": "stuck",
            "component": "main",
            "custom_details": {
                "text": "It has been in removing for 20 minutes.",
                "since": "2026-11-02T03:04:05+00:00",
            },
        },
    }
    assert resolved == {
        "routing_key": INTEGRATION_KEY,
        "event_action": "resolve",
        "dedup_key": KEY,
    }


def test_an_incident_can_be_ended_by_its_key_alone(sink):
    resolve_quietly(PAGERDUTY, KEY, pagerduty_url=sink.url)

    assert [event["event_action"] for event in sink.heard()] == ["resolve"]


@pytest.mark.parametrize(
    "effect", [{"status": 429}, {"status": 500}, {"status": 503}, {"reset": True}], ids=str
)
def test_an_event_that_may_be_taken_later_is_sent_again(sink, effect):
    sink.fail(**effect)

    deliver(PAGERDUTY, OPEN, pagerduty_url=sink.url)

    assert len(sink.heard()) == 2


def test_an_event_that_is_refused_is_sent_once_and_tells_no_key(sink, caplog):
    caplog.set_level("DEBUG")
    sink.fail(status=400)

    with pytest.raises(AlertError, match=r"pagerduty \(Pager Duty\) answered 400") as caught:
        deliver(PAGERDUTY, OPEN, pagerduty_url=sink.url)

    assert len(sink.heard()) == 1
    assert INTEGRATION_KEY not in f"{caught.value}{caught.value.__cause__}{caplog.text}"


def test_a_pagerduty_that_is_not_there_ends_in_time():
    started = time.monotonic()

    with pytest.raises(AlertError, match="gave no answer"):
        deliver(PAGERDUTY, OPEN, pagerduty_url=f"http://127.0.0.1:{free_port()}")

    assert time.monotonic() - started < 10


def test_a_chat_hears_of_both_ends(sink):
    token = "abcdefghijklmnopqrstuvwxyz"
    chat = Channel("chat", SecretStr(f"mmost://127.0.0.1:{sink.port}/{token}"))

    deliver(chat, OPEN)
    deliver(chat, RESOLVE)
    resolve_quietly(chat, KEY)

    opened, resolved = (str(body) for body in sink.heard(f"POST /hooks/{token}"))
    assert "Host 1h5 is stuck" in opened
    assert "Resolved: Host 1h5 is stuck" in resolved
