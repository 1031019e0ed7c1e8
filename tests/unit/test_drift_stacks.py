from typing import Any

from corral.domain.drift import Cause
from corral.domain.stacks import Vpc
from corral.domain.states import StackState
from corral.settings import Settings, load_cluster_spec
from tasks.drift import read_stacks

SPEC = load_cluster_spec("lab", Settings())
VPC = Vpc.of(SPEC)

IDS = ["subnet-0123456789abcdef0"] * 3
OUTPUTS: dict[str, dict[str, Any]] = {
    "vpc": {
        "vpc_id": "vpc-0123456789abcdef0",
        "public_subnet_ids": IDS,
        "private_subnet_ids": IDS,
        "database_subnet_ids": IDS,
        "database_subnet_group": "lab-database",
        "nat_public_ips": ["192.0.2.1"],
    },
    "security-groups": {
        f"{name}_group_id": "sg-0123456789abcdef0"
        for name in ("load_balancer", "control", "hosts", "database")
    },
    "database": {
        "identifier": "lab-database-2",
        "address": "rancher-db.corral.test",
        "port": 3306,
        "database_name": "rancher",
        "username": "rancher",
        "secret_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:lab/database",
        "password_version": 3,
    },
    "control-plane": {
        "url": "https://rancher.corral.test",
        "load_balancer_arn": "arn:lb",
        "load_balancer_dns_name": "lb.example",
        "target_group_arn": "arn:tg",
        "group_name": "lab-control",
        "image_id": "ami-0123456789abcdef0",
    },
}
DATABASE = {
    "aws_db_instance.this": {"identifier": "lab-database-2", "password_wo_version": 3},
}


def state(name: str) -> StackState:
    return StackState(attributes=DATABASE, outputs=OUTPUTS.get(name, {}))


def test_stacks_get_their_variables_from_the_states():
    stacks = read_stacks(SPEC, {name: state(name) for name in OUTPUTS})

    assert stacks.names == [
        *OUTPUTS,
        "host-pool/web",
        "host-pool/celery",
        "host-pool/crawler",
    ]
    assert stacks.looks == ()
    assert stacks.known[-1].variables()["hosts_group_id"] == "sg-0123456789abcdef0"


def test_the_database_is_looked_at_as_a_restore_and_a_rotation_left_it():
    stacks = read_stacks(SPEC, {name: state(name) for name in OUTPUTS})

    variables = stacks.known[2].variables()

    assert (variables["identifier"], variables["password_version"]) == ("lab-database-2", 3)


def test_what_builds_on_a_stack_that_is_not_there_is_not_looked_at_and_the_others_are():
    built = {name: state(name) for name in ("vpc", "security-groups")}

    stacks = read_stacks(SPEC, built)

    assert [stack.name for stack in stacks.known] == ["vpc", "security-groups", "database"]
    assert next(look.stack for look in stacks.looks) == "control-plane"
    assert {look.fault for look in stacks.looks} == {
        (
            "It needs the outputs of lab/database, whose state has none: finish the cluster first,"
            " with build-cluster/lab."
        )
    }


def test_a_pool_that_is_built_and_in_no_file_is_told():
    built = {name: state(name) for name in (*OUTPUTS, "host-pool/old", "something-else")}

    stacks = read_stacks(SPEC, built)

    (look,) = stacks.looks
    assert (look.stack, look.fault) == ("host-pool/old", "")
    assert look.deviations[0].cause is Cause.WAITING
