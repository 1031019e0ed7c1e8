"""What a cluster file may say, and how its faults are told."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from corral.cluster import ClusterSpec
from corral.errors import ClusterFileError
from corral.settings import PROJECT, Settings, load_cluster_spec

CLUSTERS = PROJECT / "deployments" / "clusters"
LAB = yaml.safe_load((CLUSTERS / "lab.yaml").read_text())


def _with(path: str, value: Any) -> dict[str, Any]:
    content = copy.deepcopy(LAB)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place = content
    for step in steps:
        place = place[step]
    place[last] = value
    return content


FAULTS = [
    pytest.param("control.count", 4, "4 is even", id="even-number-of-control-nodes"),
    pytest.param("control.count", 1, "choose 3 or 5", id="single-control-node"),
    pytest.param("network.zones", ["us-east-1a"], "1 zone(s) named", id="one-zone"),
    pytest.param("network.zones", ["us-east-1a"] * 2, "named twice: us-east-1a", id="zone-twice"),
    pytest.param("network.zones", ["eu-west-1a", "eu-west-1b"], "not in region", id="wrong-region"),
    pytest.param("network.cidr", "10.20.0.0/23", "/22 at least", id="too-small"),
    pytest.param("network.cidr", "10.0.0.0/8", "/16 at most", id="too-large"),
    pytest.param("network.cidr", "10.42.0.0/16", "Rancher's overlay", id="overlaps-rancher"),
    pytest.param("network.cidr", "172.17.8.0/22", "Docker's bridge", id="overlaps-docker"),
    pytest.param(
        "network.admin_networks", {"hq": "10.20.9.0/24"}, "own range", id="overlapping-networks"
    ),
    pytest.param(
        "network.admin_networks", {"all": "0.0.0.0/0"}, "open_to_internet", id="world-unasked"
    ),
    pytest.param("network.open_to_internet", ["control"], "load_balancer", id="open-servers"),
    pytest.param(
        "network.admin_networks",
        {f"office-{n}": f"203.0.113.{n}/32" for n in range(8)},
        "9 networks and NAT gateways",
        id="too-many-networks",
    ),
    pytest.param("database.instance_class", "db.t3.micro", "1 GiB", id="micro-database"),
    pytest.param("name", "sg-lab", "AWS keeps for itself", id="reserved-name"),
    pytest.param("dns.name", "rancher.example.org", "outside the DNS zone", id="foreign-name"),
    pytest.param("pools.1.name", "web", "named twice: web", id="pool-twice"),
    pytest.param("pools.1.name", "control", "choose another name", id="pool-named-control"),
    pytest.param("pools.0.minimum", 7, "minimum 7 is over maximum 6", id="minimum-over-maximum"),
    pytest.param("pools.0.environment", "moon", "which is no environment", id="lost-pool"),
    pytest.param("pools.2.scaling.actions.0.desired", 99, "outside 1 to 10", id="size-too-large"),
    pytest.param("database.engine_version", "8.0", "pattern", id="mysql-8"),
    pytest.param("aws.account_id", 123456789012, "string", id="account-as-a-number"),
    pytest.param("colour", "green", "Extra inputs", id="unknown-key"),
    pytest.param(
        "rancher.environments", [{"name": "lab"}, {"name": "lab"}], "twice: lab", id="env-twice"
    ),
]


@pytest.mark.parametrize("name", ["lab", "dev", "prod"])
def test_every_cluster_file_of_the_project_is_valid(name: str):
    assert load_cluster_spec(name, Settings()).name == name


@pytest.mark.parametrize(("path", "value", "sentence"), FAULTS)
def test_a_fault_is_refused_with_its_reason(path: str, value: Any, sentence: str):
    with pytest.raises(ValidationError, match=sentence.replace("(", r"\(").replace(")", r"\)")):
        ClusterSpec.model_validate(_with(path, value))


def test_all_faults_of_a_file_are_named_at_once_with_their_paths(tmp_path: Path):
    content = _with("control.count", 4)
    content["network"]["zones"] = ["us-east-1a"]
    content["pools"][0]["minimum"] = 7
    (tmp_path / "lab.yaml").write_text(yaml.safe_dump(content))

    with pytest.raises(ClusterFileError) as caught:
        load_cluster_spec("lab", Settings(clusters_dir=tmp_path))

    text = str(caught.value)
    assert "3 faults" in text
    assert "control.count: 4 is even" in text
    assert "network.zones: 1 zone(s)" in text
    assert "pools.0.maximum: minimum 7 is over maximum 6" in text


def test_a_missing_file_names_the_clusters_there_are(tmp_path: Path):
    (tmp_path / "blue.yaml").write_text("")

    with pytest.raises(ClusterFileError, match="known clusters: blue"):
        load_cluster_spec("green", Settings(clusters_dir=tmp_path))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("a: [", "no YAML", id="broken"),
        pytest.param("", "valid dictionary", id="empty"),
        pytest.param("- lab", "valid dictionary", id="a-list"),
    ],
)
def test_a_file_that_is_no_mapping_is_one_fault(tmp_path: Path, text: str, sentence: str):
    (tmp_path / "lab.yaml").write_text(text)

    with pytest.raises(ClusterFileError, match=sentence):
        load_cluster_spec("lab", Settings(clusters_dir=tmp_path))


def test_a_copied_file_that_keeps_the_old_name_is_refused(tmp_path: Path):
    (tmp_path / "blue.yaml").write_text(yaml.safe_dump(LAB))

    with pytest.raises(ClusterFileError, match="is lab, but the file's name says blue"):
        load_cluster_spec("blue", Settings(clusters_dir=tmp_path))


def _paths(content: Any, prefix: str = "") -> set[str]:
    if not isinstance(content, dict):
        return {prefix}
    return {path for key, value in content.items() for path in _paths(value, f"{prefix}.{key}")}


def test_dev_and_prod_differ_in_values_only():
    read: Callable[[str], Any] = lambda name: yaml.safe_load((CLUSTERS / name).read_text())  # noqa: E731

    assert _paths(read("dev.yaml")) == _paths(read("prod.yaml"))
