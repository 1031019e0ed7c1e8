"""What a stack or AWS would refuse late, the model of a cluster file refuses early."""

import copy
import re
from collections import Counter
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml
from pydantic import ValidationError

from corral.cluster import ClusterSpec
from corral.cluster.rules import TAKEN_POOL_NAMES
from corral.settings import PROJECT

STACKS = PROJECT / "terraform"
LAB = yaml.safe_load((PROJECT / "deployments" / "clusters" / "lab.yaml").read_text())
LONGEST_NAME = 16

# Each validation of a variable that a cluster file reaches: the variable, a value that the stack
# refuses, its key in the file, and the beginning of what the model says.
LIMITS: list[tuple[str, Any, str, str]] = [
    ("base/cluster", "Lab_1", "name", "'Lab_1' is not a name"),
    ("base/cluster", "internal-lab", "name", "internal-lab begins with internal"),
    ("base/account_id", "12345", "aws.account_id", "'12345' is not an account id"),
    ("base/region", "us-east-1a", "aws.region", "'us-east-1a' is not a region"),
    ("base/machine/instance_type", "large", "control.instance_type", "'large' is not an instance"),
    ("base/machine/image_name", "*?", "image_name", "'*?' is not an image's name"),
    ("base/machine/volume_gib", 7, "control.volume_gib", "Input should be greater"),
    ("control-plane/control_count", 7, "control.count", "7 node(s): choose 3 or 5"),
    ("control-plane/server_image", "latest", "rancher.version", "'latest' is not a version"),
    ("control-plane/dns_zone", "corral.test.", "dns.zone", "'corral.test.' is not a host name"),
    ("control-plane/dns_name", "r.else.test", "dns.name", "r.else.test is outside the DNS zone"),
    ("control-plane/certificate", "none", "load_balancer.certificate", "Input should be 'find'"),
    ("database/dns_zone", "corral.test.", "dns.zone", "'corral.test.' is not a host name"),
    ("database/dns_name", "d.else.test", "dns.database_name", "d.else.test is outside the DNS"),
    ("database/engine_version", "8.0", "database.engine_version", "'8.0' is not a MySQL"),
    ("database/instance_class", "db.m5", "database.instance_class", "'db.m5' is not an instance"),
    ("database/instance_class", "db.t3.micro", "database.instance_class", "db.t3.micro has 1 GiB"),
    ("database/storage_gib", 19, "database.storage_gib", "Input should be greater"),
    ("database/backup_days", 36, "database.backup_days", "Input should be less"),
    ("database/backup_window", "24:00-25:00", "database.backup_window", "'24:00-25:00' is no"),
    ("database/maintenance_window", "Mon:01:30-Mon:02:30", "database.maintenance_window", "'Mon"),
    ("host-pool/pool", "web-", "pools.0.name", "'web-' is not a name"),
    ("host-pool/pool", "control", "pools.0.name", "control is taken by another stack"),
    ("host-pool/environment", "", "pools.0.environment", "'' is not a name"),
    ("host-pool/role", "", "pools.0.role", "'' is not a name"),
    ("host-pool/labels", "lab", "pools.0.labels.env", "env is set by corral or by Rancher"),
    ("host-pool/drain_timeout_s", 29, "pools.0.drain_timeout_s", "Input should be greater"),
    ("host-pool/minimum", -1, "pools.0.minimum", "Input should be greater"),
    ("host-pool/maximum", 1, "pools.0.maximum", "minimum 2 is over maximum 1"),
    ("host-pool/spot_percent", 101, "pools.0.spot_percent", "Input should be less"),
    ("host-pool/scaling", {"kind": "moon"}, "pools.0.scaling", "Input tag 'moon'"),
    ("host-pool/scaling", 91, "pools.0.scaling.target_percent", "Input should be less"),
    ("host-pool/scaling", "", "pools.1.scaling.queue_name", "'' is not a queue's name"),
    ("host-pool/scaling", [], "pools.2.scaling.actions", "Tuple should have at least 1 item"),
    ("host-pool/scaling", 11, "pools.2.scaling.actions.0.desired", "night asks for 11"),
    ("host-pool/scaling", [{"name": "day"}] * 2, "pools.2.scaling.actions", "named twice: day"),
    ("security-groups/admin_cidrs", "10.9.0.1/24", "network.admin_networks.x", "Input is not"),
    ("security-groups/admin_cidrs", "0.0.0.0/0", "network.admin_networks.x", "x is 0.0.0.0/0"),
    ("vpc/cidr", "10.20.0.1/16", "network.cidr", "Input is not a valid IPv4 network"),
    ("vpc/cidr", "10.0.0.0/8", "network.cidr", "10.0.0.0/8 does not fit"),
    ("vpc/zones", ["us-east-1a"], "network.zones", "1 zone(s) named"),
    ("vpc/zones", ["us-east-1a"] * 2, "network.zones", "named twice: us-east-1a"),
    ("vpc/zones", ["us-east-2a", "us-east-1a"], "network.zones", "us-east-2a: not in region"),
    ("vpc/nat", "none", "network.nat", "Input should be 'single' or 'per_zone'"),
    ("vpc/admin_cidrs", "10.9.0.1/24", "network.admin_networks.x", "Input is not"),
    (
        "vpc/admin_cidrs",
        {f"office-{number}": f"203.0.113.{number}/32" for number in range(8)},
        "network.admin_networks",
        "9 networks and NAT gateways may come in",
    ),
    ("vpc/flow_log_days", 8, "network.flow_log_days", "Input should be 7, 14"),
]

# Variables that are outputs of other stacks, or made by corral.
NOT_IN_THE_FILE = {
    "base/machine/private_subnet_ids",
    "control-plane/control_group_id",
    "control-plane/database_port",
    "control-plane/database_secret_arn",
    "control-plane/load_balancer_group_id",
    "control-plane/public_subnet_ids",
    "control-plane/vpc_id",
    "database/database_group_id",
    "database/database_name",
    "database/database_subnet_group",
    "database/final_snapshot",
    "database/identifier",
    "database/max_connections",
    "database/password_version",
    "database/username",
    "host-pool/environment_secret",
    "host-pool/hosts_group_id",
    "host-pool/rancher_url",
    "security-groups/nat_public_ips",
    "security-groups/vpc_id",
}


@pytest.mark.parametrize(
    ("value", "key", "beginning"),
    [pytest.param(*limit, id=f"{variable}={limit[0]}"[:60]) for variable, *limit in LIMITS],
)
def test_the_model_refuses_what_a_stack_would_refuse(value: Any, key: str, beginning: str):
    with pytest.raises(ValidationError) as caught:
        ClusterSpec.model_validate(_with(key, value))

    faults = [(_dotted(fault["loc"]), fault["msg"]) for fault in caught.value.errors()]
    assert [at for at, sentence in faults if sentence.startswith(beginning)] == [key]


def test_every_validation_that_a_cluster_file_reaches_is_in_the_table():
    written = Counter(variable for variable, *_ in LIMITS)

    reached = {name: n for name, n in _validations().items() if name not in NOT_IN_THE_FILE}

    assert {name: max(n, written[name]) for name, n in reached.items()} == dict(written)


def test_a_pool_cannot_have_a_name_that_another_stack_has_taken():
    named = re.compile(
        r'^\s*(?:name|identifier)\s*=\s*"\$\{var\.cluster\}-([a-z-]+)"', re.MULTILINE
    )
    files = [file for file in STACKS.rglob("*.tf") if file.parent.name != "host-pool"]
    taken = {name for file in files for name in named.findall(file.read_text())}

    assert {name for name in taken if len(name) <= LONGEST_NAME} == set(TAKEN_POOL_NAMES)


def _with(key: str, value: Any) -> dict[str, Any]:
    content: dict[str, Any] = copy.deepcopy(LAB)
    *steps, last = [int(step) if step.isdigit() else step for step in key.split(".")]
    place: Any = content
    for step in steps:
        place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
    place[last] = value
    return content


def _dotted(path: tuple[int | str, ...]) -> str:
    return ".".join(map(str, path))


def _validations() -> dict[str, int]:
    """Return how many validations each variable has, by where it is written: links are left out."""
    return {
        f"{file.parent.relative_to(STACKS)}/{name}": len(variable["validation"])
        for file in STACKS.rglob("variables*.tf")
        if not file.is_symlink()
        for name, variable in _variables(file)
        if "validation" in variable
    }


def _variables(file: Path) -> list[tuple[str, dict[str, Any]]]:
    with file.open() as text:
        blocks = hcl2.load(text).get("variable", [])
    return [(name.strip('"'), body) for block in blocks for name, body in block.items()]
