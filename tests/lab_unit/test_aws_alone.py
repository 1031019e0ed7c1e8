"""moto without the lab, in a process that had a lab."""

from pathlib import Path

import boto3
import pytest
from aws_lab import KEYS, AwsLab
from moto import mock_aws


def test_moto_is_as_it_was_once_the_lab_has_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "true")
    AwsLab(tmp_path).stop()

    with mock_aws():
        rds = boto3.client("rds", **KEYS)
        rds.create_db_instance(
            DBInstanceIdentifier="alone", DBInstanceClass="db.t3.small", Engine="mysql"
        )
        (database,) = rds.describe_db_instances()["DBInstances"]
        assert database["DBInstanceStatus"] == "available"
        assert boto3.client("ec2", **KEYS).describe_images()["Images"]
