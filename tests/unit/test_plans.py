import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from corral.domain.judging import find_idle, judge, read_approvals
from corral.domain.plan_files import read_creations, read_plan
from corral.domain.plans import EVERYTHING, Action, Approval, Plan, PlanSummary, Ruling, Verdict
from corral.errors import TerraformError

TODAY = date(2026, 11, 23)
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
                {"address": f"{type_}.this", "type": type_, "change": change} | entry
            ],
        }
    )


def judged(plan: Plan, *approvals: str, stack: str = "database") -> tuple[Verdict, ...]:
    read = [Approval.parse(text) for text in approvals]
    return judge(plan, stack=stack, approvals=read, today=TODAY)


def ruling(plan: Plan, *approvals: str) -> Ruling:
    return PlanSummary("database", judged(plan, *approvals)).ruling


def reason(plan: Plan, *approvals: str) -> str:
    (verdict,) = judged(plan, *approvals)
    return verdict.reason


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

    assert parameter.changed == ("insecure_value", "tags", "value", "version")


def test_only_an_interrupted_creation_counts_as_tainted(document):
    tainted = read_plan(document).tainted

    assert [change.address for change in tainted] == ["aws_security_group.hosts"]
    assert set(tainted[0].identity) == {"id", "arn"}


def test_a_summary_shows_values_and_no_sensitive_one(document):
    plan = read_plan(document)
    summary = PlanSummary("vpc", judged(plan, stack="vpc"), plan.outputs)

    shown = summary.as_markdown() + repr(summary)

    assert "hunter" not in shown
    assert "- value: `(sensitive)` -> `(sensitive)`" in shown
    assert "- cidr_block: `10.0.0.0/16` -> `10.1.0.0/16`" in shown
    assert "| `aws_ssm_parameter.word` | update | changes insecure_value, tags, value, v" in shown


def test_of_a_replacement_it_is_not_told_what_any_replacement_makes_anew(document):
    plan = read_plan(document)
    vpc = PlanSummary("vpc", judged(plan, stack="vpc")[-1:]).as_markdown()
    subnet = PlanSummary("vpc", judged(plan, stack="vpc")[3:4]).as_markdown()

    assert "- arn" not in vpc
    assert "- vpc_id: `vpc-" in subnet, "since it forces the replacement"


def test_a_summary_counts_by_action(document):
    plan = read_plan(document)

    summary = PlanSummary("vpc", judged(plan, stack="vpc"), plan.outputs)

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
    ],
)
others = pytest.mark.parametrize(
    "type_", ["aws_security_group", "aws_lb", "aws_eip", "aws_autoscaling_group", "aws_lb_listener"]
)
destructive = pytest.mark.parametrize(
    "actions", [["delete"], ["delete", "create"], ["create", "delete"], ["forget"]], ids="-".join
)
constructive = pytest.mark.parametrize("actions", [["create"], ["update"]], ids="-".join)


@protected
@destructive
@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (None, Ruling.FORBIDDEN),
        ("", Ruling.FORBIDDEN),
        (" until 2026-11-22", Ruling.FORBIDDEN),
        (" until 2026-11-23", Ruling.SAFE),
        (" until 2027-01-01", Ruling.SAFE),
    ],
    ids=["no-approval", "no-date", "yesterday", "today", "next-year"],
)
def test_a_protected_thing_goes_only_with_an_approval_that_has_a_date(
    type_, actions, until, expected
):
    approvals = [] if until is None else [f"database:{type_}.this{until}"]

    assert ruling(plan_of(type_, actions), *approvals) is expected


@others
@destructive
@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (None, Ruling.NEEDS_APPROVAL),
        ("", Ruling.SAFE),
        (" until 2026-11-22", Ruling.NEEDS_APPROVAL),
        (" until 2026-11-23", Ruling.SAFE),
    ],
    ids=["no-approval", "no-date", "yesterday", "today"],
)
def test_any_other_thing_goes_with_an_approval_that_names_it(type_, actions, until, expected):
    approvals = [] if until is None else [f"database:{type_}.this{until}"]

    assert ruling(plan_of(type_, actions), *approvals) is expected


@protected
@constructive
def test_a_protected_thing_may_be_made_and_changed(type_, actions):
    assert ruling(plan_of(type_, actions)) is Ruling.SAFE


def update_of_database(**attributes: tuple[Any, Any]) -> Plan:
    before = {name: values[0] for name, values in attributes.items()}
    after = {name: values[1] for name, values in attributes.items()}
    change = {"actions": ["update"], "before": before, "after": after}
    return plan_of("aws_db_instance", ["update"], change=change)


CLASS = ("db.t3.small", "db.t3.medium")


def test_what_is_felt_needs_an_approval_and_says_how_it_is_felt():
    plan = update_of_database(instance_class=CLASS, backup_retention_period=(7, 14))

    assert ruling(plan) is Ruling.NEEDS_APPROVAL
    assert reason(plan) == (
        "aws_db_instance.this: would change instance_class: db.t3.small -> db.t3.medium, and the"
        " database restarts, with every server of Rancher; if that is wanted, approve"
        " `database:aws_db_instance.this`."
    )


@pytest.mark.parametrize(
    "attribute",
    ["engine_version", "instance_class", "allocated_storage", "multi_az", "parameter_group_name"],
)
def test_each_attribute_that_is_felt_needs_an_approval(attribute):
    plan = update_of_database(**{attribute: ("before", "after")})

    assert ruling(plan) is Ruling.NEEDS_APPROVAL
    assert ruling(plan, "database:aws_db_instance.this") is Ruling.SAFE


def test_what_is_only_known_after_apply_may_be_felt():
    change = {"actions": ["update"], "before": {"engine_version": "5.7"}, "after": {}}
    change["after_unknown"] = {"engine_version": True}

    assert ruling(plan_of("aws_db_instance", [], change=change)) is Ruling.NEEDS_APPROVAL


def test_what_nobody_feels_needs_no_approval():
    assert ruling(update_of_database(backup_retention_period=(7, 14))) is Ruling.SAFE


def test_what_was_agreed_to_is_that_change_and_no_other():
    plan = update_of_database(instance_class=CLASS)
    other = update_of_database(instance_class=("db.t3.small", "db.m5.24xlarge"))

    def agreed(plan: Plan, seen: Plan) -> Verdict:
        (verdict,) = judge(plan, stack="database", approvals=(), today=TODAY, agreed=seen.changes)
        return verdict

    assert agreed(plan, plan).safe
    assert agreed(other, plan).ruling is Ruling.NEEDS_APPROVAL


def test_what_is_protected_is_not_agreed_to_in_a_form():
    plan = plan_of("aws_db_instance", ["delete"])

    (verdict,) = judge(plan, stack="database", approvals=(), today=TODAY, agreed=plan.changes)

    assert verdict.ruling is Ruling.FORBIDDEN


def test_a_plan_without_changes_is_nothing_to_do():
    assert PlanSummary("vpc").ruling is Ruling.NOTHING


@pytest.mark.parametrize(
    "named",
    ["vpc:aws_db_instance.this", "database:aws_db_instance", "database:aws_db_instance.this[0]"],
    ids=["other-stack", "part-of-an-address", "other-index"],
)
def test_only_the_full_name_approves(named):
    plan = plan_of("aws_db_instance", ["delete"])

    assert ruling(plan, f"{named} until 2027-01-01") is Ruling.FORBIDDEN


def test_code_may_approve_a_whole_stack_which_no_text_can():
    plan = plan_of("aws_db_instance", ["delete"])
    whole = Approval("database", EVERYTHING, TODAY)

    (verdict,) = judge(plan, stack="database", approvals=[whole], today=TODAY)

    assert verdict.safe
    with pytest.raises(ValueError, match=r"`database:\*` is no STACK:ADDRESS"):
        Approval.parse("database:*")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("aws_db_instance.this", "is no STACK:ADDRESS"),
        ("database:", "is no STACK:ADDRESS"),
        ("", "is no STACK:ADDRESS"),
        ("databse:aws_db_instance.this", "the stack `databse`; there are vpc, host-pool/web"),
        ("host-pool:aws_autoscaling_group.this", "the stack `host-pool`"),
        ("vpc:aws_vpc.this until tomorrow", "ends with no date, as 2026-12-01 is one"),
        ("vpc:aws_vpc.this until 2026-11-31", "ends with no date"),
    ],
)
def test_a_text_that_can_approve_nothing_is_a_fault(text, fault):
    _, (said,) = read_approvals([text], ["vpc", "host-pool/web"])

    assert fault in said


@pytest.mark.parametrize(
    "approval",
    [
        Approval("vpc", 'aws_subnet.private["a:b"]'),
        Approval("host-pool/web", "aws_autoscaling_group.this", date(2027, 1, 1)),
        Approval("vpc", 'aws_subnet.private["a until b"]', date(2027, 1, 1)),
    ],
    ids=str,
)
def test_an_approval_is_read_as_it_is_written(approval):
    assert read_approvals([str(approval)], ["vpc", "host-pool/web"]) == ((approval,), [])


def test_an_approval_that_nothing_asks_for_is_idle():
    approvals = [
        Approval("database", "aws_db_instance.this"),
        Approval("database", "aws_db_instance.that"),
        Approval("vpc", "aws_vpc.this"),
    ]
    verdicts = judged(plan_of("aws_db_instance", ["delete"]))

    assert find_idle(verdicts, stack="database", approvals=approvals) == approvals[1:2]


def test_what_is_forbidden_says_what_why_and_how_to_approve_it():
    plan = plan_of("aws_db_instance", ["delete", "create"], action_reason="replace_because_tainted")

    assert reason(plan) == (
        "aws_db_instance.this: would replace the database (its creation was interrupted or failed);"
        " if that is wanted, approve `database:aws_db_instance.this until YYYY-MM-DD`, with the"
        " last day it may."
    )


def test_what_needs_an_approval_says_which():
    assert reason(plan_of("aws_lb", ["delete"])) == (
        "aws_lb.this: would destroy the load balancer;"
        " if that is wanted, approve `database:aws_lb.this`."
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("database:aws_db_instance.this", "(its approval has no date); if"),
        (
            "database:aws_db_instance.this until 2026-11-22",
            "(its approval ended on 2026-11-22); if",
        ),
    ],
)
def test_an_approval_that_is_worth_nothing_is_said(text, said):
    assert said in reason(plan_of("aws_db_instance", ["delete"]), text)


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
