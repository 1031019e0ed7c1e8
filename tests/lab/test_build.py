"""What stands after a build whose runs were killed on the way."""

import base64
import json
import re
import zipfile
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
import requests

from lab.ready import Ready
from lab.summary import print_summary
from tests.lab.harness import Started, wait_until
from tests.lab.history import STAGE_S, log_after
from tests.lab.pinger import Pinger
from tests.lab.processes import CommandLines
from tests.lab.stage import TIME_SCALE, Stage

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("stage"), pytest.mark.timeout(2700)]


def _mine(stage: Stage, call: str, key: str) -> list[Any]:
    tagged = [{"Name": "tag:Cluster", "Values": ["lab"]}]
    return getattr(stage.client("ec2"), call)(Filters=tagged)[key]


def _log_after(stage: Stage, death: str) -> str:
    return (stage.folder / f"{log_after(death)}.log").read_text()


def test_the_last_run_finds_that_the_others_have_finished_everything(built: Started):
    assert "Finished in state InStep" in built.text


def test_nothing_was_made_twice(stage: Stage, built: Started):
    assert len(_mine(stage, "describe_vpcs", "Vpcs")) == 1
    assert len(_mine(stage, "describe_subnets", "Subnets")) == 9
    assert len(_mine(stage, "describe_nat_gateways", "NatGateways")) == 1
    assert len(stage.client("rds").describe_db_instances()["DBInstances"]) == 1
    assert len(stage.client("elbv2").describe_load_balancers()["LoadBalancers"]) == 1
    groups = stage.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert sorted(group["AutoScalingGroupName"] for group in groups) == [
        "lab-celery",
        "lab-control",
        "lab-crawler",
        "lab-web",
    ]
    queues = stage.client("sqs").list_queues()["QueueUrls"]
    assert len(queues) == 6


def test_the_state_bucket_holds_one_object_for_each_stack_and_pool(stage: Stage, built: Started):
    listing = stage.client("s3").list_objects_v2(Bucket="corral-lab-terraform-states")

    keys = sorted(entry["Key"] for entry in listing["Contents"])
    states = [key for key in keys if key.endswith(".tfstate")]
    assert states == [
        "lab/control-plane.tfstate",
        "lab/database.tfstate",
        "lab/host-pool/celery.tfstate",
        "lab/host-pool/crawler.tfstate",
        "lab/host-pool/web.tfstate",
        "lab/security-groups.tfstate",
        "lab/vpc.tfstate",
    ]

    beside = [key for key in keys if key not in states]
    assert beside == [f"{state.removesuffix('.tfstate')}.holder.json" for state in states]


def test_the_database_that_was_made_and_never_recorded_was_adopted(stage: Stage, built: Started):
    text = _log_after(stage, "database")

    assert re.search(r"The lock \S+ of \S+ since .* was broken by build-lab", text)
    assert "aws_db_instance.this is in AWS as lab-database, and in no state" in text
    assert not re.search(r"aws_db_instance\.this: (destroying|creating)", text)


def test_the_load_balancer_that_was_interrupted_was_taken_into_use(stage: Stage, built: Started):
    text = _log_after(stage, "load balancer")

    assert "aws_lb.rancher was interrupted while it was made, but AWS has it whole" in text
    assert not re.search(r"aws_lb\.rancher: (destroying|creating)", text)


def test_every_pool_has_its_hosts_with_labels_and_instance_ids(stage: Stage, built: Started):
    rows = [row for row in stage.lever("GET", "/hosts") if row["removed"] is None]
    groups = stage.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    members = {
        group["AutoScalingGroupName"]: {each["InstanceId"] for each in group["Instances"]}
        for group in groups
    }

    for role, least in {"web": 2, "celery": 2, "crawler": 1}.items():
        hosts = [row for row in rows if row["labels"]["role"] == role]
        assert len(hosts) >= least
        assert {row["labels"]["aws.instance_id"] for row in hosts} == members[f"lab-{role}"]
        for row in hosts:
            assert row["labels"]["env"] == "lab"
            assert row["labels"]["aws.account_id"] == "123456789012"
            assert row["labels"]["aws.region"] == "us-east-1"
    assert len({row["labels"]["aws.instance_id"] for row in rows}) == len(rows)


def test_anonymous_callers_are_turned_away(stage: Stage, built: Started):
    answer = requests.get(f"{stage.ready['rancher_url']}/v2-beta/projects", timeout=10)

    assert answer.status_code == 401


def test_the_group_of_servers_is_whole(stage: Stage, built: Started):
    group = _control_group(stage)

    assert (group["MinSize"], group["DesiredCapacity"], group["MaxSize"]) == (3, 3, 3)
    assert len({each["AvailabilityZone"] for each in group["Instances"]}) == 3
    assert wait_until(lambda: not stage.locks(), 5, "no lock is left")


def _secrets(stage: Stage) -> dict[str, str]:
    """Return everything that must be nowhere but in Secrets Manager, by where it was found."""
    vault = stage.client("secretsmanager")
    values = {}
    for entry in vault.list_secrets()["SecretList"]:
        content = json.loads(vault.get_secret_value(SecretId=entry["ARN"])["SecretString"])
        hidden = {"password", "secret_key", "aws_secret_access_key"} & content.keys()
        values |= {f"{entry['Name']}: {name}": content[name] for name in hidden}
    return values


def _states(stage: Stage) -> Iterator[tuple[str, bytes]]:
    s3 = stage.client("s3")
    bucket = "corral-lab-terraform-states"
    for version in s3.list_object_versions(Bucket=bucket)["Versions"]:
        body = s3.get_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
        yield f"s3://{version['Key']}", body["Body"].read()


def _user_data(stage: Stage) -> Iterator[tuple[str, bytes]]:
    ec2 = stage.client("ec2")
    for template in ec2.describe_launch_templates()["LaunchTemplates"]:
        answer = ec2.describe_launch_template_versions(
            LaunchTemplateId=template["LaunchTemplateId"]
        )
        for version in answer["LaunchTemplateVersions"]:
            data = base64.b64decode(version["LaunchTemplateData"]["UserData"])
            assert b"#cloud-config" in data
            yield template["LaunchTemplateName"], data


def _files(stage: Stage) -> Iterator[tuple[str, bytes]]:
    """Everything on disk: logs, working copies, plans (zip files) and Prefect's database."""
    for path in stage.folder.rglob("*"):
        if not path.is_file() or "providers" in path.parts:
            continue
        yield str(path), path.read_bytes()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield from ((f"{path}!{name}", archive.read(name)) for name in archive.namelist())


def test_no_secret_is_anywhere_but_in_secrets_manager(
    stage: Stage,
    built: Started,
    command_lines: CommandLines,
):
    secrets = _secrets(stage)
    places = dict(chain(_states(stage), _user_data(stage), _files(stage)))
    places["command lines"] = command_lines.text.encode()

    found = [
        f"{name} in {place}"
        for name, value in secrets.items()
        for place, content in places.items()
        if value.encode() in content
    ]

    assert {"lab/database: password", "lab/rancher/admin: password"} <= secrets.keys()
    assert any(place.endswith("prefect.db") for place in places)
    assert any(" apply " in line for line in command_lines.text.splitlines())
    assert found == []


def test_a_run_leaves_what_people_look_at(stage: Stage, built: Started):
    answer = requests.post(
        f"{stage.environment['PREFECT_API_URL']}/artifacts/latest/filter", json={}, timeout=10
    )
    keys = {artifact["key"]: artifact for artifact in answer.json()}

    assert {
        "plan-lab-vpc",
        "plan-lab-host-pool-web",
        "outputs-lab",
        "hosts-lab",
        "timeline-lab",
        "cluster-lab",
        "progress-lab",
    } <= keys.keys()
    assert keys["progress-lab"]["data"] == 100.0
    picture = (stage.work_dir / "lab" / "timeline.png").read_bytes()
    assert picture.startswith(b"\x89PNG")


def test_the_summary_of_a_demo_tells_of_each_stack_and_host(
    stage: Stage, built: Started, capsys: pytest.CaptureFixture[str]
):
    ready = Ready.read(stage.folder / "ready.json")
    print_summary(ready, stage.environment["PREFECT_API_URL"], 1.0)
    told = capsys.readouterr().out

    states = "s3://corral-lab-terraform-states/lab/"
    assert len(re.findall(rf"{states}\S+\.tfstate +\d+ resources", told)) == 7
    machines = {row["labels"]["aws.instance_id"] for row in stage.lever("GET", "/hosts")}
    assert all(machine in told for machine in machines)


def test_a_killed_server_is_replaced_while_the_others_answer(stage: Stage, built: Started):
    group = _control_group(stage)
    victim = group["Instances"][0]["InstanceId"]
    with Pinger(stage.ready["rancher_url"]) as pinger:
        stage.lever("POST", f"/instances/{victim}/crash")
        wait_until(lambda: _serve_without(stage, victim), 120, "a new node serves as well")

    # A dead target is asked until its health check has failed twice: 2 intervals and a time-out.
    assert pinger.longest_outage_s <= (2 * 10 + 5) / TIME_SCALE + 1
    assert pinger.answers


def test_a_run_from_its_deployment_changes_nothing_once_the_servers_are_whole(
    stage: Stage, built: Started
):
    stage.lever("DELETE", "/journal")
    with stage.worker():
        run = stage.run("deployment", "run", "build-cluster/lab", "--watch", log="second-run")
        assert run.wait(STAGE_S) == 0, run.tail

    assert "Flow run finished successfully in 'InStep'" in run.text
    assert stage.writes() == []


def _control_group(stage: Stage) -> dict[str, Any]:
    answer = stage.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=["lab-control"]
    )
    return answer["AutoScalingGroups"][0]


def _serve_without(stage: Stage, victim: str) -> bool:
    group = _control_group(stage)
    ids = [each["InstanceId"] for each in group["Instances"]]
    (arn,) = group["TargetGroupARNs"]
    answer = stage.client("elbv2").describe_target_health(TargetGroupArn=arn)
    rows = answer["TargetHealthDescriptions"]
    healthy = [row["Target"]["Id"] for row in rows if row["TargetHealth"]["State"] == "healthy"]
    return len(ids) == 3 and victim not in ids and sorted(healthy) == sorted(ids)
