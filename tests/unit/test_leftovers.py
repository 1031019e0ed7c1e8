"""What is left after an end, and which of it is meant to stay."""

import pytest

from corral.domain.images import FAMILY_TAG
from corral.domain.leftovers import LEAVING, Found, judge_leftovers

ARN = "arn:aws:{}:us-east-1:123456789012:{}"
BUCKET = "corral-lab-terraform-states"
VPC = Found(ARN.format("ec2", "vpc/vpc-1"), {})


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(Found(f"arn:aws:s3:::{BUCKET}", {}), id="state-bucket"),
        pytest.param(Found(ARN.format("rds", "snapshot:lab-database-final-x"), {}), id="snapshot"),
        pytest.param(Found(ARN.format("rds", "auto-backup:ab-1"), {}), id="automated-backups"),
        pytest.param(
            Found(ARN.format("secretsmanager", "secret:lab/x"), {}, LEAVING), id="leaving-secret"
        ),
        pytest.param(
            Found(ARN.format("ec2", "image/ami-1"), {FAMILY_TAG: "corral-node-*"}), id="image"
        ),
    ],
)
def test_what_is_meant_to_stay_has_a_reason(one):
    (left,) = judge_leftovers([one], state_bucket=BUCKET)

    assert left.reason


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(VPC, id="network"),
        pytest.param(Found("arn:aws:s3:::lab-access-logs-123456789012", {}), id="other-bucket"),
        pytest.param(Found(ARN.format("rds", "db:lab-database"), {}), id="database"),
        pytest.param(Found(ARN.format("secretsmanager", "secret:lab/x"), {}), id="secret"),
        pytest.param(Found(ARN.format("ec2", "instance/i-1"), {}, "running"), id="machine"),
        pytest.param(Found("CNAME record rancher-db.corral.test", {}), id="record"),
    ],
)
def test_what_nobody_wanted_has_none(one):
    (left,) = judge_leftovers([one], state_bucket=BUCKET)

    assert not left.reason


@pytest.mark.parametrize("state", ["terminated", "shutting-down", "deleted", "deleting"])
def test_what_is_on_its_way_out_is_not_left(state):
    gone = Found(ARN.format("ec2", "instance/i-1"), {}, state)

    assert judge_leftovers([gone], state_bucket=BUCKET) == ()


def test_what_nobody_wanted_comes_first():
    left = judge_leftovers([Found(f"arn:aws:s3:::{BUCKET}", {}), VPC], state_bucket=BUCKET)

    assert [one.name for one in left] == [VPC.name, f"arn:aws:s3:::{BUCKET}"]
