"""Which release of Rancher machines were started with, in the lab's AWS."""

from base64 import b64encode

import boto3
from aws_lab import KEYS, AwsLab

from corral.clients.aws import launched_releases

TOLD = '#cloud-config\nwrite_files:\n- content: {"image": "rancher/server:v1.6.29", "port": 1}\n'


def test_releases_are_read_from_what_machines_were_told(aws_lab: AwsLab, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_lab.world.aws_endpoint)
    ec2 = aws_lab.client("ec2")
    texts = [TOLD, TOLD.replace("v1.6.29", "v1.6.30"), "#cloud-config\n"]
    first, *others = [{"UserData": b64encode(text.encode()).decode()} for text in texts]
    made = ec2.create_launch_template(LaunchTemplateName="told", LaunchTemplateData=first)
    template = made["LaunchTemplate"]["LaunchTemplateId"]
    for data in others:
        ec2.create_launch_template_version(LaunchTemplateName="told", LaunchTemplateData=data)

    versions = [f"{template}:{number}" for number in (1, 2, 3)]
    found = launched_releases(boto3.Session(**KEYS), [*versions, ""])

    assert [found[one] for one in versions] == ["v1.6.29", "v1.6.30", ""]
    assert found[""] == ""
