"""Follows the load balancers that moto knows and stands in for each of their listeners."""

import asyncio
import itertools
import logging
from contextlib import suppress
from http import HTTPStatus

import aiohttp
from aiohttp import web

from lab.aws import Aws, ListenerView, LoadBalancerView, TargetGroupView, TargetView
from lab.balancer.checker import Checker
from lab.balancer.proxy import Proxy, own_answer, redirect
from lab.world import World

log = logging.getLogger(__name__)

FOLLOW_S = 0.1
HTTPS, HTTP = 443, 80
_STOP_S = 0.5


class _Front:
    """One port of loopback that stands in for one listener, while there is one."""

    def __init__(self, balancer: "Balancer") -> None:
        self._balancer = balancer
        self._turns = itertools.count()
        self._runner: web.ServerRunner | None = None
        self.port = 0
        self.owner: LoadBalancerView | None = None
        self.listener: ListenerView | None = None

    async def open(self, port: int) -> None:
        self._runner = web.ServerRunner(
            web.Server(self._answer, access_log=None, handler_cancellation=True),
            shutdown_timeout=_STOP_S,
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.port = int(self._runner.addresses[0][1])

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        owner, listener = self.owner, self.listener
        if owner is None or listener is None:
            return own_answer(HTTPStatus.SERVICE_UNAVAILABLE)
        return await self._balancer.answer(request, owner, listener, next(self._turns))


class Balancer:
    """Every load balancer of the lab.

    The first load balancer's HTTPS and HTTP listeners get the two ports that are open from the
    start, so that Rancher's address is known before there is a load balancer; until then it answers
    503. Others get ports as they appear.
    """

    def __init__(self, world: World, aws: Aws) -> None:
        self._world = world
        self._aws = aws
        self._first = {HTTPS: _Front(self), HTTP: _Front(self)}
        self._further: dict[tuple[str, int], _Front] = {}
        self._session: aiohttp.ClientSession | None = None
        self._follower: asyncio.Task[None] | None = None

    async def start(self, https_port: int = 0, http_port: int = 0) -> None:
        """Open the two reserved ports and begin to follow."""
        self._session = aiohttp.ClientSession(
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
        )
        self._proxy = Proxy(self._session)
        await self._first[HTTPS].open(https_port)
        await self._first[HTTP].open(http_port)
        self._world.rancher_url = f"http://127.0.0.1:{self._first[HTTPS].port}"
        checker = Checker(self._world, self._aws, self._session)
        self._follower = asyncio.create_task(self._follow(checker), name="balancer")

    async def stop(self) -> None:
        """Close everything."""
        if self._follower is not None:
            self._follower.cancel()
            with suppress(asyncio.CancelledError):
                await self._follower
        fronts = [*self._first.values(), *self._further.values()]
        await asyncio.gather(*(front.close() for front in fronts))
        if self._session is not None:
            await self._session.close()

    def place_of(self, dns_name: str, port: int) -> tuple[str, int] | None:
        """Return where a listener's port of a load balancer is, without its TLS."""
        fronts = [*self._first.values(), *self._further.values()]
        for front in fronts:
            owner, listener = front.owner, front.listener
            if owner and listener and (owner.dns_name, listener.port) == (dns_name, port):
                return "127.0.0.1", front.port
        return None

    async def answer(
        self, request: web.BaseRequest, owner: LoadBalancerView, listener: ListenerView, turn: int
    ) -> web.StreamResponse:
        """Answer one request as the listener's action says."""
        if listener.action == "redirect":
            return redirect(
                request, listener, {at: front.port for at, front in self._first.items()}
            )
        if listener.action == "fixed-response":
            return web.Response(status=listener.fixed_status, text=listener.fixed_body)
        group = self._aws.target_group(listener.target_group_arn)
        able = able_targets(group) if group else []
        if not able:
            return own_answer(HTTPStatus.SERVICE_UNAVAILABLE)
        target = able[turn % len(able)]
        place = self._world.addresses.of(target.private_ip, target.port)
        idle_s = self._world.seconds(owner.idle_timeout_s)
        return await self._proxy.forward(request, listener, place, idle_s)

    async def _follow(self, checker: Checker) -> None:
        try:
            while True:
                balancers = self._aws.load_balancers()
                await self._assign(balancers)
                checker.examine(self._groups(balancers))
                await asyncio.sleep(FOLLOW_S)
        finally:
            checker.stop()

    def _groups(self, balancers: list[LoadBalancerView]) -> list[TargetGroupView]:
        arns = {
            listener.target_group_arn: None
            for balancer in balancers
            for listener in balancer.listeners
            if listener.target_group_arn
        }
        found = (self._aws.target_group(arn) for arn in arns)
        return [group for group in found if group is not None]

    async def _assign(self, balancers: list[LoadBalancerView]) -> None:
        """Give each listener its port, and take back the ports of listeners that are gone."""
        wanted = {
            (balancer.arn, listener.port): (balancer, listener)
            for balancer in balancers
            for listener in balancer.listeners
        }
        for at, front in self._first.items():
            own = balancers[0].arn if balancers else ""
            front.owner, front.listener = wanted.pop((own, at), (None, None))
        for key in self._further.keys() - wanted.keys():
            await self._further.pop(key).close()
        for key, (balancer, listener) in wanted.items():
            if key not in self._further:
                self._further[key] = _Front(self)
                await self._further[key].open(0)
            self._further[key].owner, self._further[key].listener = balancer, listener


def able_targets(group: TargetGroupView) -> list[TargetView]:
    """Return the targets that may get a request: the healthy ones.

    When every checked target is unhealthy, all of them get requests: the load balancer fails open.

    Source: Elastic Load Balancing user guide, "Health checks for Application Load Balancer target
    groups".
    """
    running = [target for target in group.targets if target.running]
    healthy = [target for target in running if target.health == "healthy"]
    return healthy or [target for target in running if target.health == "unhealthy"]
