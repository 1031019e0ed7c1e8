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
LAB_ENVIRONMENT = "rancher.environments.0"
LAB = yaml.safe_load((CLUSTERS / "lab.yaml").read_text())


Steps = tuple[str | int, ...]


def _with(path: str | Steps, value: Any, content: dict[str, Any] = LAB) -> dict[str, Any]:
    content = copy.deepcopy(content)
    *steps, last = _steps(path) if isinstance(path, str) else path
    place = content
    for step in steps:
        place = place[step]
    place[last] = value
    return content


def _steps(path: str) -> Steps:
    return tuple(int(step) if step.isdigit() else step for step in path.split("."))


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
    pytest.param("network.admin_networks", {}, "nobody may come in", id="nobody"),
    pytest.param("network.cidr", "8.8.0.0/16", "is not in 10.0.0.0/8", id="public-range"),
    pytest.param("network.cidr", "127.0.0.0/16", "is not in 10.0.0.0/8", id="loopback"),
    pytest.param("network.zones", ["us-east-1a", "us-east-1"], "one letter", id="zone-is-region"),
    pytest.param(
        "network.zones", ["us-east-1a", "us-east-1-bos-1a"], "one letter", id="local-zone"
    ),
    pytest.param("aws.region", "cn-north-1", "partition", id="region-in-china"),
    pytest.param("aws.region", "us-gov-west-1", "partition", id="region-of-the-government"),
    pytest.param("network.open_to_internet", ["control"], "load_balancer", id="open-servers"),
    pytest.param(
        "network.admin_networks",
        {f"office-{n}": f"203.0.113.{n}/32" for n in range(8)},
        "9 networks and NAT gateways",
        id="too-many-networks",
    ),
    pytest.param("database.instance_class", "db.t3.micro", "1 GiB", id="micro-database"),
    pytest.param("database.backup_window", "99:99-99:99", "no window of a day", id="no-hours"),
    pytest.param("database.backup_window", "00:00-00:20", "20 minutes", id="short-backup"),
    pytest.param("database.backup_window", "23:00-02:00", "overlaps the backup", id="windows-meet"),
    pytest.param("database.maintenance_window", "xyz:77:77-mon:02:00", "of a week", id="no-day"),
    pytest.param("database.maintenance_window", "mon:03:00-mon:03:29", "29 min", id="short-upkeep"),
    pytest.param(
        "database.maintenance_window", "sun:23:45-mon:00:15", "overlaps", id="windows-meet-at-night"
    ),
    pytest.param("dns.database_name", "rancher.corral.test", "its own", id="names-equal"),
    pytest.param("image_name", "*", "every image", id="any-image"),
    pytest.param("name", "sg-lab", "AWS keeps for itself", id="reserved-name"),
    pytest.param("dns.name", "rancher.example.org", "outside the DNS zone", id="foreign-name"),
    pytest.param("pools.1.name", "web", "named twice: web", id="pool-twice"),
    pytest.param("pools.1.name", "control", "choose another name", id="pool-named-control"),
    pytest.param("pools.1.name", "flow-logs", "by another stack", id="pool-named-as-a-role"),
    pytest.param("pools.1.name", "w", "2 to 16", id="one-letter"),
    pytest.param("pools.0.labels", {"env": "lab"}, "env is set by corral", id="label-taken"),
    pytest.param("pools.0.labels", {"aws.zone": "a"}, "aws.zone is set", id="label-of-corral"),
    pytest.param("pools.0.labels", {"io.rancher.x": ""}, "by Rancher", id="label-of-rancher"),
    pytest.param(
        "pools.2.scaling.actions.1.name", "night", "named twice: night", id="action-twice"
    ),
    pytest.param("pools.2.scaling.time_zone", "Mars/Base", "no time zone", id="unknown-zone"),
    pytest.param("pools.2.scaling.time_zone", "localtime", "no time zone", id="own-zone"),
    pytest.param("pools.0.minimum", 7, "minimum 7 is over maximum 6", id="minimum-over-maximum"),
    pytest.param("pools.0.environment", "moon", "which is no environment", id="lost-pool"),
    pytest.param("pools.2.scaling.actions.0.desired", 99, "outside 1 to 10", id="size-too-large"),
    pytest.param("database.engine_version", "8.0", "nothing newer", id="mysql-8"),
    pytest.param("aws.account_id", 123456789012, "string", id="account-as-a-number"),
    pytest.param("colour", "green", "Extra inputs", id="unknown-key"),
    pytest.param(
        "rancher.environments", [{"name": "lab"}, {"name": "lab"}], "twice: lab", id="env-twice"
    ),
    pytest.param("bake", {"volume_gib": 31}, "30 is less than the image's", id="image-too-large"),
    pytest.param("rancher.access", {"kind": "ldap"}, "'local', 'github'", id="unknown-access"),
    pytest.param(
        "rancher.access", {"kind": "github", "secret": "lab/x"}, "nobody could log in", id="no-team"
    ),
    pytest.param(
        "rancher.access",
        {"kind": "github", "secret": "lab/x", "teams": ["acme"]},
        "is not a team, such as",
        id="team-without-organization",
    ),
    pytest.param(
        "rancher.access",
        {"kind": "github", "secret": "rancher/github", "teams": ["acme/ops"]},
        "its name begins with lab/",
        id="secret-of-somebody-else",
    ),
    pytest.param("rancher.settings", {"api.host": "x"}, "corral sets it itself", id="own-setting"),
    pytest.param(
        "rancher.settings",
        {"host.remove.delay.seconds": "60"},
        "without asking EC2",
        id="rancher-removes-hosts",
    ),
    pytest.param(
        f"{LAB_ENVIRONMENT}.members",
        [{"id": "octocat", "kind": "github_user", "role": "owner"}],
        "and rancher.access is not github",
        id="member-of-github-with-local-access",
    ),
    pytest.param(
        f"{LAB_ENVIRONMENT}.members",
        [{"id": "1a7", "kind": "rancher_id", "role": role} for role in ("owner", "member")],
        "named twice: rancher_id 1a7",
        id="member-twice",
    ),
    pytest.param(
        f"{LAB_ENVIRONMENT}.registries.0.address", "https://r.corral.test", "scheme", id="scheme"
    ),
    pytest.param(
        f"{LAB_ENVIRONMENT}.registries.1",
        {"kind": "password", "address": "registry.corral.test:5000", "secret": "lab/registry"},
        "named twice: registry.corral.test:5000",
        id="registry-twice",
    ),
    pytest.param(
        f"{LAB_ENVIRONMENT}.registries.1.address",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        "write refresher: flow",
        id="ecr-of-another-region",
    ),
    pytest.param(
        f"{LAB_ENVIRONMENT}.registries.1.secret",
        None,
        "cannot take the machines' role",
        id="no-key",
    ),
    pytest.param(
        "rancher.environments",
        [
            {"name": "lab"},
            {
                "name": "empty",
                "stacks": [{"name": "x", "template": "library:infra*route53", "version": "v0.7.9"}],
            },
        ],
        "no pool joins empty: x would run nowhere",
        id="stacks-without-hosts",
    ),
    pytest.param(f"{LAB_ENVIRONMENT}.stacks.0.name", "ecr", "renews the registries", id="ecr"),
    pytest.param(f"{LAB_ENVIRONMENT}.stacks.0.template", "cron", "of a catalog", id="no-catalog"),
    pytest.param(
        f"{LAB_ENVIRONMENT}.stacks.0.secret", "dev/cron", "begins with lab/", id="secret-of-dev"
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


COMBINATIONS = [
    pytest.param(
        {"pools.1.name": "web", "pools.0.minimum": 7, "dns.name": "rancher.example.org"},
        [
            "pools: named twice: web",
            "pools.0.maximum: minimum 7 is over maximum 6",
            "dns.name: rancher.example.org is outside the DNS zone corral.test",
        ],
        id="pool-twice-minimum-and-foreign-name",
    ),
    pytest.param(
        {"pools.1.name": "web", "pools.1.environment": "moon"},
        ["pools: named twice: web", "pools.1.environment: web joins moon, which is no environment"],
        id="pool-twice-and-lost",
    ),
    pytest.param(
        {"network.admin_networks": {"all": "0.0.0.0/0", "own": "10.20.9.0/24"}},
        [
            "network.admin_networks.all: all is 0.0.0.0/0",
            "network.admin_networks.own: own (10.20.9.0/24) overlaps the cluster's own range",
        ],
        id="two-bad-admin-networks",
    ),
    pytest.param(
        {"network.zones": ["eu-west-1a"]},
        [
            "network.zones: 1 zone(s) named: two to four are needed to survive one",
            "network.zones: eu-west-1a: not in region us-east-1",
        ],
        id="one-zone-of-another-region",
    ),
    pytest.param(
        {"rancher.environments.0.name": "L", "pools.0.environment": "L"},
        [
            "rancher.environments.0.name: 'L' is not a name",
            "pools.0.environment: 'L' is not a name",
            "pools.1.environment: celery joins lab, which is no environment",
            "pools.2.environment: crawler joins lab, which is no environment",
        ],
        id="a-list-of-one-wrong-item-is-not-too-short",
    ),
    pytest.param(
        {"pools.0.instance_type": "large", "pools.2.scaling.actions.0.desired": 99},
        [
            "pools.0.instance_type: 'large' is not an instance type, such as m5.large",
            "pools.2.scaling.actions.0.desired: night asks for 99, outside 1 to 10",
        ],
        id="an-inner-fault-hides-no-outer-one",
    ),
    pytest.param(
        {"pools.2.scaling.actions.0.cron": "0 22 * * 7", "pools.0.scaling": {"kind": "cpu"}},
        [
            "pools.2.scaling.actions.0.cron: '7' is no day of the week (0 to 6)",
            "pools.0.scaling.target_percent: Field required",
        ],
        id="a-path-is-the-path-in-the-file",
    ),
]


@pytest.mark.parametrize(("changes", "beginnings"), COMBINATIONS)
def test_no_fault_hides_behind_another(
    tmp_path: Path, changes: dict[str, Any], beginnings: list[str]
):
    content = LAB
    for path, value in changes.items():
        content = _with(path, value, content)
    (tmp_path / "lab.yaml").write_text(yaml.safe_dump(content))

    with pytest.raises(ClusterFileError) as caught:
        load_cluster_spec("lab", Settings(clusters_dir=tmp_path))

    told = zip(sorted(caught.value.faults), sorted(beginnings), strict=True)
    assert all(fault.startswith(beginning) for fault, beginning in told)


GARBAGE: list[Any] = [None, 1.5, -1, "", "(", [], [[None]], {}, {"name": []}, {1: {2: 3}}]


@pytest.mark.parametrize("garbage", GARBAGE, ids=repr)
def test_whatever_stands_somewhere_is_taken_or_refused(garbage: Any):
    for path in _places(LAB):
        try:
            ClusterSpec.model_validate(_with(path, garbage))
        except ValidationError as refusal:
            assert refusal.errors()  # noqa: PT017 - taking it is fine as well


def _places(part: Any, outer: Steps = ()) -> list[Steps]:
    steps = part.items() if isinstance(part, dict) else enumerate(part)
    return [
        place
        for step, inner in steps
        for place in (
            (*outer, step),
            *(_places(inner, (*outer, step)) if isinstance(inner, dict | list) else []),
        )
    ]


@pytest.mark.parametrize(
    "cron", ["0 22 * * *", "*/15 6-18 1,15 jan-mar MON-FRI", "5,35 * 1-31/2 12 0"]
)
def test_cron_of_auto_scaling_is_taken(cron: str):
    assert ClusterSpec.model_validate(_with("pools.2.scaling.actions.0.cron", cron))


@pytest.mark.parametrize(
    "cron",
    [
        "at ten o'clock in june",
        "0 22 * *",
        "0 22 * * * *",
        "60 22 * * *",
        "0 24 * * *",
        "0 22 0 * *",
        "0 22 * 13 *",
        "0 22 * * fri-mon",
        "*/0 22 * * *",
        "0 22,  * * *",
        "@daily",
    ],
)
def test_what_is_no_cron_is_refused(cron: str):
    with pytest.raises(ValidationError, match=r"actions\.0\.cron"):
        ClusterSpec.model_validate(_with("pools.2.scaling.actions.0.cron", cron))


@pytest.mark.parametrize(
    ("backup", "maintenance"),
    [
        pytest.param("23:30-00:30", "mon:00:30-mon:01:30", id="one-after-the-other"),
        pytest.param("03:00-03:30", "sun:23:45-mon:00:15", id="over-the-end-of-the-week"),
    ],
)
def test_windows_that_do_not_meet_are_taken(backup: str, maintenance: str):
    content = _with("database.backup_window", backup)
    content = _with("database.maintenance_window", maintenance, content)

    assert ClusterSpec.model_validate(content).database.backup_window == backup


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
        pytest.param("a: 2026-02-31", "no YAML", id="no-date"),
    ],
)
def test_a_file_that_is_no_mapping_is_one_fault(tmp_path: Path, text: str, sentence: str):
    (tmp_path / "lab.yaml").write_text(text)

    with pytest.raises(ClusterFileError, match=sentence):
        load_cluster_spec("lab", Settings(clusters_dir=tmp_path))


def test_a_key_that_stands_twice_is_a_fault_beside_all_others(tmp_path: Path):
    text = yaml.safe_dump(_with("control.count", 4))
    (tmp_path / "lab.yaml").write_text(f"name: dev\n{text}")

    with pytest.raises(ClusterFileError) as caught:
        load_cluster_spec("lab", Settings(clusters_dir=tmp_path))

    assert [fault.partition(":")[0] for fault in caught.value.faults][1:] == ["control.count"]
    assert "name stands in line 1 already" in caught.value.faults[0]


def test_a_merged_key_may_be_named_again(tmp_path: Path):
    (tmp_path / "lab.yaml").write_text("a: &a {x: 1}\nb: {<<: *a, x: 2}\n? [c]\n: {d: 1}\n")

    with pytest.raises(ClusterFileError) as caught:
        load_cluster_spec("lab", Settings(clusters_dir=tmp_path))

    assert "already" not in str(caught.value)


def test_a_file_in_another_encoding_is_a_fault(tmp_path: Path):
    (tmp_path / "lab.yaml").write_bytes("name: Bärlin".encode("latin-1"))

    with pytest.raises(ClusterFileError, match=r"no text in UTF-8: .* at byte 7"):
        load_cluster_spec("lab", Settings(clusters_dir=tmp_path))


def test_what_cannot_be_read_is_a_fault(tmp_path: Path):
    (tmp_path / "lab.yaml").mkdir()

    with pytest.raises(ClusterFileError, match="cannot be read: Is a directory"):
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
