"""Sumo Logic and Datadog take the place of CloudWatch, and no secret of theirs is in the image."""

import json

import pytest

from tests.images.conftest import Player
from tests.images.depot import Depot
from tests.images.root import Root

pytestmark = [
    pytest.mark.images,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("images"),
]

READER = "/usr/local/sbin/corral-boot-secret"


@pytest.fixture(scope="module")
def sender(image: Root, player: Player, depot: Depot) -> Root:
    """The image with both."""
    player.role(
        "logs",
        logs_to="sumologic",
        logs_sumologic_secret="lab/sumologic",
        logs_sumologic_key_fingerprints=[depot.fingerprint],
    )
    player.role("metrics", metrics_to="datadog", metrics_datadog_secret="lab/datadog")
    return image


@pytest.mark.parametrize(
    ("unit", "variable"),
    [
        ("otelcol-sumo.service", "SUMOLOGIC_INSTALLATION_TOKEN"),
        ("datadog-agent.service", "DD_API_KEY"),
    ],
)
def test_an_agent_gets_its_secret_at_boot(sender: Root, unit: str, variable: str):
    told = sender.read(f"/etc/systemd/system/{unit}.d/corral-boot-secret.conf")

    assert f"--variable {variable} --to /run/corral-secrets/{unit}" in told
    assert sender.run("systemctl", "is-enabled", unit) == "enabled\n"
    assert sender.run("systemd-analyze", "verify", "--man=no", unit) == ""


def test_the_reader_says_what_it_could_not_read_and_that_no_region_is_known(sender: Root):
    given = ("--secret", "lab/datadog", "--field", "api_key", "--variable", "DD_API_KEY")
    said = sender.run(READER, *given, "--to", "/run/corral-secrets/x", fails=True)

    assert said.startswith("field api_key of secret lab/datadog was not read: ")
    assert "/etc/corral/node.json" in said
    assert not sender.has("/run/corral-secrets/x")


def test_the_reader_writes_a_file_for_root_alone(sender: Root):
    sender.write("/etc/corral/node.json", json.dumps({"region": "eu-west-1"}))
    # In place of AWS's library: a module of the same name that the reader finds first
    sender.write("/srv/boto3.py", SECRETS_MANAGER)
    given = ("--secret", "lab/datadog", "--field", "api_key", "--variable", "DD_API_KEY")
    sender.run("env", "PYTHONPATH=/srv", READER, *given, "--to", "/run/corral-secrets/datadog")
    sender.remove("/etc/corral/node.json")

    assert sender.read("/run/corral-secrets/datadog") == "DD_API_KEY=eu-west-1-lab/datadog\n"
    assert sender.run("stat", "--format", "%U %a", "/run/corral-secrets/datadog") == "root 600\n"


SECRETS_MANAGER = """
import json

class client:
    def __init__(self, service, region_name, config):
        self.region = region_name

    def get_secret_value(self, SecretId):
        return {"SecretString": json.dumps({"api_key": f"{self.region}-{SecretId}"})}
"""
