import json
from pathlib import Path
from typing import Any

import pytest

from corral.domain.plan_files import read_creations, read_plan
from corral.domain.plans import Action, Plan, PlanSummary, find_faults, find_idle, judge
from corral.errors import TerraformError

DATA = Path(__file__).parent.parent / "data" / "terraform"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return json.loads((DATA / "plan.json").read_text())


def plan_of(type_: str, actions: list[str], **entry: Any) -> Plan:
    change = {"actions": actions, "before": None, "after": None}
    return read_plan(
        {
            "format_version": "1.2",
            "resource_changes": [
                {"address": f"{type_}.this", "type": type_, "change": change, **entry}
            ],
        }
    )


def refusals(plan: Plan, *allowed: str) -> list[str]:
    verdicts = judge(plan, stack="database", allowed=allowed)
    return [verdict.refusal for verdict in verdicts if not verdict.safe]


def test_a_real_plan_is_read_in_its_own_order(document):
    plan = read_plan(document)

    assert [(change.address, change.action) for change in plan.changes] == [
        ("aws_security_group.hosts", Action.REPLACE),
        ("aws_sqs_queue.extra[0]", Action.DELETE),
        ("aws_ssm_parameter.word", Action.UPDATE),
        ('aws_subnet.private["a"]', Action.REPLACE),
        ('aws_subnet.private["b"]', Action.REPLACE),
        ("aws_vpc.this", Action.REPLACE),
    ]
    assert plan.outputs == ("vpc_id",)


def test_a_replacement_names_the_attributes_that_force_it(document):
    vpc = read_plan(document).changes[-1]

    assert vpc.forced_by == ("cidr_block",)
    assert vpc.why == "it cannot be changed in place: cidr_block forces it"


def test_an_update_names_the_attributes_that_change(document):
    parameter = read_plan(document).changes[2]

    assert parameter.changed == ("tags", "tags_all", "value")


def test_only_an_interrupted_creation_counts_as_tainted(document):
    tainted = read_plan(document).tainted

    assert [change.address for change in tainted] == ["aws_security_group.hosts"]
    assert set(tainted[0].identity) == {"id", "arn"}


def test_no_value_of_an_attribute_is_in_a_summary(document):
    plan = read_plan(document)
    summary = PlanSummary("vpc", judge(plan, stack="vpc", allowed=()), plan.outputs)

    shown = summary.as_markdown() + repr(summary)

    assert "hunter" not in shown
    assert "10.0.0.0/16" not in shown
    assert "| `aws_ssm_parameter.word` | update | changes tags, tags_all, value |" in shown


def test_a_summary_counts_by_action(document):
    plan = read_plan(document)

    summary = PlanSummary("vpc", judge(plan, stack="vpc", allowed=()), plan.outputs)

    assert str(summary) == "1 update, 4 replace, 1 delete, 1 outputs"
    assert not summary.is_empty


def test_nothing_to_do_is_called_so():
    summary = PlanSummary("vpc")

    assert summary.is_empty
    assert summary.as_markdown() == "**vpc**: no change"


@pytest.mark.parametrize("actions", [["no-op"], ["read"]], ids="-".join)
def test_what_stays_or_is_only_read_is_no_change(actions):
    assert plan_of("aws_vpc", actions).changes == ()


protected = pytest.mark.parametrize(
    "type_",
    [
        "aws_db_instance",
        "aws_db_parameter_group",
        "aws_db_subnet_group",
        "aws_vpc",
        "aws_subnet",
        "aws_acm_certificate",
        "aws_s3_bucket",
        "aws_secretsmanager_secret",
        "aws_secretsmanager_secret_version",
        "aws_security_group",
        "aws_lb",
        "aws_eip",
        "aws_nat_gateway",
        "aws_autoscaling_group",
    ],
)
destructive = pytest.mark.parametrize(
    "actions", [["delete"], ["delete", "create"], ["create", "delete"], ["forget"]], ids="-".join
)


@protected
@destructive
def test_destroying_a_protected_thing_is_refused(type_, actions):
    assert len(refusals(plan_of(type_, actions))) == 1


@protected
@pytest.mark.parametrize("actions", [["create"], ["update"]], ids="-".join)
def test_a_protected_thing_may_be_made_and_changed(type_, actions):
    assert refusals(plan_of(type_, actions)) == []


@destructive
def test_an_unprotected_thing_may_go(actions):
    assert refusals(plan_of("aws_lb_listener", actions)) == []


@destructive
def test_what_the_run_names_may_go(actions):
    plan = plan_of("aws_db_instance", actions)

    assert refusals(plan, "database:aws_db_instance.this") == []


@pytest.mark.parametrize(
    "named",
    ["aws_db_instance.this", "vpc:aws_db_instance.this", "database:aws_db_instance"],
    ids=["no-stack", "other-stack", "part-of-an-address"],
)
def test_only_the_full_name_allows_it(named):
    assert len(refusals(plan_of("aws_db_instance", ["delete"]), named)) == 1


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("aws_db_instance.this", "is no STACK:ADDRESS"),
        ("database:", "is no STACK:ADDRESS"),
        ("", "is no STACK:ADDRESS"),
        ("databse:aws_db_instance.this", "the stack `databse`; there are vpc, host-pool/web"),
        ("host-pool:aws_autoscaling_group.this", "the stack `host-pool`"),
    ],
)
def test_an_entry_that_can_allow_nothing_is_a_fault(entry, fault):
    (said,) = find_faults([entry], ["vpc", "host-pool/web"])

    assert fault in said


def test_an_entry_with_its_stack_and_an_address_has_no_fault():
    allowed = ['vpc:aws_subnet.private["a:b"]', "host-pool/web:aws_autoscaling_group.this"]

    assert find_faults(allowed, ["vpc", "host-pool/web"]) == []


def test_what_is_allowed_and_not_lost_is_idle():
    allowed = ["database:aws_db_instance.this", "database:aws_db_instance.that", "vpc:aws_vpc.this"]

    assert find_idle(plan_of("aws_db_instance", ["delete"]), stack="database", allowed=allowed) == [
        "database:aws_db_instance.that"
    ]


def test_a_refusal_says_what_why_and_how_to_allow_it():
    plan = plan_of("aws_db_instance", ["delete", "create"], action_reason="replace_because_tainted")

    (refusal,) = refusals(plan)
    assert refusal == (
        "aws_db_instance.this: would replace the database (its creation was interrupted or failed);"
        " if that is wanted, name `database:aws_db_instance.this` in the run."
    )


def test_a_reason_of_a_newer_terraform_is_passed_on():
    plan = plan_of("aws_vpc", ["delete"], action_reason="delete_because_of_the_moon")

    assert plan.changes[0].reason == "delete because of the moon"


@pytest.mark.parametrize("version", ["0.2", "2.0", None])
def test_an_unknown_format_is_refused(version):
    with pytest.raises(TerraformError, match=r"reads format 1\.x"):
        read_plan({"format_version": version} if version else {})


def test_a_newer_minor_format_is_read():
    assert read_plan({"format_version": "1.9"}) == Plan()


def lines_of(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text().splitlines()]


def test_a_plan_that_only_creates_is_read_from_what_terraform_printed():
    plan = read_creations(lines_of("plan-creations.jsonl"))

    assert plan is not None
    assert [change.address for change in plan.changes] == [
        "aws_vpc.this",
        'aws_subnet.a["2"]',
        'aws_subnet.a["1"]',
        'aws_subnet.a["0"]',
    ]
    assert {change.action for change in plan.changes} == {Action.CREATE}
    assert plan.outputs == ("subnet_ids", "vpc_id")


def test_a_plan_that_does_more_needs_the_whole_file():
    assert read_creations(lines_of("plan-changes.jsonl")) is None


def test_data_that_is_read_during_apply_is_no_change():
    lines = lines_of("plan-creations.jsonl")
    lines[1]["change"]["action"] = "read"

    plan = read_creations(lines)

    assert plan is not None
    assert len(plan.changes) == 3
