"""Three real servers behind the lab's load balancer are rolled, and nobody is left unanswered."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta

import boto3
import pytest
from aws_lab import KEYS, eventually
from machines_cluster import Cluster
from machines_surroundings import SERVE, user_data
from prefect.logging import disable_run_logger

from corral.domain.servers import Renewal
from corral.domain.stacks import ControlPlaneOutputs
from corral.settings import Settings, load_cluster_spec
from tasks import connect
from tasks.departures import GatePatience, Watch, roll, shrink
from tasks.servers import Place
from tests.lab.pinger import Pinger

pytestmark = pytest.mark.timeout(600)

NAME = "lab-control"
PATIENCE = GatePatience(timedelta(seconds=240), timedelta(seconds=0.5), 3)


class ControlPlane:
    """A group of Rancher's servers with all around it that the stacks would have made."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._client = cluster.client
        self._let_drain()
        ec2 = self._client("ec2")
        profile = "arn:aws:iam::123456789012:instance-profile/lab-node"
        data = {
            "ImageId": ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"],
            "InstanceType": "m5.large",
            "UserData": b64encode(user_data(SERVE, "corral-serve.service").encode()).decode(),
            "IamInstanceProfile": {"Arn": profile},
        }
        ec2.create_launch_template(LaunchTemplateName=NAME, LaunchTemplateData=data)
        self._client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName=NAME, MinSize=1, MaxSize=5, DesiredCapacity=1,
            LaunchTemplate={"LaunchTemplateName": NAME, "Version": "$Latest"},
            VPCZoneIdentifier=",".join(cluster.subnets), TargetGroupARNs=[cluster.target_group],
            HealthCheckType="ELB", HealthCheckGracePeriod=900,
        )  # fmt: skip
        eventually(cluster.answers_ping, 120)
        self.grow(3)
        # Else requests go to servers that still start: a load balancer without a healthy target
        # sends them to all.
        self.watch().pass_gate(3)

    def grow(self, size: int) -> None:
        self._client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=NAME, MinSize=size, DesiredCapacity=size
        )

    def watch(self) -> Watch:
        control = ControlPlaneOutputs(
            url="",
            load_balancer_arn="",
            load_balancer_dns_name="",
            target_group_arn=self.cluster.target_group,
            group_name=NAME,
            image_id="",
        )
        place = Place(load_cluster_spec("lab", Settings()), control)
        return Watch(place, PATIENCE, lambda _: None)

    def _let_drain(self) -> None:
        self._client("elbv2").modify_target_group_attributes(
            TargetGroupArn=self.cluster.target_group,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
        )


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        with pytest.MonkeyPatch.context() as patch, disable_run_logger():
            patch.setenv("AWS_ENDPOINT_URL", cluster.lab.world.aws_endpoint)
            patch.setenv("CORRAL_RANCHER_URL", cluster.lab.world.rancher_url)
            patch.setattr(connect, "aws", lambda _: boto3.Session(**KEYS))
            connect.settings.cache_clear()
            yield ControlPlane(cluster)
    finally:
        connect.settings.cache_clear()
        cluster.stop()


def test_a_roll_of_three_loses_not_one_ping(plane: ControlPlane):
    watch = plane.watch()
    before = {one.instance_id for one in watch.read().staying}

    with Pinger(plane.cluster.lab.world.rancher_url) as pinger:
        roll(watch, Renewal(all=True), 3)

    assert pinger.lost == []
    assert set(watch.gone) == before
    after = watch.read().staying
    assert len(after) == 3
    assert before.isdisjoint(one.instance_id for one in after)


def test_a_third_that_goes_loses_none_either(plane: ControlPlane):
    watch = plane.watch()

    with Pinger(plane.cluster.lab.world.rancher_url) as pinger:
        shrink(watch, 2)

    assert pinger.lost == []
    assert (len(watch.gone), len(watch.read().staying)) == (1, 2)
