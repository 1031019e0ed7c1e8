"""The lever's endpoints and the sink for alerts, without the rest of the lab."""

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apprise
import pytest
import requests
from aiohttp import web

from lab import alerts
from lab.lever import Lever
from lab.ready import Ready
from lab.world import World

EVENT = {
    "routing_key": "0123456789abcdef0123456789abcdef",
    "event_action": "trigger",
    "dedup_key": "lab/1h5/stuck",
    "payload": {"summary": "1h5 is stuck", "source": "corral", "severity": "error"},
}


class Machines:
    """Knows one instance."""

    def __init__(self) -> None:
        self.done: list[tuple] = []

    async def crash(self, instance_id: str) -> None:
        self._look_for(instance_id)
        self.done.append(("crash", instance_id))

    async def partition(self, instance_id: str, seconds: float) -> None:
        self._look_for(instance_id)
        self.done.append(("partition", instance_id, seconds))

    async def interrupt(self, instance_id: str) -> None:
        self._look_for(instance_id)
        self.done.append(("interrupt", instance_id))

    async def forget(self, instance_id: str) -> None:
        self._look_for(instance_id)
        self.done.append(("forget", instance_id))

    async def back_up(self, identifier: str) -> str:
        if identifier != "lab-database":
            raise LookupError(f"RDS has no instance {identifier} that keeps backups")
        return f"rds:{identifier}-2026-01-02-03-04"

    async def restart_servers(self) -> list[str]:
        self.done.append(("restart",))
        return ["i-1"]

    def _look_for(self, instance_id: str) -> None:
        if instance_id != "i-1":
            raise LookupError(f"EC2 has no living instance {instance_id}")


class Herd:
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.served: list[tuple[str, int]] = []

    def serve(self, name: str, scale: int, environment: str) -> None:
        if environment == "unknown":
            raise LookupError("Rancher has no environment 'unknown'")
        self.served.append((name, scale))

    async def seed(self, hosts: int, phantoms: int, environment: str) -> dict[str, Any]:
        if environment == "unknown":
            raise LookupError("Rancher has no environment 'unknown'")
        return {"hosts": hosts, "phantoms": phantoms, "environment": environment}

    def hosts(self) -> list[dict[str, Any]]:
        return [{"id": "1h1", "state": "active"}]


class Lab:
    """The two web applications on a loop of their own."""

    def __init__(self, root: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.world = World(10, root, self._loop)
        self.machines = Machines()
        self._runners: list[web.AppRunner] = []
        self.herd = Herd()
        lever = Lever(self.world, self.machines, self.herd)
        self.control_url = self._run(self._serve(lever.application))
        self.alerts_url = self._run(self._serve(lambda: alerts.application(self.world)))

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _serve(self, make: Callable[[], web.Application]) -> str:
        runner = web.AppRunner(make(), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._runners.append(runner)
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    def stop(self) -> None:
        for runner in self._runners:
            self._run(runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def pull(self, method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(method, self.control_url + path, json=body, timeout=5)


@pytest.fixture
def lab(tmp_path):
    made = Lab(tmp_path)
    yield made
    made.stop()


def test_a_fault_gets_an_id_and_works_until_it_is_deleted(lab):
    rule = {"target": "alerts", "match": {"operation": "POST /chat"}, "effect": {"status": 503}}
    first = lab.pull("POST", "/faults", rule)
    second = lab.pull("POST", "/faults", rule)

    assert first.status_code == 201
    assert first.json()["id"] != second.json()["id"]
    assert requests.post(f"{lab.alerts_url}/chat", json={}, timeout=5).status_code == 503
    lab.pull("DELETE", "/faults")
    assert requests.post(f"{lab.alerts_url}/chat", json={}, timeout=5).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "complaint"),
    [
        ("POST", "/faults", {"target": "dns", "effect": {"status": 500}}, "target has to be"),
        ("POST", "/faults", [], "the body has to be a JSON object"),
        ("POST", "/instances/i-1/partition", {"seconds": -1}, "seconds has to be a number"),
        ("POST", "/instances/i-1/partition", {"minutes": 1}, "no field minutes"),
        ("POST", "/herd", {"hosts": "many"}, "hosts has to be a number"),
        ("POST", "/services", {"scale": 2}, "name has to be a name, not None"),
    ],
)
def test_what_the_lever_does_not_understand_is_a_400_with_a_sentence(
    lab, method, path, body, complaint
):
    answer = lab.pull(method, path, body)

    assert answer.status_code == 400
    assert complaint in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/instances/i-2/crash", None),
        ("/instances/i-2/partition", {"seconds": 5}),
        ("/instances/i-2/interrupt", None),
        ("/instances/i-2/forget", None),
        ("/herd", {"hosts": 5, "environment": "unknown"}),
        ("/services", {"name": "web", "environment": "unknown"}),
        ("/nothing", None),
    ],
)
def test_what_is_not_there_is_a_404_with_a_sentence(lab, path, body):
    answer = lab.pull("POST", path, body)

    assert answer.status_code == 404
    assert answer.json()["error"]


def test_machines_are_crashed_partitioned_interrupted_and_forgotten(lab):
    assert lab.pull("POST", "/instances/i-1/crash").status_code == 200
    assert lab.pull("POST", "/instances/i-1/partition", {"seconds": 30}).status_code == 200
    assert lab.pull("POST", "/instances/i-1/interrupt").status_code == 200
    assert lab.pull("POST", "/instances/i-1/forget").status_code == 200

    assert lab.machines.done == [
        ("crash", "i-1"),
        ("partition", "i-1", 30),
        ("interrupt", "i-1"),
        ("forget", "i-1"),
    ]


def test_ranchers_servers_are_restarted_where_they_are(lab):
    answer = lab.pull("POST", "/servers/restart", {})

    assert answer.json() == {"instances": ["i-1"]}
    assert lab.machines.done == [("restart",)]


def test_a_database_is_backed_up_at_once(lab):
    answer = lab.pull("POST", "/databases/lab-database/backup", {})
    other = lab.pull("POST", "/databases/other/backup", {})

    assert (answer.status_code, answer.json()) == (
        201,
        {"snapshot": "rds:lab-database-2026-01-02-03-04"},
    )
    assert other.status_code == 404


def test_a_service_is_made_in_an_environment(lab):
    answer = lab.pull("POST", "/services", {"name": "web", "scale": 2})

    assert answer.status_code == 201
    assert answer.json() == {"name": "web", "scale": 2, "environment": "Default"}
    assert lab.herd.served == [("web", 2)]


def test_a_herd_is_seeded_and_hosts_are_listed(lab):
    herd = {"hosts": 100, "phantoms": 7, "environment": "lab"}

    assert lab.pull("POST", "/herd", herd).json() == herd
    assert lab.pull("GET", "/hosts").json() == [{"id": "1h1", "state": "active"}]


def test_the_journal_counts_calls_and_keeps_alerts_with_their_bodies(lab):
    lab.world.journal.record("aws", "DescribeInstances", 200)
    lab.world.journal.record("aws", "DescribeInstances", 200)
    requests.post(f"{lab.alerts_url}/v2/enqueue", json=EVENT, timeout=5)

    call, alert = lab.pull("GET", "/journal").json()
    assert call == {"target": "aws", "operation": "DescribeInstances", "status": 200, "count": 2}
    assert (alert["operation"], alert["status"]) == ("POST /v2/enqueue", 202)
    assert alert["body"] == EVENT
    lab.pull("DELETE", "/journal")
    assert lab.pull("GET", "/journal").json() == []


def test_pagerduty_takes_an_event_and_answers_its_key(lab):
    answer = requests.post(f"{lab.alerts_url}/v2/enqueue", json=EVENT, timeout=5)

    assert answer.status_code == 202
    assert answer.json() == {
        "status": "success",
        "message": "Event processed",
        "dedup_key": "lab/1h5/stuck",
    }


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"routing_key": ""}, "'routing_key' is missing or blank"),
        ({"event_action": "open"}, "'event_action' must be one of"),
        ({"payload": {"summary": "s", "source": "c", "severity": "bad"}}, "'payload.severity'"),
        ({"event_action": "resolve", "dedup_key": ""}, "'dedup_key' is missing or blank"),
    ],
)
def test_pagerduty_refuses_what_it_would_refuse(lab, change, complaint):
    answer = requests.post(f"{lab.alerts_url}/v2/enqueue", json=EVENT | change, timeout=5)

    assert answer.status_code == 400
    assert any(complaint in error for error in answer.json()["errors"])


def test_a_chat_webhook_answers_ok(lab):
    answer = requests.post(f"{lab.alerts_url}/chat/T1/B1/x", json={"text": "hello"}, timeout=5)

    assert (answer.status_code, answer.text) == (200, "ok")


def test_apprise_reaches_the_chat_of_the_exports(lab):
    ready = Ready("", "", lab.alerts_url, lab.control_url, 10, 1)
    chat = apprise.Apprise()
    chat.add(json.loads(ready.exports()["CORRAL_ALERT_URLS"])["chat"])

    assert chat.notify(title="stuck", body="1h5 is stuck", notify_type=apprise.NotifyType.FAILURE)
    (alert,) = lab.pull("GET", "/journal").json()
    assert alert["operation"].startswith("POST /hooks/")
    assert alert["body"]["text"].split() == ["stuck", "1h5", "is", "stuck"]


def test_a_reset_cuts_an_alert_off(lab):
    lab.pull("POST", "/faults", {"target": "alerts", "effect": {"reset": True}})

    with pytest.raises(requests.ConnectionError):
        requests.post(f"{lab.alerts_url}/chat", json={}, timeout=5)
    assert lab.pull("GET", "/journal").json()[0]["status"] == 0
