"""The metadata service: version 2, as a machine meets it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from machines_surroundings import make_instance

from lab.machines.metadata import TOKEN_HEADER, TTL_HEADER, MetadataService


@contextlib.asynccontextmanager
async def a_client(**changes) -> AsyncIterator[TestClient]:
    service = MetadataService(lambda: make_instance(**changes), "123456789012")
    async with TestClient(TestServer(service.application())) as client:
        yield client


async def token(client: TestClient) -> dict[str, str]:
    answer = await client.put("/latest/api/token", headers={TTL_HEADER: "60"})
    assert answer.status == 200
    return {TOKEN_HEADER: await answer.text()}


def test_without_a_good_token_nothing_is_told():
    async def scenario() -> None:
        async with a_client() as client:
            for headers in ({}, {TOKEN_HEADER: "made-up"}):
                answer = await client.get("/latest/meta-data/local-ipv4", headers=headers)
                assert answer.status == 401

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({TTL_HEADER: "0"}, 400),
        ({TTL_HEADER: "21601"}, 400),
        ({TTL_HEADER: "x"}, 400),
        ({TTL_HEADER: "60", "X-Forwarded-For": "10.0.0.1"}, 403),
    ],
)
def test_a_token_needs_a_life_time_and_no_proxy(headers, status):
    async def scenario() -> None:
        async with a_client() as client:
            assert (await client.put("/latest/api/token", headers=headers)).status == status

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("local-ipv4", "10.42.16.5"),
        ("instance-id", "i-0abc0000000000001"),
        ("placement/region", "us-east-1"),
        ("placement/availability-zone", "us-east-1a"),
        ("hostname", "ip-10-42-16-5.ec2.internal"),
        ("iam/security-credentials/", "lab-control"),
    ],
)
def test_with_a_token_each_fact_is_told(path, told):
    async def scenario() -> None:
        async with a_client() as client:
            answer = await client.get(f"/latest/meta-data/{path}", headers=await token(client))
            assert (answer.status, await answer.text()) == (200, told)

    asyncio.run(scenario())


def test_the_identity_document_names_account_and_region():
    async def scenario() -> None:
        async with a_client() as client:
            path = "/latest/dynamic/instance-identity/document"
            document = await (await client.get(path, headers=await token(client))).json()
            assert document["accountId"] == "123456789012"
            assert document["region"] == "us-east-1"
            assert document["privateIp"] == "10.42.16.5"

    asyncio.run(scenario())


def test_credentials_belong_to_the_role_alone():
    async def scenario() -> None:
        async with a_client() as client:
            headers = await token(client)
            base = "/latest/meta-data/iam/security-credentials"
            known = await (await client.get(f"{base}/lab-control", headers=headers)).json()
            assert known["Code"] == "Success"
            assert known["AccessKeyId"].startswith("ASIA")
            assert (await client.get(f"{base}/other", headers=headers)).status == 404

    asyncio.run(scenario())


@pytest.mark.parametrize("path", ["nonsense", "iam/security-credentials/", "iam/info"])
def test_what_a_machine_without_a_profile_has_not_is_not_found(path):
    async def scenario() -> aiohttp.ClientResponse:
        async with a_client(profile="") as client:
            return await client.get(f"/latest/meta-data/{path}", headers=await token(client))

    assert asyncio.run(scenario()).status == 404


def test_a_machine_at_its_farewell_keeps_its_role():
    instance = {"state": "running", "profile": "lab-web"}

    async def scenario() -> None:
        service = MetadataService(lambda: make_instance(**instance), "123456789012")
        async with TestClient(TestServer(service.application())) as client:
            path, headers = "/latest/meta-data/iam/security-credentials/", await token(client)
            assert await (await client.get(path, headers=headers)).text() == "lab-web"
            instance.update(state="terminated", profile="")
            assert await (await client.get(path, headers=headers)).text() == "lab-web"
            assert (await client.get(f"{path}lab-web", headers=headers)).status == 200

    asyncio.run(scenario())
