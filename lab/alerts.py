"""A sink for alerts: PagerDuty's Events API v2 and the webhooks of chat services.

Everything that is posted is kept in the journal with its body.

Source: PagerDuty developer documentation, "Send an alert event" (202, 400 with its errors); Slack
and Mattermost incoming webhooks answer `ok`.
"""

import json
import uuid
from typing import Any

from aiohttp import web

from lab.effects import play
from lab.faults import RESET_STATUS
from lab.world import World

TARGET = "alerts"
ENQUEUE = "/v2/enqueue"
_ACTIONS = ("trigger", "acknowledge", "resolve")
_SEVERITIES = ("critical", "error", "warning", "info")


def event_faults(event: object) -> list[str]:
    """Return what PagerDuty would refuse an event for."""
    if not isinstance(event, dict):
        return ["Event object is invalid"]
    faults = []
    if not event.get("routing_key"):
        faults.append("'routing_key' is missing or blank")
    if event.get("event_action") not in _ACTIONS:
        faults.append(f"'event_action' must be one of {', '.join(_ACTIONS)}")
    if event.get("event_action") == "trigger":
        faults += _payload_faults(event.get("payload"))
    elif not event.get("dedup_key"):
        faults.append("'dedup_key' is missing or blank")
    return faults


def _payload_faults(payload: object) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or blank"]
    faults = [
        f"'payload.{name}' is missing or blank"
        for name in ("summary", "source")
        if not payload.get(name)
    ]
    if payload.get("severity") not in _SEVERITIES:
        faults.append(f"'payload.severity' must be one of {', '.join(_SEVERITIES)}")
    return faults


def _read(raw: bytes) -> Any:  # noqa: ANN401 - whatever JSON says
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")


def _enqueue(body: object) -> web.Response:
    faults = event_faults(body)
    if faults or not isinstance(body, dict):
        answer = {"status": "invalid event", "message": "Event object is invalid", "errors": faults}
        return web.json_response(answer, status=400)
    key = body.get("dedup_key") or uuid.uuid4().hex
    answer = {"status": "success", "message": "Event processed", "dedup_key": key}
    return web.json_response(answer, status=202)


def application(world: World) -> web.Application:
    """Return the sink; every path but PagerDuty's is a chat webhook."""

    async def take(request: web.Request) -> web.StreamResponse:
        operation = f"{request.method} {request.path}"
        body = _read(await request.read())

        async def own() -> web.StreamResponse:
            return _enqueue(body) if request.path == ENQUEUE else web.Response(text="ok")

        effect = world.faults.take(TARGET, operation)
        answer = await play(effect, request, own)
        status = RESET_STATUS if effect and effect.reset else answer.status
        world.journal.record(TARGET, operation, status, body)
        return answer

    sink = web.Application()
    sink.router.add_post("/{path:.*}", take)
    return sink
