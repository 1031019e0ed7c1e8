"""The load balancer's stand-in: who gets requests, what it adds, and what it finds of targets."""

import asyncio
import itertools
import time

import aiohttp
import pytest
import requests
from aiohttp import web
from aws_lab import AwsLab, eventually

from lab.aws import HealthCheck
from lab.balancer.health import (
    FAILED,
    GOOD,
    HEALTHY,
    INITIAL,
    TIMED_OUT,
    UNHEALTHY,
    Standing,
    matches,
    mismatch,
)

CHECK = HealthCheck("/ping", 0, 10, 5, healthy_after=2, unhealthy_after=3, codes="200")
NUMBERS = itertools.count(100)


class Target:
    """A server on a private address of the VPC, told how to answer."""

    def __init__(self, lab: AwsLab, private_ip: str) -> None:
        self._lab = lab
        self._place = lab.world.addresses.of(private_ip, 8080)
        self.ping_status = 200
        self.seen: list[dict] = []
        self._runner: web.AppRunner | None = None
        lab.run(self.start())

    async def start(self) -> None:
        application = web.Application()
        application.router.add_get("/ping", self._ping)
        application.router.add_get("/socket", self._socket)
        application.router.add_get("/refuse", self._refuse)
        application.router.add_get("/slow", self._slow)
        application.router.add_get("/break", self._break)
        application.router.add_route("*", "/{path:.*}", self._echo)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, *self._place).start()

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _ping(self, _: web.Request) -> web.Response:
        if self.ping_status == 0:
            await asyncio.sleep(10)
        return web.Response(text="pong\n", status=self.ping_status)

    async def _echo(self, request: web.Request) -> web.Response:
        self.seen.append(dict(request.headers))
        answer = {
            "path": request.raw_path,
            "body": (await request.read()).decode(),
            "by": self._place[0],
        }
        return web.json_response(answer, headers={"X-Rancher-Version": "v1.6.30"})

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("lab",))
        await socket.prepare(request)
        async for message in socket:
            if message.type == aiohttp.WSMsgType.TEXT:
                await socket.send_str(message.data.upper())
            else:
                await socket.send_bytes(message.data[::-1])
        return socket

    async def _refuse(self, _: web.Request) -> web.Response:
        return web.Response(status=401)

    async def _slow(self, _: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    async def _break(self, request: web.Request) -> web.Response:
        request.transport.abort()
        return web.Response()


class FrontDoor:
    """One load balancer with a redirect and a forward to a group's targets."""

    def __init__(self, lab: AwsLab, size: int) -> None:
        self.lab = lab
        number = next(NUMBERS)
        name = f"door-{number}"
        vpc_id, subnets = lab.network(f"10.{number}.0.0/16")
        elb = self.elb = lab.client("elbv2")
        self.arn = elb.create_load_balancer(Name=name, Subnets=subnets)["LoadBalancers"][0][
            "LoadBalancerArn"
        ]
        elb.modify_load_balancer_attributes(
            LoadBalancerArn=self.arn,
            Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "100"}],
        )
        self.group_arn = elb.create_target_group(
            Name=name,
            Protocol="HTTP",
            Port=8080,
            VpcId=vpc_id,
            HealthCheckPath="/ping",
            HealthCheckIntervalSeconds=10,
            HealthCheckTimeoutSeconds=5,
            HealthyThresholdCount=2,
            UnhealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        lab.group(
            name,
            size,
            VPCZoneIdentifier=",".join(subnets),
            TargetGroupARNs=[self.group_arn],
            HealthCheckType="ELB",
            HealthCheckGracePeriod=3600,
        )
        self.name = name
        found = lab.client("ec2").describe_instances(InstanceIds=list(lab.members(name)))
        addresses = [each["Instances"][0]["PrivateIpAddress"] for each in found["Reservations"]]
        self.targets = [Target(lab, address) for address in addresses]

    def listen(self) -> None:
        acm = self.lab.client("acm")
        certificate = acm.request_certificate(DomainName="r.corral.test")["CertificateArn"]
        redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
        self.elb.create_listener(
            LoadBalancerArn=self.arn,
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "redirect", "RedirectConfig": redirect}],
        )
        self.elb.create_listener(
            LoadBalancerArn=self.arn,
            Protocol="HTTPS",
            Port=443,
            Certificates=[{"CertificateArn": certificate}],
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.group_arn}],
        )

    def health(self) -> list[tuple[str, str | None]]:
        found = self.elb.describe_target_health(TargetGroupArn=self.group_arn)
        return sorted(
            (one["TargetHealth"]["State"], one["TargetHealth"].get("Reason"))
            for one in found["TargetHealthDescriptions"]
        )

    @property
    def url(self) -> str:
        return self.lab.world.rancher_url


@pytest.fixture(scope="module")
def door(aws_lab):
    """Return a front door with two healthy targets behind it."""
    before = requests.get(aws_lab.world.rancher_url + "/ping", timeout=5)
    assert (before.status_code, before.headers["Server"]) == (503, "awselb/2.0")
    made = FrontDoor(aws_lab, 2)
    assert made.health() == [("unused", "Target.NotInUse")] * 2
    made.listen()
    eventually(lambda: made.health() == [("healthy", None)] * 2, 10)
    return made


@pytest.fixture
def healthy(door):
    """Return the front door when everything behind it is well again."""
    yield door
    for target in door.targets:
        target.ping_status = 200
    eventually(lambda: door.health() == [("healthy", None)] * 2, 10)


def test_requests_go_to_the_targets_in_turn(door):
    answers = {requests.get(f"{door.url}/v1", timeout=5).json()["by"] for _ in range(6)}

    assert len(answers) == 2


def test_path_body_and_headers_pass_and_forwarding_is_added(door):
    for target in door.targets:
        target.seen.clear()
    answer = requests.post(
        f"{door.url}/v2-beta/hosts?name=a%20b%2Fc",
        data="body",
        headers={"X-Forwarded-For": "198.51.100.7", "X-Own": "kept"},
        timeout=5,
    )

    (seen,) = [one for target in door.targets for one in target.seen]
    port = door.url.rpartition(":")[2]
    assert answer.json()["path"] == "/v2-beta/hosts?name=a%20b%2Fc"
    assert answer.json()["body"] == "body"
    assert answer.headers["X-Rancher-Version"] == "v1.6.30"
    assert seen["X-Own"] == "kept"
    assert seen["X-Forwarded-For"] == "198.51.100.7, 127.0.0.1"
    assert (seen["X-Forwarded-Proto"], seen["X-Forwarded-Port"]) == ("http", port)
    assert seen["X-Amzn-Trace-Id"].startswith("Root=1-")


def test_who_comes_by_the_clusters_name_came_by_https(door):
    for target in door.targets:
        target.seen.clear()
    requests.get(f"{door.url}/v1", headers={"Host": "rancher.corral.test"}, timeout=5)

    (seen,) = [one for target in door.targets for one in target.seen]
    assert seen["Host"] == "rancher.corral.test"
    assert (seen["X-Forwarded-Proto"], seen["X-Forwarded-Port"]) == ("https", "443")


def test_plain_http_is_redirected(door):
    redirecting = door.lab.balancer.place_of(
        door.elb.describe_load_balancers(LoadBalancerArns=[door.arn])["LoadBalancers"][0][
            "DNSName"
        ],
        80,
    )
    url = f"http://{redirecting[0]}:{redirecting[1]}/env/1a5?x=1"
    plain = requests.get(url, allow_redirects=False, timeout=5)
    named = requests.get(
        url, headers={"Host": "rancher.corral.test"}, allow_redirects=False, timeout=5
    )

    assert plain.status_code == named.status_code == 301
    assert plain.headers["Location"] == f"{door.url}/env/1a5?x=1"
    assert named.headers["Location"] == "https://rancher.corral.test:443/env/1a5?x=1"


def test_websockets_pass_both_ways(door):
    async def talk() -> tuple[str, bytes, str | None]:
        url = door.url.replace("http", "ws") + "/socket"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url, protocols=("other", "lab")) as socket,
        ):
            await socket.send_str("agent")
            text = await socket.receive_str()
            await socket.send_bytes(b"abc")
            return text, await socket.receive_bytes(), socket.protocol

    assert asyncio.run(talk()) == ("AGENT", b"cba", "lab")


def test_a_refused_upgrade_is_passed_on(door):
    async def try_to_talk() -> int:
        url = door.url.replace("http", "ws") + "/refuse"
        async with aiohttp.ClientSession() as session:
            try:
                await session.ws_connect(url)
            except aiohttp.WSServerHandshakeError as error:
                return error.status
        return 101

    assert asyncio.run(try_to_talk()) == 401


def test_a_target_that_breaks_off_is_a_502(door):
    answer = requests.get(f"{door.url}/break", timeout=5)

    assert (answer.status_code, answer.headers["Server"]) == (502, "awselb/2.0")


def test_a_target_that_is_silent_for_the_idle_timeout_is_a_504(door):
    began = time.monotonic()
    answer = requests.get(f"{door.url}/slow", timeout=10)

    assert answer.status_code == 504
    assert time.monotonic() - began < 3


def test_a_target_that_answers_wrongly_is_unhealthy_and_gets_no_requests(healthy):
    healthy.targets[0].ping_status = 500
    reason = ("unhealthy", "Target.ResponseCodeMismatch")
    eventually(lambda: healthy.health() == [("healthy", None), reason], 10)

    answers = {requests.get(f"{healthy.url}/v1", timeout=5).json()["by"] for _ in range(4)}
    assert len(answers) == 1


def test_a_target_that_does_not_answer_in_time_is_unhealthy(healthy):
    healthy.targets[0].ping_status = 0

    timed_out = ("unhealthy", "Target.Timeout")
    eventually(lambda: healthy.health() == [("healthy", None), timed_out], 15)


def test_when_all_are_unhealthy_all_get_requests(healthy):
    for target in healthy.targets:
        target.ping_status = 503
    eventually(lambda: {state for state, _ in healthy.health()} == {"unhealthy"}, 10)

    assert requests.get(f"{healthy.url}/v1", timeout=5).status_code == 200


def test_an_unhealthy_instance_is_replaced_after_the_grace_period(aws_lab):
    other = FrontDoor(aws_lab, 1)
    other.listen()
    (victim,) = aws_lab.members(other.name)
    eventually(lambda: other.health() == [("healthy", None)], 10)
    other.targets[0].ping_status = 500
    eventually(lambda: other.health()[0][0] == "unhealthy", 10)

    assert victim in aws_lab.members(other.name)
    aws_lab.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=other.name, HealthCheckGracePeriod=1
    )
    eventually(lambda: victim not in aws_lab.members(other.name))


@pytest.mark.parametrize(
    ("findings", "state"),
    [
        ([], INITIAL),
        ([GOOD], HEALTHY),
        ([FAILED, FAILED], INITIAL),
        ([FAILED, FAILED, FAILED], UNHEALTHY),
        ([GOOD, FAILED, FAILED], HEALTHY),
        ([GOOD, FAILED, FAILED, GOOD, FAILED], HEALTHY),
        ([GOOD, FAILED, FAILED, TIMED_OUT], UNHEALTHY),
        ([FAILED] * 3 + [GOOD], UNHEALTHY),
        ([FAILED] * 3 + [GOOD, GOOD], HEALTHY),
    ],
)
def test_a_standing_follows_the_thresholds(findings, state):
    standing = Standing()
    for finding in findings:
        standing = standing.after(finding, CHECK)

    assert standing.state == state


def test_a_mismatch_says_which_code_came():
    assert mismatch(502).description == "Health checks failed with these codes: [502]"


@pytest.mark.parametrize(
    ("codes", "status", "fits"),
    [("200", 200, True), ("200", 204, False), ("200-299,301", 204, True), ("200,301", 301, True)],
)
def test_a_matcher_takes_lists_and_ranges(codes, status, fits):
    assert matches(codes, status) is fits
