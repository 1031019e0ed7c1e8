import pytest
from prefect.states import Completed, Failed

from corral.domain.attributes import AttributeChange
from corral.domain.drift import ADDED_TO, Cause, Deviation, Look
from corral.domain.drift_reports import count, find_problems, find_settled, rows
from corral.domain.stacks import Vpc
from corral.errors import TerraformError
from corral.settings import Settings, load_cluster_spec
from tasks.drift import look_of
from tasks.drift_reports import end_of_search

VPC = Vpc.of(load_cluster_spec("lab", Settings()))

CHANGED = Deviation("aws_it.this", Cause.BY_HAND, "changed", (AttributeChange("size", "1", "2"),))
ADDED = Deviation("aws_it.this", Cause.BY_HAND, ADDED_TO, (AttributeChange("rule", "-", "all"),))
PLANNED = Deviation("aws_it.new", Cause.WAITING, "would be created")

CLEAN = Look("vpc")
DRIFTED = Look("database", (CHANGED, PLANNED))
WAITING = Look("control-plane", (PLANNED,))
BLIND = Look("host-pool/web", fault="Terraform died.")


def test_each_stack_that_was_changed_is_one_problem_with_its_attributes():
    (problem,) = find_problems("lab", [CLEAN, DRIFTED, WAITING])

    assert problem.key("lab") == "corral/lab/drift/database"
    assert problem.title == "database of lab was changed by hand"
    assert "- aws_it.this changed: size: 1 -> 2\n" in problem.text
    assert "aws_it.new" not in problem.text


@pytest.mark.parametrize(
    ("deviation", "remedy"),
    [
        (CHANGED, "build-cluster/lab puts back what was changed or deleted."),
        (ADDED, "Remove by hand what was added: no run does."),
    ],
)
def test_a_problem_says_what_to_do_about_it(deviation, remedy):
    (problem,) = find_problems("lab", [Look("vpc", (deviation,))])

    assert problem.text.splitlines()[-1].startswith(f"{remedy} What shall stay belongs into")


def test_stacks_that_are_blind_for_one_cause_are_one_problem():
    others = [Look("vpc", fault="Locked."), Look("host-pool/crawler", fault=BLIND.fault)]

    problems = find_problems("lab", [BLIND, *others])

    assert [problem.key("lab") for problem in problems] == [
        "corral/lab/drift-unknown/host-pool/web",
        "corral/lab/drift-unknown/vpc",
    ]
    assert "host-pool/web, host-pool/crawler of lab" in problems[0].title


def test_what_could_not_be_looked_at_settles_nothing():
    assert find_settled([CLEAN, BLIND]) == {"drift/vpc", "drift-unknown/vpc"}


def test_a_look_at_everything_also_settles_what_is_no_more():
    assert find_settled([CLEAN, DRIFTED]) == {"drift", "drift-unknown"}


def test_the_table_has_a_row_for_each_attribute_and_for_each_stack():
    told = [
        (row["stack"], row["cause"], row["before"], row["after"])
        for row in rows([CLEAN, DRIFTED, BLIND])
    ]

    assert told == [
        ("vpc", "in step", "", ""),
        ("database", "changed by hand", "1", "2"),
        ("database", "waiting to be applied", "", ""),
        ("host-pool/web", "not looked at", "", ""),
    ]
    assert len({tuple(row) for row in rows([CLEAN, DRIFTED, BLIND])}) == 1


def test_stacks_are_counted_by_how_they_are():
    assert count([CLEAN, CLEAN, DRIFTED, WAITING, BLIND]) == (
        "2 in step, 1 changed by hand, 1 with changes that wait to be applied, 1 not looked at"
    )


@pytest.mark.parametrize(
    ("looks", "untold", "name", "said"),
    [
        ([CLEAN, WAITING], [], "InStep", "1 with changes that wait"),
        ([CLEAN, DRIFTED], [], "Drifted", "Changed by hand: database."),
        ([DRIFTED, BLIND], [], "Partial", "host-pool/web could not be looked at: Terraform died."),
        ([DRIFTED], ["chat is silent."], "Partial", "Changed by hand: database. chat is silent."),
    ],
)
def test_a_search_ends_by_what_it_found(looks, untold, name, said):
    end = end_of_search("lab", looks, untold)

    assert end.name == name
    assert said in str(end.message)


def test_a_look_that_failed_is_told_by_our_sentence():
    look = look_of(VPC, Failed(data=TerraformError("The provider is gone.")))

    assert look == Look("vpc", fault="The provider is gone.")


def test_a_look_that_failed_on_something_else_is_told_without_its_words():
    look = look_of(VPC, Failed(data=ValueError("the password is hunter2")))

    assert look == Look("vpc", fault="ValueError")


def test_a_look_that_ended_well_is_what_it_came_to():
    assert look_of(VPC, Completed(data=CLEAN)) is CLEAN
