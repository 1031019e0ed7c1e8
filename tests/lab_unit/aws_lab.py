"""One lab's AWS in a thread, with an event loop of its own, and boto3 clients for it."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import boto3

from lab.aws import Aws
from lab.balancer import Balancer
from lab.world import World

KEYS = {
    "region_name": "us-east-1",
    "aws_access_key_id": "lab",
    "aws_secret_access_key": "lab",
}


class AwsLab:
    """moto with the lab's gaps closed, at a hundred times the speed of reality."""

    def __init__(self, root: Path, scale: float = 100.0) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self._stack = AsyncExitStack()
        self.world = World(scale, root, self.loop)
        self.aws: Aws
        self.balancer: Balancer
        self.run(self._start())

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(120)

    async def _start(self) -> None:
        self._stack.callback(self.world.addresses.close)
        self.aws = Aws(self.world)
        self._stack.push_async_callback(self.aws.stop)
        await self.aws.start()
        self.balancer = Balancer(self.world, self.aws)
        await self.balancer.start()
        self._stack.push_async_callback(self.balancer.stop)

    def stop(self) -> None:
        self.run(self._stack.aclose())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.world.aws_endpoint, **KEYS)

    def network(self, cidr: str = "10.42.0.0/16") -> tuple[str, list[str]]:
        """Make a VPC with two subnets in two zones."""
        ec2 = self.client("ec2")
        vpc_id = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(
                VpcId=vpc_id,
                CidrBlock=cidr.replace(".0.0/16", f".{16 * index}.0/20"),
                AvailabilityZone=f"us-east-1{zone}",
            )["Subnet"]["SubnetId"]
            for index, zone in enumerate("ab")
        ]
        return vpc_id, subnets

    def group(self, name: str, size: int, **more: Any) -> None:
        """Make an auto scaling group of the lab's image."""
        ec2 = self.client("ec2")
        image = ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"]
        template = ec2.create_launch_template(
            LaunchTemplateName=name,
            LaunchTemplateData={
                "ImageId": image,
                "InstanceType": "m5.large",
                "MetadataOptions": {"HttpTokens": "required"},
            },
        )["LaunchTemplate"]["LaunchTemplateId"]
        if "MixedInstancesPolicy" not in more:
            more["LaunchTemplate"] = {"LaunchTemplateId": template, "Version": "$Latest"}
        more.setdefault("VPCZoneIdentifier", ",".join(self.network()[1]))
        self.client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName=name, MinSize=0, MaxSize=10, DesiredCapacity=size, **more
        )

    def put_events_into(self, url: str, rule: str, pattern: dict[str, Any]) -> None:
        """Have the bus put whatever is of a pattern into a queue, by a rule of this name."""
        sqs, events = self.client("sqs"), self.client("events")
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn = answer["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])

    def members(self, name: str) -> dict[str, str]:
        """Return the lifecycle state of each instance of a group."""
        groups = self.client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[name]
        )["AutoScalingGroups"]
        return {one["InstanceId"]: one["LifecycleState"] for one in groups[0]["Instances"]}

    def instance_state(self, instance_id: str) -> str:
        found = self.client("ec2").describe_instances(InstanceIds=[instance_id])
        return found["Reservations"][0]["Instances"][0]["State"]["Name"]


def eventually(probe: Callable[[], Any], seconds: float = 5.0) -> Any:
    """Return what a probe returns as soon as it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = probe()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s, last {result!r}")
