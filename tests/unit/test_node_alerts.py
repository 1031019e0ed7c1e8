"""Alerts from a machine: who is told what, how often, and that no address is ever shown."""

import json
import logging

import pytest
import requests
import responses
from corral_node import alerts
from corral_node.alerts import Kind, Place, Problem, read_channels, report, report_all_over
from corral_node.memory import Memory

ROUTING_KEY, TOKEN, HOOK = "a" * 32, "b" * 20, "c" * 24
PAGERDUTY = f"pagerduty://{ROUTING_KEY}@{TOKEN}/corral"
CHAT = f"mmost://chat.example.org/{HOOK}"
SECRETS = (ROUTING_KEY, TOKEN, HOOK)
ENQUEUE = "https://events.pagerduty.com/v2/enqueue"
CHAT_HOOK = f"http://chat.example.org/hooks/{HOOK}"
PLACE = Place("default", "i-1")
PROBLEM = Problem(Kind.JOIN, PLACE, "gave up on the secret")


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("time.monotonic", lambda: clock.now)
    monkeypatch.setattr("time.sleep", clock.sleep)
    monkeypatch.delenv("CORRAL_PAGERDUTY_URL", raising=False)
    return clock


@pytest.fixture
def people():
    """PagerDuty and a chat that take everything; a test may put others before them."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as people:
        people.post(ENQUEUE, status=202, json={"status": "success"})
        people.post(CHAT_HOOK, body="ok")
        yield people


@pytest.fixture
def memory(tmp_path):
    return Memory(tmp_path)


def heard(people: responses.RequestsMock, url: str) -> list[dict]:
    return [json.loads(call.request.body) for call in people.calls if call.request.url == url]


def test_pagerduty_gets_an_incident_and_its_end(people, memory):
    report(PROBLEM, PAGERDUTY, memory)
    report_all_over(PLACE, "host 1h1 is active", PAGERDUTY, memory)

    opened, closed = heard(people, ENQUEUE)
    assert opened == {
        "routing_key": ROUTING_KEY,
        "event_action": "trigger",
        "dedup_key": "corral/default/join/i-1",
        "payload": {
            "summary": "Host i-1 cannot join default",
            "source": "corral",
            "severity": "error",
            "custom_details": {"text": "gave up on the secret"},
        },
    }
    assert closed == {
        "routing_key": ROUTING_KEY,
        "event_action": "resolve",
        "dedup_key": "corral/default/join/i-1",
    }


def test_a_chat_hears_of_the_beginning_and_of_the_end(people, memory):
    report(PROBLEM, CHAT, memory)
    report_all_over(PLACE, "host 1h1 is active", CHAT, memory)

    opened, closed = (json.dumps(body) for body in heard(people, CHAT_HOOK))
    assert "Host i-1 cannot join default" in opened
    assert "gave up on the secret" in opened
    assert "Over: Host i-1 cannot join default" in closed
    assert "host 1h1 is active" in closed


def test_nobody_hears_anything_twice(people, memory):
    for _ in range(3):
        report(PROBLEM, f"{PAGERDUTY}\n\n{CHAT}\n", memory)
    for _ in range(3):
        report_all_over(PLACE, "done", f"{PAGERDUTY}\n{CHAT}", memory)

    assert len(people.calls) == 4
    assert memory.told == {}


def test_what_another_machine_told_is_not_taken_for_ones_own(people, memory):
    report(Problem(Kind.JOIN, Place("default", "i-0"), "baked into an image"), PAGERDUTY, memory)
    report(PROBLEM, PAGERDUTY, memory)

    assert len(people.calls) == 2


def test_what_was_never_told_has_no_end(people, memory):
    report_all_over(PLACE, "done", PAGERDUTY, memory)

    assert len(people.calls) == 0


@pytest.mark.parametrize(
    "trouble",
    [{"status": 503}, {"status": 429}, {"body": requests.ConnectionError(f"https://{TOKEN}")}],
    ids=["503", "429", "silent"],
)
def test_a_channel_in_trouble_is_tried_again_and_stops_nobody(people, memory, clock, trouble):
    people.replace(responses.POST, ENQUEUE, **trouble)
    report(PROBLEM, f"{PAGERDUTY}\n{CHAT}", memory)

    assert len(heard(people, ENQUEUE)) > 1
    assert len(heard(people, CHAT_HOOK)) == 1
    assert clock.now <= 1000 + alerts.DEADLINE_S

    people.replace(responses.POST, ENQUEUE, status=202, json={})
    report(PROBLEM, f"{PAGERDUTY}\n{CHAT}", memory)
    assert len(heard(people, CHAT_HOOK)) == 1, "who has heard of it is left in peace"
    assert len(memory.told[PROBLEM.key]) == 2


def test_a_refusal_is_not_repeated(people, memory):
    people.replace(responses.POST, ENQUEUE, status=400)
    report(PROBLEM, PAGERDUTY, memory)

    assert len(people.calls) == 1
    assert memory.told == {}


def test_a_chat_that_takes_nothing_is_tried_again(people, memory):
    people.replace(responses.POST, CHAT_HOOK, status=500)
    report(PROBLEM, CHAT, memory)

    assert len(people.calls) > 1
    assert memory.told == {}


def test_no_address_is_ever_shown(people, memory, caplog, capfd):
    caplog.set_level(logging.DEBUG, "corral_node")
    people.replace(responses.POST, ENQUEUE, status=503)
    people.replace(responses.POST, CHAT_HOOK, status=404)
    report(PROBLEM, f"{PAGERDUTY}\n{CHAT}\nnosuch://{HOOK}\n{HOOK}", memory)

    shown = caplog.text + "".join(capfd.readouterr()) + memory._path.read_text()
    assert "pagerduty was not told" in shown
    assert "line 3 of the alert channels is no Apprise URL" in shown
    assert not [secret for secret in SECRETS if secret in shown]


def test_pagerduty_may_be_elsewhere(people, memory, monkeypatch):
    people.post("https://events.eu.pagerduty.com/v2/enqueue", status=202)
    report(PROBLEM, f"{PAGERDUTY}?region=eu", memory)
    monkeypatch.setenv("CORRAL_PAGERDUTY_URL", "http://127.0.0.1:9/")
    people.post("http://127.0.0.1:9/v2/enqueue", status=202)
    report(Problem(Kind.LEAVE, PLACE, "late"), PAGERDUTY, memory)

    assert [call.request.url for call in people.calls] == [
        "https://events.eu.pagerduty.com/v2/enqueue",
        "http://127.0.0.1:9/v2/enqueue",
    ]


def test_without_a_memory_people_are_told_all_the_same(people, tmp_path, caplog):
    report(PROBLEM, PAGERDUTY, Memory(tmp_path / "nowhere"))

    assert len(people.calls) == 1
    assert "the next run may tell it again" in caplog.text


def test_a_channel_is_known_by_its_kind():
    assert [channel.name for channel in read_channels(f"{PAGERDUTY}\n{CHAT}")] == [
        "pagerduty",
        "Mattermost",
    ]
