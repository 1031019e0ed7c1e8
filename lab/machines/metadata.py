"""The instance metadata service, version 2 only, of one machine.

Source: EC2 user guide, "Use IMDSv2", "Instance metadata categories", "IAM roles for Amazon EC2".
"""

import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from lab.aws.views import InstanceView

TOKEN_HEADER = "X-aws-ec2-metadata-token"
TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"
TTL_HIGHEST_S = 21600
CREDENTIALS_LAST = timedelta(hours=6)


def describe(instance: InstanceView, account_id: str) -> dict[str, str]:
    """Return what the service tells, by path below `/latest/meta-data/`."""
    return {
        "ami-id": instance.image_id,
        "hostname": instance.private_dns,
        "instance-id": instance.id,
        "instance-type": instance.instance_type,
        "local-hostname": instance.private_dns,
        "local-ipv4": instance.private_ip,
        "placement/availability-zone": instance.zone,
        "placement/region": instance.zone[:-1],
        "services/partition": "aws",
        "services/domain": "amazonaws.com",
        **_describe_role(instance, account_id),
    }


def _describe_role(instance: InstanceView, account_id: str) -> dict[str, str]:
    if not instance.profile:
        return {}
    arn = f"arn:aws:iam::{account_id}:instance-profile/{instance.profile}"
    return {"iam/info": f'{{"Code": "Success", "InstanceProfileArn": "{arn}"}}'}


def describe_identity(instance: InstanceView, account_id: str) -> dict[str, Any]:
    """Return the instance identity document."""
    return {
        "accountId": account_id,
        "architecture": "x86_64",
        "availabilityZone": instance.zone,
        "imageId": instance.image_id,
        "instanceId": instance.id,
        "instanceType": instance.instance_type,
        "privateIp": instance.private_ip,
        "region": instance.zone[:-1],
        "version": "2017-09-30",
    }


def _make_credentials() -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        "Code": "Success",
        "Type": "AWS-HMAC",
        "AccessKeyId": f"ASIA{secrets.token_hex(8).upper()}",
        "SecretAccessKey": secrets.token_urlsafe(30),
        "Token": secrets.token_urlsafe(120),
        "LastUpdated": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Expiration": (now + CREDENTIALS_LAST).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


class MetadataService:
    """Answers one machine's questions about itself.

    EC2 is asked anew each time, since a profile may come late. Its role goes by the profile's name
    here, and gets any credentials: the lab's AWS looks at no rights. A machine that is still at its
    farewell keeps its role, although an instance that is terminated has none any more.
    """

    def __init__(self, look: Callable[[], InstanceView], account_id: str) -> None:
        self._look = look
        self._account_id = account_id
        self._tokens: dict[str, float] = {}
        self._last_role = ""

    def application(self) -> web.Application:
        """Return the service as a web application."""
        application = web.Application(middlewares=[self._demand_token])
        application.router.add_put("/latest/api/token", self._issue_token)
        application.router.add_get(
            "/latest/dynamic/instance-identity/document", self._answer_identity
        )
        roles = "/latest/meta-data/iam/security-credentials"
        application.router.add_get(f"{roles}/", self._answer_role)
        application.router.add_get(f"{roles}/{{role}}", self._answer_credentials)
        application.router.add_get("/latest/meta-data/{path:.+}", self._answer_fact)
        return application

    @web.middleware
    async def _demand_token(self, request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401
        is_token_request = request.method == "PUT"
        if not is_token_request and not self._is_good(request.headers):
            return web.Response(status=401, text="Unauthorized")
        answer: web.StreamResponse = await handler(request)
        return answer

    def _is_good(self, headers: Mapping[str, str]) -> bool:
        return self._tokens.get(headers.get(TOKEN_HEADER, ""), 0.0) > time.monotonic()

    async def _issue_token(self, request: web.Request) -> web.Response:
        if "X-Forwarded-For" in request.headers:
            return web.Response(status=403, text="Forbidden")
        ttl = request.headers.get(TTL_HEADER, "")
        if not ttl.isdigit() or not 1 <= int(ttl) <= TTL_HIGHEST_S:
            return web.Response(status=400, text="Bad Request")
        token = secrets.token_urlsafe(40)
        self._tokens[token] = time.monotonic() + int(ttl)
        return web.Response(text=token, headers={TTL_HEADER: ttl})

    async def _answer_identity(self, _request: web.Request) -> web.Response:
        return web.json_response(describe_identity(self._look(), self._account_id))

    def _role(self) -> str:
        instance = self._look()
        if instance.state != "terminated":
            self._last_role = instance.profile
        return self._last_role

    async def _answer_role(self, _request: web.Request) -> web.Response:
        role = self._role()
        return web.Response(text=role) if role else web.Response(status=404)

    async def _answer_credentials(self, request: web.Request) -> web.Response:
        if request.match_info["role"] != self._role():
            return web.Response(status=404)
        return web.json_response(_make_credentials())

    async def _answer_fact(self, request: web.Request) -> web.Response:
        facts = describe(self._look(), self._account_id)
        fact = facts.get(request.match_info["path"])
        return web.Response(status=404) if fact is None else web.Response(text=fact)
