"""How people are told: once, in words of the alert, and without a word about the address."""

import json
import logging
import threading
import time
from datetime import UTC, datetime

import pytest
import requests
import responses
import stamina
from pydantic import SecretStr

from corral.clients import alerts
from corral.clients.alerts import Channel, deliver, resolve_quietly
from corral.domain.alerts import Action, AlertStep, OpenAlert, Severity
from corral.errors import AlertError
from tests.unit.drips import Drips

TOKEN = "abcdefghijklmnopqrstuvwxyz"
HOOK = f"http://chat.example.com:8065/hooks/{TOKEN}"
CHAT = Channel("chat", SecretStr(f"mmost://chat.example.com:8065/{TOKEN}"))
KEY = "corral/lab/stuck/main/1h5"


KEY_OF_PAGERDUTY = "0123456789abcdef0123456789abcdef"
PAGERDUTY = f"pagerduty://{KEY_OF_PAGERDUTY}@{'a' * 20}/corral"


def step(action: Action = Action.OPEN, severity: Severity = Severity.ERROR) -> AlertStep:
    alert = OpenAlert(
        key=KEY,
        kind="stuck",
        scope="main",
        subject="1h5",
        severity=severity,
        title="Host 1h5 is stuck in removing",
        text="It has been in removing for 20 minutes: look at its processes in Rancher.",
        since=datetime(2026, 11, 2, 3, 4, 5, tzinfo=UTC),
    )
    return AlertStep(alert, action, ("chat",))


@pytest.fixture(autouse=True)
def _quick_retries():
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture(autouse=True)
def _as_where_flows_run():
    """Undo what the program on the machines does to Apprise's log, if its tests are there too."""
    logging.getLogger("apprise").setLevel(logging.NOTSET)


@pytest.fixture
def answers():
    with responses.RequestsMock() as mock:
        yield mock


@pytest.mark.parametrize(
    ("action", "title"),
    [
        (Action.OPEN, "Host 1h5 is stuck in removing"),
        (Action.RESOLVE, "Resolved: Host 1h5 is stuck in removing"),
    ],
)
def test_a_chat_hears_of_opening_and_end(answers, action, title):
    answers.post(HOOK, body="ok")

    deliver(CHAT, step(action))

    said = json.loads(answers.calls[0].request.body)["text"]
    assert title in said
    assert "look at its processes" in said


@pytest.mark.parametrize("severity", list(Severity))
def test_every_severity_is_told(answers, severity):
    answers.post(HOOK, body="ok")

    deliver(CHAT, step(severity=severity))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_chat_that_may_listen_later_is_told_again(answers, status):
    answers.post(HOOK, status=status)
    answers.post(HOOK, body="ok")

    deliver(CHAT, step())


def test_a_chat_that_does_not_answer_is_tried_three_times(answers):
    sent = answers.post(HOOK, body=requests.ConnectionError("refused"))

    with pytest.raises(AlertError, match=r"channel chat \(Mattermost\) gave no answer") as caught:
        deliver(CHAT, step())

    assert sent.call_count == 3
    assert caught.value.channel == "chat"


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_chat_that_refuses_is_not_asked_again(answers, status):
    sent = answers.post(HOOK, status=status)

    with pytest.raises(AlertError, match=f"answered {status}"):
        deliver(CHAT, step())

    assert sent.call_count == 1


@pytest.mark.parametrize("url", ["nonsense", f"nonsense://{TOKEN}", "pagerduty://short", ""])
def test_an_address_that_makes_no_sense_is_told_without_it(url, caplog):
    caplog.set_level(logging.DEBUG)

    with pytest.raises(AlertError, match="channel chat has an address that Apprise") as caught:
        deliver(Channel("chat", SecretStr(url)), step())

    assert TOKEN not in f"{caught.value}{caplog.text}"


def test_no_address_is_logged_or_told_even_while_everybody_debugs(answers, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "apprise")
    answers.post(HOOK, status=403, body=f"no hook {TOKEN}")

    with pytest.raises(AlertError) as caught:
        deliver(CHAT, step())

    chain = f"{caught.value}{caught.value.__cause__}{CHAT}"
    assert TOKEN not in chain
    assert TOKEN not in caplog.text
    assert "chat.example.com" not in caplog.text


def test_others_may_log_while_nothing_is_sent(caplog):
    logging.getLogger("apprise").warning("somebody else's")
    threading.Thread(target=logging.getLogger("apprise").warning, args=["another's"]).start()

    assert "somebody else's" in caplog.text


def test_where_incidents_are_not_kept_a_quiet_end_is_no_message(answers):
    resolve_quietly(CHAT, KEY)

    assert not answers.calls


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("", "https://events.pagerduty.com/v2/enqueue"),
        ("?region=us", "https://events.pagerduty.com/v2/enqueue"),
        ("?region=eu", "https://events.eu.pagerduty.com/v2/enqueue"),
    ],
)
def test_pagerduty_is_told_in_its_own_region(answers, region, url):
    answers.post(url, status=202, json={"status": "success"})

    deliver(Channel("pagerduty", SecretStr(PAGERDUTY + region)), step())

    event = json.loads(answers.calls[0].request.body)
    assert (event["event_action"], event["dedup_key"], event["payload"]["severity"]) == (
        "trigger",
        KEY,
        "error",
    )


def test_pagerduty_need_not_end_its_answer():
    with Drips(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100000\r\n\r\n") as drips:
        deliver(Channel("pagerduty", SecretStr(PAGERDUTY)), step(), pagerduty_url=drips.url)

    assert drips.asked == 1


@pytest.mark.parametrize("is_chat", [True, False], ids=["chat", "pagerduty"])
def test_a_channel_whose_answer_trickles_is_given_up_and_not_told_twice(monkeypatch, is_chat):
    monkeypatch.setattr(alerts, "TRY_S", 0.3)
    with Drips(b"HTTP/1.1 200 OK\r\nX-Slow: ") as drips:
        address = f"json://127.0.0.1:{drips.port}/{TOKEN}" if is_chat else PAGERDUTY
        began = time.monotonic()

        with pytest.raises(AlertError, match="did not end its answer within 0 s") as caught:
            deliver(Channel("it", SecretStr(address)), step(), pagerduty_url=drips.url)

    assert time.monotonic() - began < 5
    assert drips.asked == 1
    assert TOKEN not in str(caught.value)


def test_a_redirect_of_pagerduty_is_not_followed_with_the_key(answers):
    sent = answers.post(
        "https://events.pagerduty.com/v2/enqueue",
        status=302,
        headers={"Location": "https://elsewhere.example.com"},
    )

    with pytest.raises(AlertError, match="answered 302") as caught:
        deliver(Channel("pagerduty", SecretStr(PAGERDUTY)), step())

    assert sent.call_count == 3
    assert KEY_OF_PAGERDUTY not in str(caught.value)
