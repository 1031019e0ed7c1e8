"""What README and docs say is so: paths, links, targets, deployments, settings, keys, actions."""

import fnmatch
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import botocore.session
import pytest
import yaml
from prefect.settings import Settings as PrefectSettings
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from corral.cluster import ClusterSpec
from corral.settings import PROJECT, Settings
from tests.rights import S3, actions_of, as_list, statements_of

DOCS = PROJECT / "docs"
README = PROJECT / "README.md"
PAGES = [
    README,
    PROJECT / "CONTRIBUTING.md",
    PROJECT / "CHANGELOG.md",
    *sorted(DOCS.rglob("*.md")),
]
WORKFLOW = PROJECT / ".github" / "workflows" / "build-cluster.yaml"
BUILD_POLICY = DOCS / "iam" / "corral-build-policy.json"
DRIFT_POLICY = DOCS / "iam" / "corral-drift-policy.json"
POLICIES = sorted((DOCS / "iam").glob("*.json"))
ROOMS = "corral|deployments|docs|flows|lab|node|scripts|tasks|terraform|tests|\\.ci|\\.github"
INLINE_POLICY_LIMIT = 10_240
MANAGED_POLICY_LIMIT = 6_144

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
policies = pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)


# paths, links, commands


@pages
def test_every_path_that_a_page_names_exists(page: Path):
    named = re.findall(rf"(?<![\w/.-])(?:{ROOMS})/[\w./-]*", page.read_text())
    missing = {path for path in named if not (PROJECT / path.rstrip(".")).exists()}

    assert missing == set()


@pages
def test_every_relative_link_of_a_page_resolves(page: Path):
    assert [link for link in _links(page) if not _resolves(page, link)] == []


@pages
def test_every_make_target_that_a_page_names_exists(page: Path):
    named = set(re.findall(r"(?:^|[`;&] ?)make ([a-z]+)\b", page.read_text(), re.MULTILINE))

    assert named <= _make_targets()


def test_every_make_target_is_in_the_readme():
    assert {
        target for target in _make_targets() if f"`make {target}`" not in README.read_text()
    } == set()


def test_the_readme_leads_to_every_page():
    led_to = {(PROJECT / link.partition("#")[0]).resolve() for link in _links(README)}

    assert set(DOCS.rglob("*.md")) <= led_to


@pages
def test_every_deployment_that_a_page_names_exists(page: Path):
    named = set(
        re.findall(r"\b[a-z]+-(?:cluster|hosts|image|rancher|drift)/[a-z]\w*", page.read_text())
    )

    assert named <= _deployments()


@pages
def test_every_setting_of_prefect_that_a_page_names_exists(page: Path):
    named = set(re.findall(r"\bPREFECT_[A-Z_]+", page.read_text()))

    assert named <= set(_prefect_variables(PrefectSettings, "PREFECT_"))


# settings and cluster files


def test_the_table_of_settings_is_up_to_date():
    script = PROJECT / "scripts" / "settings_docs.py"
    check = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )

    assert (check.returncode, check.stdout) == (0, "")


@pages
def test_every_setting_that_a_page_names_exists(page: Path):
    known = {f"CORRAL_{name}".upper() for name in Settings.model_fields}

    assert set(re.findall(r"\bCORRAL_[A-Z_]*[A-Z]", page.read_text())) <= known


def test_the_page_on_cluster_files_has_every_key_and_no_other():
    written = set(_rows_of_keys())
    assert written == set(_keys(ClusterSpec))


def test_the_page_on_cluster_files_tells_the_defaults():
    expected = {key: field for key, field in _keys(ClusterSpec).items() if not field.is_required()}
    written = {key: default for key, (_, default, _) in _rows_of_keys().items()}

    assert {key: written[key] for key in expected} == {
        key: _as_written(field) for key, field in expected.items()
    }


def test_the_page_on_cluster_files_says_what_is_required():
    required = {key for key, field in _keys(ClusterSpec).items() if field.is_required()}
    written = {key for key, (_, default, _) in _rows_of_keys().items() if "required" in default}

    assert written == required


# policies


@policies
def test_every_action_of_a_policy_exists_in_aws(path: Path):
    unknown = [action for action in actions_of(path) if not _exists(action)]

    assert unknown == []


@policies
def test_every_wildcard_of_a_policy_has_its_reason(path: Path):
    reasons = (DOCS / "iam" / "README.md").read_text()
    wide = [
        statement["Sid"]
        for statement in statements_of(path)
        if "*" in as_list(statement["Resource"])
        or any("*" in action for action in as_list(statement["Action"]))
    ]

    assert [sid for sid in wide if f"`{sid}`" not in reasons] == []


@policies
def test_no_policy_allows_everything_of_a_service(path: Path):
    assert [action for action in actions_of(path) if action.endswith(":*") or action == "*"] == []


def test_the_policy_of_a_build_can_make_every_resource_of_the_stacks():
    used = {
        resource
        for file in (PROJECT / "terraform").rglob("*.tf")
        for resource in re.findall(r'^resource "(aws_\w+)"', file.read_text(), re.MULTILINE)
    }
    allowed = actions_of(BUILD_POLICY)

    assert {resource: MADE_BY.get(resource) for resource in used} == {
        resource: MADE_BY[resource] for resource in used if MADE_BY.get(resource) in allowed
    }


def test_a_build_may_attach_the_policies_that_the_stacks_name_and_no_other():
    text = "\n".join(file.read_text() for file in (PROJECT / "terraform").rglob("*.tf"))
    named = set(re.findall(r'"(Amazon\w+|CloudWatch\w+Policy)"', text))
    statement = next(s for s in statements_of(BUILD_POLICY) if s["Sid"] == "PoliciesOfRoles")
    allowed = statement["Condition"]["ArnEquals"]["iam:PolicyARN"]

    assert {arn.rpartition("/")[2] for arn in allowed} == named


def test_the_policy_of_a_build_fits_on_a_role_whatever_the_names():
    longest = {
        "<ACCOUNT>": "1" * 12,
        "<REGION>": "ap-southeast-1",
        "<CLUSTER>": "c" * 16,
        "<STATE-BUCKET>": "b" * 63,
        "<ZONE>": "Z" * 21,
    }
    text = json.dumps(json.loads(BUILD_POLICY.read_text()), separators=(",", ":"))
    for place, value in longest.items():
        assert place in text
        text = text.replace(place, value)

    assert len(text) <= INLINE_POLICY_LIMIT
    assert "<" not in text


def test_the_script_fills_the_policy_of_a_build_from_a_cluster_file():
    filled = _filled_policy("prod", "--zone-id", "Z0123456789ABC")

    assert "<" not in filled
    assert "arn:aws:secretsmanager:us-east-1:222222222222:secret:prod/*" in filled
    assert "arn:aws:route53:::hostedzone/Z0123456789ABC" in filled


def test_the_script_fills_the_policy_for_the_herd_from_a_cluster_file():
    filled = _filled_policy("prod", "--for", "herd")

    assert "<" not in filled
    assert "arn:aws:secretsmanager:us-east-1:222222222222:secret:prod/rancher/admin-" in filled


def test_the_script_fills_the_policy_of_a_search_for_drift_from_a_cluster_file():
    filled = _filled_policy("prod", "--for", "drift", "--zone-id", "Z0123456789ABC")

    assert "<" not in filled
    assert "arn:aws:route53:::hostedzone/Z0123456789ABC" in filled


def test_a_search_for_drift_may_read_what_a_build_reads_and_nothing_else():
    reads = {one for one in actions_of(BUILD_POLICY) if re.match(r"\w+:(Describe|Get|List)", one)}

    assert actions_of(DRIFT_POLICY) == reads - NEVER_OF_A_PLAN


@pytest.mark.parametrize("job", ["bake", "change", "destroy"])
def test_the_policies_of_bakes_changes_and_ends_fit_into_managed_ones(job: str):
    filled = _filled_policy("prod", "--for", job)

    assert "<" not in filled
    assert len(filled) + 200 <= MANAGED_POLICY_LIMIT  # longer names than those of prod


def test_the_queues_that_the_herd_is_heard_by_are_those_of_the_pools():
    text = (PROJECT / "terraform" / "host-pool" / "draining.tf").read_text()

    assert 'queue_name             = "${local.name}-terminations"' in text
    assert 'dead_letter_queue_name = "${local.queue_name}-failed"' in text


# CI


def test_the_workflow_starts_a_deployment_that_exists():
    workflow = yaml.safe_load(WORKFLOW.read_text())
    clusters = workflow[True]["workflow_dispatch"]["inputs"]["cluster"]["options"]  # YAML's `on`

    assert {f"build-cluster/{cluster}" for cluster in clusters} <= _deployments()
    assert 'deployment run "build-cluster/$CLUSTER" --watch' in WORKFLOW.read_text()


def test_the_workflow_has_few_rights_and_pinned_actions():
    workflow = yaml.safe_load(WORKFLOW.read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    actions = [step["uses"] for step in steps if "uses" in step]

    assert workflow["permissions"] == {"contents": "read"}
    assert [action for action in actions if not re.search(r"@(v\d+|[0-9a-f]{40})$", action)] == []


# how they are read


def _filled_policy(*arguments: str) -> str:
    script = PROJECT / "scripts" / "iam_policy.py"
    return subprocess.run(
        [sys.executable, script, *arguments], capture_output=True, text=True, check=True
    ).stdout


def _links(page: Path) -> list[str]:
    found = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def _resolves(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in _anchors(target))


def _anchors(page: Path) -> set[str]:
    text = page.read_text()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([\w-]+)">', text))


def _make_targets() -> set[str]:
    text = (PROJECT / "Makefile").read_text()
    return set(re.findall(r"^([a-z]+):", text, re.MULTILINE))


def _deployments() -> set[str]:
    deployments = yaml.safe_load((PROJECT / "prefect.yaml").read_text())["deployments"]
    return {
        f"{entry['entrypoint'].rpartition('.')[2].replace('_', '-')}/{entry['name']}"
        for entry in deployments
    }


def _prefect_variables(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        variable = f"{prefix}{name}".upper()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _prefect_variables(field.annotation, f"{variable}_")
        else:
            yield variable


def _keys(model: type[BaseModel], prefix: str = "") -> dict[str, FieldInfo]:
    """Return every key of a cluster file with its field; `[]` stands for each item of a list."""
    found: dict[str, FieldInfo] = {}
    for name, field in model.model_fields.items():
        parts = _parts(field)
        step = "[]" if _is_list(field) else ""
        if not parts or step:
            found[prefix + name] = field
        for part in parts:
            found |= _keys(part, f"{prefix}{name}{step}.")
    return found


def _parts(field: FieldInfo) -> list[type[BaseModel]]:
    """Return the models in a field's type: none, one, or those of a union."""
    return [kind for kind in _types(field.annotation) if issubclass(kind, BaseModel)]


def _types(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type) and not get_args(annotation):
        yield annotation
    for inner in get_args(annotation):
        yield from _types(inner)


def _is_list(field: FieldInfo) -> bool:
    kinds = [field.annotation, *get_args(field.annotation)]
    return any(get_args(kind)[-1:] == (Ellipsis,) for kind in kinds)


def _rows_of_keys() -> dict[str, tuple[str, str, str]]:
    text = (DOCS / "cluster-file.md").read_text()
    rows = re.findall(r"^\| `([^`]+)` \| (.*?) \| (.*?) \|(.*)\|$", text, re.MULTILINE)
    return {key: (value, default, meaning) for key, value, default, meaning in rows}


def _as_written(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if default == "":
        return "empty"
    if isinstance(default, str):
        return f"`{default}`"
    return f"`{json.dumps(default)}`"


def _exists(action: str) -> bool:
    """Tell whether an action is one of AWS's: an operation of its service, or a known exception."""
    service, _, name = action.partition(":")
    if action in WITHOUT_AN_OPERATION:
        return True
    known = _operations(SERVICES.get(service, service))
    return bool(fnmatch.filter(known, S3.get(name, name) if service == "s3" else name))


@cache
def _operations(service: str) -> tuple[str, ...]:
    return tuple(botocore.session.get_session().get_service_model(service).operation_names)


NEVER_OF_A_PLAN = {
    "ecr:GetAuthorizationToken",  # to give Rancher a registry's password
    "rds:DescribeDBSnapshots",  # to find upgrades that nobody finished
    "route53:GetChange",  # to wait for a record that was changed
}
"""What a build reads, and a plan does not."""

SERVICES = {"elasticloadbalancing": "elbv2", "tag": "resourcegroupstaggingapi"}
"""Services whose name in IAM is not boto3's."""

WITHOUT_AN_OPERATION = {"iam:PassRole"}
"""Rights that are asked for by operations of other services."""

MADE_BY = {
    "aws_acm_certificate": "acm:RequestCertificate",
    "aws_acm_certificate_validation": "acm:DescribeCertificate",
    "aws_autoscaling_group": "autoscaling:CreateAutoScalingGroup",
    "aws_autoscaling_lifecycle_hook": "autoscaling:PutLifecycleHook",
    "aws_autoscaling_policy": "autoscaling:PutScalingPolicy",
    "aws_autoscaling_schedule": "autoscaling:PutScheduledUpdateGroupAction",
    "aws_cloudwatch_event_rule": "events:PutRule",
    "aws_cloudwatch_event_target": "events:PutTargets",
    "aws_cloudwatch_log_group": "logs:CreateLogGroup",
    "aws_cloudwatch_metric_alarm": "cloudwatch:PutMetricAlarm",
    "aws_db_instance": "rds:CreateDBInstance",
    "aws_db_parameter_group": "rds:CreateDBParameterGroup",
    "aws_db_subnet_group": "rds:CreateDBSubnetGroup",
    "aws_default_security_group": "ec2:RevokeSecurityGroupIngress",
    "aws_eip": "ec2:AllocateAddress",
    "aws_flow_log": "ec2:CreateFlowLogs",
    "aws_iam_instance_profile": "iam:CreateInstanceProfile",
    "aws_iam_role": "iam:CreateRole",
    "aws_iam_role_policy": "iam:PutRolePolicy",
    "aws_iam_role_policy_attachment": "iam:AttachRolePolicy",
    "aws_internet_gateway": "ec2:CreateInternetGateway",
    "aws_launch_template": "ec2:CreateLaunchTemplate",
    "aws_lb": "elasticloadbalancing:CreateLoadBalancer",
    "aws_lb_listener": "elasticloadbalancing:CreateListener",
    "aws_lb_target_group": "elasticloadbalancing:CreateTargetGroup",
    "aws_nat_gateway": "ec2:CreateNatGateway",
    "aws_network_acl": "ec2:CreateNetworkAcl",
    "aws_route": "ec2:CreateRoute",
    "aws_route53_record": "route53:ChangeResourceRecordSets",
    "aws_route_table": "ec2:CreateRouteTable",
    "aws_route_table_association": "ec2:AssociateRouteTable",
    "aws_s3_bucket": "s3:CreateBucket",
    "aws_s3_bucket_lifecycle_configuration": "s3:PutLifecycleConfiguration",
    "aws_s3_bucket_policy": "s3:PutBucketPolicy",
    "aws_s3_bucket_public_access_block": "s3:PutBucketPublicAccessBlock",
    "aws_s3_bucket_server_side_encryption_configuration": "s3:PutEncryptionConfiguration",
    "aws_s3_bucket_versioning": "s3:PutBucketVersioning",
    "aws_secretsmanager_secret": "secretsmanager:CreateSecret",
    "aws_secretsmanager_secret_version": "secretsmanager:PutSecretValue",
    "aws_security_group": "ec2:CreateSecurityGroup",
    "aws_sqs_queue": "sqs:CreateQueue",
    "aws_subnet": "ec2:CreateSubnet",
    "aws_vpc": "ec2:CreateVpc",
    "aws_vpc_endpoint": "ec2:CreateVpcEndpoint",
    "aws_vpc_security_group_egress_rule": "ec2:AuthorizeSecurityGroupEgress",
    "aws_vpc_security_group_ingress_rule": "ec2:AuthorizeSecurityGroupIngress",
}
"""The call that makes each type of resource. A new type needs its line here, and in the policy."""
