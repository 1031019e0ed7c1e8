"""What the end of a cluster takes away, told by the states alone."""

from datetime import date
from typing import Any

import pytest
import yaml

from corral.cluster import ClusterSpec
from corral.domain.ending import (
    Ending,
    SpareDatabase,
    as_markdown,
    find_ending,
    find_ending_of_pool,
    name_last_snapshot,
)
from corral.domain.judging import judge
from corral.domain.plans import Action, Change, Plan
from corral.domain.stacks import (
    ControlPlaneOutputs,
    DatabaseOutputs,
    HostPoolOutputs,
    Outputs,
    SecurityGroupsOutputs,
    VpcOutputs,
)
from corral.domain.states import StackState
from corral.errors import PrerequisiteError
from corral.settings import PROJECT

OUTPUTS: dict[str, type[Outputs]] = {
    "vpc": VpcOutputs,
    "security-groups": SecurityGroupsOutputs,
    "database": DatabaseOutputs,
    "control-plane": ControlPlaneOutputs,
    "host-pool": HostPoolOutputs,
}
INSTANCE = {"identifier": "lab-database", "resource_id": "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
RESOURCES: dict[str, dict[str, dict[str, Any]]] = {
    "vpc": {"aws_vpc.this": {}},
    "security-groups": {"aws_security_group.hosts": {}},
    "database": {
        "aws_db_instance.this": INSTANCE,
        "aws_secretsmanager_secret.database": {},
        "aws_db_parameter_group.rancher": {},
    },
    "control-plane": {"aws_lb.rancher": {}, "aws_autoscaling_group.control": {}},
    "host-pool": {"aws_autoscaling_group.hosts": {}},
}
POOLS = ("host-pool/crawler", "host-pool/celery", "host-pool/web")
FOUNDATION = ("control-plane", "database", "security-groups", "vpc")
LAST = "lab-database-final-abcdefgh"


@pytest.fixture
def spec() -> ClusterSpec:
    path = PROJECT / "deployments" / "clusters" / "lab.yaml"
    return ClusterSpec.model_validate(yaml.safe_load(path.read_text()))


def outputs(model: type[Outputs]) -> dict[str, Any]:
    """Return outputs of the right shape; what they say does not matter here."""
    samples = {"str": "x", "int": 1}
    return {
        name: samples.get(getattr(field.annotation, "__name__", ""), ["x"])
        for name, field in model.model_fields.items()
    }


def state(stack: str) -> StackState:
    kind = stack.partition("/")[0]
    return StackState(RESOURCES[kind], outputs(OUTPUTS[kind]))


def states(*stacks: str) -> dict[str, StackState]:
    return {stack: state(stack) for stack in stacks}


def names(ending: Ending) -> list[str]:
    return [doomed.stack.name for doomed in ending.stacks]


def test_stacks_go_in_the_reverse_order_of_their_making(spec):
    ending = find_ending(spec, states(*FOUNDATION, *POOLS))

    assert names(ending) == [*POOLS, *FOUNDATION]
    assert [doomed.stack.name for doomed in ending.upper] == [*POOLS, "control-plane"]
    assert [doomed.stack.name for doomed in ending.lower] == ["database", "security-groups", "vpc"]
    assert ending.pools == ("crawler", "celery", "web")


@pytest.mark.parametrize("gone", range(1 + len(POOLS) + len(FOUNDATION)))
def test_an_end_that_was_broken_off_goes_on_where_it_was(spec, gone):
    order = [*POOLS, *FOUNDATION]
    left = states(*order[gone:])
    # Terraform keeps the object of a state that is empty.
    ended = {name: StackState() for name in order[:gone]}

    assert names(find_ending(spec, left | ended)) == order[gone:]


@pytest.mark.parametrize("stack", FOUNDATION)
def test_a_stack_that_went_half_way_and_lost_its_outputs_goes_on(spec, stack):
    order = FOUNDATION[FOUNDATION.index(stack) :]
    half = {stack: StackState(dict(list(RESOURCES[stack].items())[:1]))}

    assert names(find_ending(spec, states(*order) | half)) == [*order]


def test_what_stands_on_a_stack_that_is_gone_is_said(spec):
    with pytest.raises(PrerequisiteError, match="control-plane, database"):
        find_ending(spec, states("control-plane", "database", "vpc"))


def test_nothing_is_left_of_what_was_never_built(spec):
    assert find_ending(spec, {}).is_over


def test_a_pool_that_the_file_no_longer_names_goes_too(spec):
    ending = find_ending(spec, states(*FOUNDATION, "host-pool/old"))

    assert names(ending) == ["host-pool/old", *FOUNDATION]


def test_protection_is_lifted_in_the_stacks_that_have_it(spec):
    ending = find_ending(spec, states(*FOUNDATION))
    control, database = ending.stacks[:2]

    assert spec.database.deletion_protection
    assert not control.stack.deletion_protection
    assert not database.stack.deletion_protection
    assert control.guarded == ("aws_lb.rancher",)
    assert database.guarded == ("aws_db_instance.this", "aws_secretsmanager_secret.database")


def test_the_last_snapshot_has_one_name_for_each_database_that_ever_was(spec):
    database = find_ending(spec, states(*FOUNDATION)).stacks[1]
    again = name_last_snapshot("lab-database", "db-ZYXWVUTSRQPONMLKJIHGFEDCBA")

    assert database.stack.final_snapshot == LAST
    assert find_ending(spec, states(*FOUNDATION)).snapshot == LAST
    assert again == "lab-database-final-zyxwvuts"


def test_a_database_that_is_gone_takes_no_snapshot(spec):
    half = {"database": StackState({"aws_db_parameter_group.rancher": {}})}

    ending = find_ending(spec, states("vpc", "security-groups") | half)

    assert ending.snapshot == ""
    assert ending.stacks[0].guarded == ()


def test_whoever_agrees_approves_what_was_shown_and_nothing_else(spec):
    database = find_ending(spec, states(*FOUNDATION)).stacks[1]
    today = date(2026, 11, 23)
    shown = [*database.addresses, "aws_db_instance.unknown"]
    plan = Plan(tuple(Change(one, one.partition(".")[0], Action.DELETE) for one in shown))

    verdicts = judge(plan, stack="database", approvals=database.approvals(today), today=today)

    assert [one.change.address for one in verdicts if not one.safe] == ["aws_db_instance.unknown"]


def test_a_pool_ends_alone(spec):
    ending = find_ending_of_pool(spec, states(*FOUNDATION, *POOLS), "web")

    assert ending.name == "web"
    assert names(ending) == ["host-pool/web"]
    assert ending.snapshot == ""


def test_a_pool_that_is_gone_is_over(spec):
    assert find_ending_of_pool(spec, states(*FOUNDATION), "web").is_over


def test_a_pool_that_there_never_was_is_said(spec):
    with pytest.raises(PrerequisiteError, match=r"no pool wep: there are web, celery, crawler"):
        find_ending_of_pool(spec, states(*FOUNDATION, *POOLS), "wep")


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("| `database` | 3 | `aws_db_instance.this`,", id="what-was-protected"),
        pytest.param(f"last snapshot will be `{LAST}`", id="the-snapshot"),
        pytest.param("hosts of crawler, celery, web leave", id="hosts"),
        pytest.param("database `lab-database-old`", id="spare-databases"),
        pytest.param("`lab/rancher/admin`", id="secrets"),
    ],
)
def test_people_read_what_goes(spec, said):
    ending = find_ending(spec, states(*FOUNDATION, *POOLS))
    whole = Ending(
        ending.name,
        ending.stacks,
        ending.snapshot,
        (SpareDatabase("lab-database-old", "lab-database-old-final"),),
        ("lab/rancher/admin",),
    )

    assert said in as_markdown(whole)
