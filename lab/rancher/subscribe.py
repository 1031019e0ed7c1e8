"""Subscriptions over WebSocket: changes of resources for people, pings for agents."""

import asyncio
import contextlib
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from aiohttp import WSMsgType, web

from lab.rancher import timings
from lab.rancher.agents import AgentService
from lab.rancher.call import Call
from lab.rancher.callers import Caller
from lab.rancher.rows import Agent, Row, new_uuid
from lab.rancher.schema import TYPES
from lab.rancher.schema.shape import ResourceType
from lab.rancher.states import GONE

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster

BACKLOG: Final = 10_000
AGENT_PATIENCE_S: Final = 2 * timings.PING


def event(name: str, **more: object) -> dict[str, object]:
    """Return an event as it goes over the wire.

    cattle: EventVO.java
    """
    return {"name": name, "id": new_uuid(), "time": int(time.time() * 1000), **more}


class Subscription:
    """Somebody who hears of every change in what he may see.

    cattle: NonBlockingSubscriptionHandler.java, ResourceChangeEventListenerImpl.java
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._changes: asyncio.Queue[dict[str, object]] = asyncio.Queue(BACKLOG)
        role = call.caller.role
        self._kinds = [kind for kind in TYPES.values() if kind.rights.get(role)]

    async def serve(self, socket: web.WebSocketResponse) -> None:
        """Send changes, and a ping every 5 s, until the other side hangs up."""
        store = self._call.cluster.store
        store.listen(self._note)
        sender = asyncio.create_task(self._send(socket))
        try:
            async for message in socket:
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            store.unlisten(self._note)
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await sender

    async def _send(self, socket: web.WebSocketResponse) -> None:
        await socket.send_str(json.dumps(event("ping")))
        pause = self._call.cluster.world.seconds(timings.SUBSCRIBE_PING)
        while True:
            try:
                async with asyncio.timeout(pause):
                    change = await self._changes.get()
            except TimeoutError:
                change = event("ping")
            await socket.send_str(json.dumps(change))

    def _note(self, base: str, row: Row) -> None:
        kind = self._kind_of(base, row)
        if kind is None or self._changes.full():
            return
        manager = self._call.cluster.managers[kind.name]
        if manager.is_visible(self._call, row):
            document = manager.document(self._call, row)
            self._changes.put_nowait(
                event(
                    "resource.change",
                    resourceId=document["id"],
                    resourceType=kind.name,
                    data={"resource": document},
                )
            )

    def _kind_of(self, base: str, row: Row) -> ResourceType | None:
        fitting = (kind for kind in self._kinds if kind.base == base)
        return next((kind for kind in fitting if kind.kind in (None, row.kind)), None)


class AgentSocket:
    """The connection of one agent.

    A real agent answers by POST to /v1/publish; the one of the lab on the socket itself.
    cattle: AgentLocatorImpl.java, rancher: python-agent (agent/pubsub)
    """

    def __init__(self, cluster: "RancherCluster", agent: Agent) -> None:
        self._cluster = cluster
        self._agent = agent
        self._socket: web.WebSocketResponse | None = None
        self._answered = False
        self._last_answer = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_answering(self) -> bool:
        """Say whether the agent answered one of the last two pings."""
        return time.time() - self._last_answer < self._cluster.world.seconds(AGENT_PATIENCE_S)

    def take_answer(self) -> bool:
        """Say whether the last ping was answered, and forget the answer."""
        answered, self._answered = self._answered, False
        return answered

    def ping(self, *, resources: bool) -> None:
        """Send a ping."""
        options = {"stats": True, "resources": resources}
        self._spawn(json.dumps(event("ping", data={"options": options})))

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            socket = self._socket
            self._keep(asyncio.ensure_future(_close(socket)))

    def _spawn(self, text: str) -> None:
        if self._socket is not None and not self._socket.closed:
            self._keep(asyncio.ensure_future(_send(self._socket, text)))

    def _keep(self, task: "asyncio.Task[None]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def serve(self, socket: web.WebSocketResponse, agents: AgentService) -> None:
        """Ping the agent and take its answers, until it hangs up."""
        self._socket = socket
        self._last_answer = time.time()
        agents.connect(self._agent, self)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._take(json.loads(message.data), agents)
        finally:
            agents.disconnect(self._agent, self)

    def _take(self, answer: Mapping[str, object], agents: AgentService) -> None:
        self._answered = True
        self._last_answer = time.time()
        resources = answer.get("resources")
        if isinstance(resources, dict):
            agents.report(self._agent, resources)


async def _send(socket: web.WebSocketResponse, text: str) -> None:
    with contextlib.suppress(ConnectionError):
        await socket.send_str(text)


async def _close(socket: web.WebSocketResponse) -> None:
    with contextlib.suppress(ConnectionError):
        await socket.close()


def agent_of(cluster: "RancherCluster", caller: Caller) -> Agent | None:
    """Return the agent that calls, if an agent does and it is not removed."""
    for agent in cluster.store.agents.where("account_id", caller.user.id):
        if agent.state not in GONE:
            return agent
    return None
