"""What the gates see of a small cluster, with AWS and Rancher both answering."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import boto3
import botocore.client
import pytest
from moto import mock_aws
from ranchers import Rancher, Ranchers

from corral.clients.rancher import Patience, Site
from corral.clients.rancher.set_up import ensure_admin_key, ensure_local_access
from corral.cluster import ClusterSpec
from corral.domain.stacks import ControlPlaneOutputs
from corral.errors import PrerequisiteError
from corral.settings import Settings, load_cluster_spec
from tasks import connect
from tasks.probes import GateProbe, HostsProbe, check_living_cluster, vault


@dataclass
class Small:
    """A cluster of one server and one web host."""

    spec: ClusterSpec
    control: ControlPlaneOutputs
    rancher: Rancher
    server_id: str
    server_address: str


@pytest.fixture
def small(lab: Ranchers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Small]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        server_id, server_address, target_group = make_servers()
        rancher = lab.open(advertise=server_address)
        monkeypatch.setenv("CORRAL_RANCHER_URL", rancher.url)
        connect.settings.cache_clear()
        spec = load_cluster_spec("lab", Settings())
        control = ControlPlaneOutputs(
            url=spec.url,
            load_balancer_arn="",
            load_balancer_dns_name="",
            target_group_arn=target_group,
            group_name="lab-control",
            image_id="",
        )
        yield Small(spec, control, rancher, server_id, server_address)
        lab.close(rancher)
        connect.settings.cache_clear()


def make_group(name: str, size: int, **more: object) -> list[str]:
    """Make an auto scaling group and return the ids of its instances."""
    scaling = boto3.client("autoscaling", "us-east-1")
    ec2 = boto3.client("ec2", "us-east-1")
    zone = {"Name": "availability-zone", "Values": ["us-east-1a"]}
    subnet = ec2.describe_subnets(Filters=[zone])["Subnets"][0]["SubnetId"]
    image = ec2.register_image(Name=name, RootDeviceName="/dev/xvda")["ImageId"]
    ec2.create_launch_template(
        LaunchTemplateName=name, LaunchTemplateData={"ImageId": image, "InstanceType": "m5.large"}
    )
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateName": name},
        MinSize=size,
        MaxSize=5,
        VPCZoneIdentifier=subnet,
        **more,
    )
    group = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    return [i["InstanceId"] for i in group["AutoScalingGroups"][0]["Instances"]]


def make_servers() -> tuple[str, str, str]:
    """Make a group of one server in a target group; return its id, address and that group."""
    ec2 = boto3.client("ec2", "us-east-1")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    balancing = boto3.client("elbv2", "us-east-1")
    target_group = balancing.create_target_group(
        Name="lab-control", Protocol="HTTP", Port=8080, VpcId=vpc
    )["TargetGroups"][0]["TargetGroupArn"]
    [instance_id] = make_group("lab-control", 1, TargetGroupARNs=[target_group])
    found = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
    return instance_id, found["PrivateIpAddress"], target_group


def test_a_living_server_passes_the_gate(small):
    probe = GateProbe(connect.aws(small.spec.aws), small.spec, small.control, 1)

    assert probe() == []


def test_a_cluster_without_a_server_says_so_on_every_check(small, lab):
    lab.close(small.rancher)
    server = f"{small.server_id} ({small.server_address})"

    said = GateProbe(connect.aws(small.spec.aws), small.spec, small.control, 3)()

    assert [sentence.partition(":")[0] for sentence in said] == [
        "size of the group",
        "/ping of the load balancer",
        "version of the load balancer",
        "WebSocket upgrade of the load balancer",
        "membership of the cluster",
    ]
    assert "1 of 3 instances" in said[0]
    assert "connection refused" in said[1]
    assert server not in said[0]


def test_a_server_at_another_address_is_no_member(small):
    instance = boto3.resource("ec2", "us-east-1").Instance(small.server_id)
    instance.terminate()
    boto3.client("autoscaling", "us-east-1").set_desired_capacity(
        AutoScalingGroupName="lab-control", DesiredCapacity=1
    )

    said = GateProbe(connect.aws(small.spec.aws), small.spec, small.control, 1)()

    assert any("not in the list of members" in sentence for sentence in said)
    assert any("none of the group's instances" in sentence for sentence in said)


def test_a_group_that_cannot_start_its_instances_is_quoted(small, monkeypatch):
    failed = {"StatusCode": "Failed", "StatusMessage": "No capacity left.", "Description": "x"}
    record(monkeypatch, [{"StatusCode": "InProgress"}, failed, {"StatusCode": "Successful"}])

    said = GateProbe(connect.aws(small.spec.aws), small.spec, small.control, 3)()

    assert any("1 of 3 instances: No capacity left." in sentence for sentence in said)


def test_a_failure_that_was_overcome_is_not_quoted(small, monkeypatch):
    failed = {"StatusCode": "Failed", "StatusMessage": "No capacity left.", "Description": "x"}
    record(monkeypatch, [{"StatusCode": "Successful"}, failed])

    said = GateProbe(connect.aws(small.spec.aws), small.spec, small.control, 3)()

    assert not any("No capacity left." in sentence for sentence in said)


def record(monkeypatch: pytest.MonkeyPatch, activities: list[dict[str, str]]) -> None:
    """Have AWS tell these activities of every group; moto knows none."""
    make = botocore.client.BaseClient._make_api_call

    def call(self, operation, parameters):
        if operation == "DescribeScalingActivities":
            return {"Activities": activities}
        return make(self, operation, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)


def test_a_rejected_key_means_not_yet(small):
    session = connect.aws(small.spec.aws)
    secure(small, session)
    vault(small.spec, session).write("lab/rancher/admin", {"access_key": "a", "secret_key": "b"})

    said = GateProbe(session, small.spec, small.control, 1)()

    assert any("holds a key that it does not accept" in sentence for sentence in said)


def secure(small: Small, session: boto3.Session) -> None:
    patience = Patience(timedelta(seconds=10), timedelta(seconds=0.01))
    secrets = vault(small.spec, session)
    url = small.rancher.url
    site = Site("lab", secrets, public_url=url, reached_at=url, patience=patience)
    ensure_admin_key(site)
    ensure_local_access(site)


def test_who_was_never_reached_is_told_of_the_admin_networks(small, lab):
    lab.close(small.rancher)
    probe = GateProbe(connect.aws(small.spec.aws), small.spec, small.control, 1)

    assert any("must be in network.admin_networks" in sentence for sentence in probe())


def test_who_was_reached_once_is_not_told_of_the_admin_networks(small, lab):
    probe = GateProbe(connect.aws(small.spec.aws), small.spec, small.control, 1)
    probe()
    lab.close(small.rancher)

    assert not any("admin_networks" in sentence for sentence in probe())


def test_a_living_cluster_may_stay_as_it_is(small):
    check_living_cluster(small.spec, connect.aws(small.spec.aws))


def test_another_version_for_a_living_cluster_is_refused(small):
    rancher = small.spec.rancher.model_copy(update={"version": "v1.6.31"})
    spec = small.spec.model_copy(update={"rancher": rancher})

    with pytest.raises(PrerequisiteError, match="only upgrade-rancher changes that"):
        check_living_cluster(spec, connect.aws(spec.aws))


def test_fewer_servers_for_a_living_cluster_are_refused(small):
    boto3.client("autoscaling", "us-east-1").set_desired_capacity(
        AutoScalingGroupName="lab-control", DesiredCapacity=5
    )

    with pytest.raises(PrerequisiteError, match=r"has 5 servers, but control\.count says 3"):
        check_living_cluster(small.spec, connect.aws(small.spec.aws))


def test_pools_lack_hosts_until_their_own_have_joined(small):
    sizes = {"web": 2, "celery": 2, "crawler": 1}
    groups = {pool: make_group(f"lab-{pool}", size) for pool, size in sizes.items()}
    spec = small.spec
    probe = HostsProbe(connect.aws(spec.aws), spec, {"lab": "1a5"})

    first = probe()
    # Seeded hosts take the roles in turn.
    turns = [*zip(groups["web"], groups["celery"], [*groups["crawler"], "i-none"], strict=True)]
    machines = [(instance, "10.20.64.1") for turn in turns for instance in turn]
    small.rancher.cluster.seed_herd(len(machines), 0, "Default", machines)
    for host in small.rancher.cluster.store.hosts:
        host.labels = {**host.labels, "env": "lab", "network": "external"}
    second = probe()

    assert [sentence.partition(":")[0] for sentence in first] == [
        "web has 0 of 2 active hosts",
        "celery has 0 of 2 active hosts",
        "crawler has 0 of 1 active hosts",
    ]
    assert second == []
    assert len(probe.hosts) == len(machines)
