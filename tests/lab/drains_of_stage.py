"""The pool web of the lab's cluster: machines that its group ends, its queue, runs of the drain."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import yaml
from prefect.client.schemas.objects import State

from corral.clients.aws import open_session
from corral.domain.hosts import INSTANCE_LABEL
from corral.settings import Settings, load_cluster_spec
from flows.drain_hosts import drain_hosts
from tasks.probes import administrator
from tests.lab.harness import Started, wait_until
from tests.lab.herd_of_stage import Herd
from tests.lab.stage import CLUSTER_FILE

GROUP = "lab-web"
QUEUE = f"{GROUP}-terminations"
SPOT_QUEUE = "lab-celery-terminations"
"""Of the pool that has spot machines."""
FLOW = "flows.drain_hosts.drain_hosts"
WORD_S = 20.0
"""Seconds within which a queue hears of a machine that its group ends."""


class Drains:
    """The pool web: machines that its group ends, its queue, and runs of the drain."""

    def __init__(self, herd: Herd) -> None:
        self.herd = herd
        self.stage = herd.stage
        self.sqs = self.stage.client("sqs")
        self.groups = self.stage.client("autoscaling")
        self.ec2 = self.stage.client("ec2")

    def run(self, listen_s: float = 0) -> State[str]:
        return drain_hosts("lab", listen_s=listen_s, return_state=True)

    def start(self, log: str, listen_s: float = 0) -> Started:
        return self.stage.run_flow(FLOW, log, cluster="lab", listen_s=listen_s)

    def members(self) -> dict[str, str]:
        """Return the lifecycle state of each machine of the pool."""
        answer = self.groups.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])
        (group,) = answer["AutoScalingGroups"]
        return {each["InstanceId"]: each["LifecycleState"] for each in group["Instances"]}

    def in_service(self) -> str:
        return next(each for each, state in self.members().items() if state == "InService")

    def spot_machine(self) -> str:
        """Return a spot machine that runs. Moto knows no filter for them."""
        pages = self.ec2.get_paginator("describe_instances").paginate()
        found: str = next(
            one["InstanceId"]
            for page in pages
            for reservation in page["Reservations"]
            for one in reservation["Instances"]
            if one.get("InstanceLifecycle") == "spot" and one["State"]["Name"] == "running"
        )
        return found

    def end_one(self) -> tuple[str, str]:
        """Have the group end one machine; return instance and host."""
        instance_id = self.in_service()
        host_id = self.host_of(instance_id)
        self.groups.terminate_instance_in_auto_scaling_group(
            InstanceId=instance_id, ShouldDecrementDesiredCapacity=False
        )
        return instance_id, host_id

    def scale_in(self) -> tuple[str, str]:
        """Do the same while nobody listens, and wait for word of it."""
        instance_id, host_id = self.end_one()
        wait_until(self.waiting, WORD_S, "word of the machine")
        assert self.members()[instance_id] == "Terminating:Wait"
        return instance_id, host_id

    def host_of(self, instance_id: str) -> str:
        rows = self.herd.rows.items()
        return next(key for key, row in rows if row["labels"][INSTANCE_LABEL] == instance_id)

    def is_busy(self) -> bool:
        """Say whether containers run on the machine that is ended next."""
        row = self.herd.rows[self.host_of(self.in_service())]
        spec = load_cluster_spec("lab", Settings())
        rancher = administrator(spec, open_session(spec.aws.region))
        return rancher.is_busy(row["accountId"], row["id"])

    def url(self, name: str = QUEUE) -> str:
        return str(self.sqs.get_queue_url(QueueName=name)["QueueUrl"])

    def attribute(self, attribute: str) -> str:
        answer = self.sqs.get_queue_attributes(QueueUrl=self.url(), AttributeNames=[attribute])
        return str(answer["Attributes"][attribute])

    def waiting(self) -> int:
        """How many messages could be received now."""
        return int(self.attribute("ApproximateNumberOfMessages"))

    def messages(self) -> int:
        """How many messages the queue has, those on loan included."""
        return self.waiting() + int(self.attribute("ApproximateNumberOfMessagesNotVisible"))

    def send(self, body: Any, queue: str = QUEUE) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self.sqs.send_message(QueueUrl=self.url(queue), MessageBody=text)

    def is_gone(self, host_id: str) -> bool:
        return host_id not in self.herd.rows

    def state_of(self, instance_id: str) -> str:
        answer = self.ec2.describe_instances(InstanceIds=[instance_id])
        return str(answer["Reservations"][0]["Instances"][0]["State"]["Name"])

    def count(self, operation: str) -> int:
        rows = self.stage.lever("GET", "/journal")
        return sum(row["count"] for row in rows if row["operation"] == operation)

    @contextmanager
    def giving_up_after(self, receives: int) -> Iterator[None]:
        """Have SQS give a message up sooner than it is set up to."""
        policy = json.loads(self.attribute("RedrivePolicy"))
        with self.changed("RedrivePolicy", json.dumps(policy | {"maxReceiveCount": receives})):
            yield

    @contextmanager
    def changed(self, attribute: str, value: str) -> Iterator[None]:
        """Change the queue; afterwards it is to the letter as before, since Terraform looks."""
        before = self.attribute(attribute)
        self.sqs.set_queue_attributes(QueueUrl=self.url(), Attributes={attribute: value})
        try:
            yield
        finally:
            self.sqs.set_queue_attributes(QueueUrl=self.url(), Attributes={attribute: before})

    def plan_pool(self, name: str) -> None:
        """Write one more pool into the cluster's file, and do not build it."""
        content = yaml.safe_load(CLUSTER_FILE.read_text())
        content["pools"].append(content["pools"][0] | {"name": name})
        folder = self.stage.folder / "planned"
        folder.mkdir(exist_ok=True)
        (folder / CLUSTER_FILE.name).write_text(yaml.safe_dump(content))
        self.herd.set(clusters_dir=folder)

    def is_quiet(self) -> bool:
        """Say whether the queue is empty, and see to it that it will be."""
        self.take(QUEUE)
        return not self.messages()

    def redrive(self) -> None:
        """Put what was given up back into the queue, as SQS does it on demand."""
        for body in self.take(f"{QUEUE}-failed"):
            self.send(body)

    def take(self, name: str) -> list[str]:
        """Take messages out of a queue, and return their bodies."""
        url = self.url(name)
        messages = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        taken = messages.get("Messages", [])
        for message in taken:
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in taken]


def termination(instance_id: str, group: str = GROUP) -> dict[str, Any]:
    """An event as EventBridge puts it into a queue; its token is of no hook.

    Source: Amazon EC2 Auto Scaling user guide, EventBridge event reference.
    """
    detail = {
        "LifecycleActionToken": "87654321-4321-4321-4321-210987654321",
        "AutoScalingGroupName": group,
        "LifecycleHookName": f"{group}-drain",
        "EC2InstanceId": instance_id,
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
    }
    return _event("aws.autoscaling", "EC2 Instance-terminate Lifecycle Action", detail)


def spot_warning(instance_id: str) -> dict[str, Any]:
    """An event as EventBridge puts it into a queue.

    Source: Amazon EC2 user guide, spot instance interruption notices.
    """
    detail = {"instance-id": instance_id, "instance-action": "terminate"}
    return _event("aws.ec2", "EC2 Spot Instance Interruption Warning", detail)


def _event(source: str, kind: str, detail: dict[str, str]) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "12345678-1234-1234-1234-123456789012",
        "detail-type": kind,
        "source": source,
        "account": "123456789012",
        "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": "us-east-1",
        "resources": [],
        "detail": detail,
    }
