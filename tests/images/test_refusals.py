"""What a role is not told, or what is not its publisher's, is refused in one sentence."""

from typing import Any

import pytest
import yaml

from tests.images.conftest import IMAGES, Player
from tests.images.depot import Depot
from tests.images.root import Root

pytestmark = [
    pytest.mark.images,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("images"),
]


EXAMPLE = yaml.safe_load((IMAGES / "operators.example.yml").read_text())


@pytest.mark.parametrize(
    ("role", "told", "sentence"),
    [
        (
            "base_server",
            {"base_server_operators": None},
            "missing required arguments: base_server_operators",
        ),
        (
            "base_server",
            {"base_server_operators": [{"name": "ada"}]},
            "missing required arguments: public_keys found in base_server_operators",
        ),
        (
            "base_server",
            {"base_server_ssm_agent_key": None},
            "missing required arguments: base_server_ssm_agent_key",
        ),
        ("base_server", EXAMPLE, "base_server_ssm_agent_key is no public key of PGP: copy AWS's"),
        (
            "logs",
            {"logs_to": "papertrail"},
            "value of logs_to must be one of: cloudwatch, sumologic",
        ),
        (
            "logs",
            {"logs_to": "sumologic"},
            "Logs to Sumo Logic take two more variables: logs_sumologic_secret, the name of",
        ),
        (
            "metrics",
            {"metrics_to": "datadog"},
            "Metrics to Datadog take one more variable: metrics_datadog_secret, the name of",
        ),
        (
            "docker_host",
            {"docker_host_key_fingerprints": ["0" * 40]},
            f"expected were {'0' * 40}: compare both with what the publisher says",
        ),
        (
            "docker_host",
            {"docker_host_key_url": "http://127.0.0.1/key.asc"},
            "A publisher's key is not fetched by https: http://127.0.0.1/key.asc",
        ),
    ],
    ids=[
        *("no-operators", "no-keys-of-an-operator", "no-key-of-the-agent", "key-of-the-example"),
        *("unknown-place-for-logs", "no-secret-of-sumologic", "no-secret-of-datadog"),
        *("another-key", "key-without-https"),
    ],
)
def test_a_role_says_what_it_lacks(player: Player, role: str, told: dict[str, Any], sentence: str):
    assert sentence in player.role(role, fails=True, **told)


def test_a_private_key_of_an_operator_is_refused(player: Player):
    private = {"name": "ada", "public_keys": ["-----BEGIN OPENSSH PRIVATE KEY-----"]}
    said = player.role("base_server", fails=True, base_server_operators=[private])

    assert "Operator ada has no key, or one that is no public key of SSH" in said


@pytest.mark.parametrize("name", ["root", "admin", "Ada Example"])
def test_an_operator_who_would_be_somebody_else_is_refused(player: Player, name: str):
    taken = {"name": name, "public_keys": ["ssh-ed25519 AAAA ada@example.org"]}
    said = player.role("base_server", fails=True, base_server_operators=[taken])

    assert f"No operator can be named {name}: take small letters" in said


def test_a_package_that_is_not_the_signed_one_is_not_installed(
    image: Root, player: Player, depot: Depot
):
    said = player.role(
        "signed_package",
        fails=True,
        signed_package_name="spoiled",
        signed_package_url=depot.offer_spoiled("amazon-ssm-agent"),
        signed_package_key="/etc/apt/keyrings/amazon-ssm-agent.asc",
    )

    assert "is not signed by /etc/apt/keyrings/amazon-ssm-agent.asc" in said
    assert image.run("sh", "-c", "ls -d /tmp/*.corral 2>/dev/null || true") == ""
