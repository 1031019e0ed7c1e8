"""What a reconcile is called at its end, and what it says to people."""

from dataclasses import replace

import pytest
from herd_doubles import NOW, host, instance_id

from corral.clients.rancher.removal import Outcome, OutcomeKind
from corral.domain.alerts import Action, AlertStep, OpenAlert, Problem, plan_alerts
from corral.domain.herd import Evidence, Finding, Removal, Verdict
from corral.domain.set_up.environments import KnownProject
from corral.errors import (
    AccessDeniedError,
    AwsError,
    AwsUnavailableError,
    CredentialsError,
    PrerequisiteError,
    RancherAnswerError,
    RancherRefusedError,
    RancherUnreachableError,
    WrongAccountError,
    WrongRegionError,
)
from tasks.herd_reports import end_of_dry_run, end_of_reconcile, name_end
from tasks.refusals import ACCESS_KINDS, problem_of
from tasks.surveys import Survey, fail_all, find_problems

PROJECTS = (KnownProject("1a5", "main", "active"),)
CAP = "Environment main: 7 removals are planned, 5 are allowed."
GUARD = "EC2 lists no instance at all."
UNTOLD = "The alert channel chat answers 503."


def removal(number: int) -> Removal:
    dead = f"EC2 says that {instance_id(number)} is terminated."
    return Removal(host(number), instance_id(number), Evidence.TERMINATED, dead)


def outcome(number: int, kind: OutcomeKind) -> Outcome:
    return Outcome(f"1h{number}", kind, f"host 1h{number} is {kind}")


GONE = outcome(1, OutcomeKind.REMOVED)
KEPT = outcome(2, OutcomeKind.CANCELLED)
SLOW = outcome(3, OutcomeKind.UNDER_WAY)
FAILED = outcome(4, OutcomeKind.FAILED)

FINE = Survey({"healthy": 3}, projects=PROJECTS)
PLANNED = Survey({"healthy": 3, "orphaned": 1}, projects=PROJECTS, removals=(removal(1),))
STUCK = Survey({"healthy": 3, "stuck": 1}, projects=PROJECTS)
CAPPED = Survey({"orphaned": 7}, projects=PROJECTS, capped=(CAP,))
HALF_CAPPED = Survey({"orphaned": 8}, projects=PROJECTS, capped=(CAP,), removals=(removal(1),))
GUARDED = Survey({"silent": 3}, projects=PROJECTS, refusals=(GUARD,))


@pytest.mark.parametrize(
    ("survey", "outcomes", "untold", "name"),
    [
        pytest.param(FINE, [], [], "InStep", id="nothing to do"),
        pytest.param(PLANNED, [GONE], [], "Repaired", id="all removed"),
        pytest.param(PLANNED, [KEPT], [], "InStep", id="the only one came back"),
        pytest.param(PLANNED, [GONE, KEPT], [], "Repaired", id="one came back"),
        pytest.param(PLANNED, [GONE, SLOW], [], "Partial", id="one takes long"),
        pytest.param(PLANNED, [FAILED], [], "Partial", id="one cannot be removed"),
        pytest.param(STUCK, [], [], "Partial", id="one is stuck since an earlier run"),
        pytest.param(GUARDED, [], [], "Refused", id="a guard spoke"),
        pytest.param(CAPPED, [], [], "Refused", id="over the cap"),
        pytest.param(HALF_CAPPED, [GONE], [], "Partial", id="one environment over its cap"),
        pytest.param(FINE, [], [UNTOLD], "Partial", id="in step, but somebody was not told"),
        pytest.param(PLANNED, [GONE], [UNTOLD], "Partial", id="repaired, but not told"),
        pytest.param(GUARDED, [], [UNTOLD], "Refused", id="refused, and not told"),
    ],
)
def test_the_end_is_named_by_the_worst_that_happened(survey, outcomes, untold, name):
    assert name_end(survey, outcomes, untold) == name

    end = end_of_reconcile("lab", survey, outcomes, untold)

    assert end.name == name
    assert end.is_failed() == (name in ("Refused", "Partial"))


def test_the_end_says_everything_that_is_to_be_said():
    end = end_of_reconcile("lab", HALF_CAPPED, [GONE, FAILED], [UNTOLD])

    assert (
        end.message == f"lab: 8 orphaned. {CAP} Host 1h4 is failed. Host 1h1 is removed. {UNTOLD}"
    )


def test_of_many_hosts_the_end_names_five_those_that_are_left_first():
    outcomes = [outcome(number, OutcomeKind.REMOVED) for number in range(10, 20)]

    end = end_of_reconcile("lab", PLANNED, [*outcomes, FAILED], [])

    assert end.message is not None
    assert end.message.startswith("lab: 3 healthy, 1 orphaned. Host 1h4 is failed. Host 1h10 is")
    assert end.message.endswith("And 6 more, see the table.")


@pytest.mark.parametrize(
    ("survey", "name", "said"),
    [
        pytest.param(FINE, "DryRun", "lab: 3 healthy.", id="in step"),
        pytest.param(PLANNED, "DryRun", f"Would remove 1h1: {removal(1).reason}", id="a phantom"),
        pytest.param(STUCK, "DryRun", "lab: 3 healthy, 1 stuck.", id="stuck"),
        pytest.param(HALF_CAPPED, "DryRun", CAP, id="one environment over its cap"),
        pytest.param(CAPPED, "Refused", CAP, id="over the cap"),
        pytest.param(GUARDED, "Refused", GUARD, id="a guard spoke"),
    ],
)
def test_a_dry_run_says_what_a_real_one_would_do(survey, name, said):
    end = end_of_dry_run("lab", survey)

    assert end.name == name
    assert said in str(end.message)


@pytest.mark.parametrize(
    ("error", "kind", "scope"),
    [
        (WrongAccountError("1", "2"), "account", "aws"),
        (WrongRegionError("us-east-1", "eu-west-1"), "region", "aws"),
        (CredentialsError("expired"), "credentials", "aws"),
        (AccessDeniedError("ec2:DescribeInstances", "no"), "credentials", "aws"),
        (AwsUnavailableError("DescribeInstances", "Throttling", "slowly"), "unreachable", "aws"),
        (AwsError("DescribeInstances", "InvalidParameter", "no"), "unreachable", "aws"),
        (RancherRefusedError("401", status=401), "credentials", "rancher"),
        (RancherUnreachableError("503", status=503), "unreachable", "rancher"),
        (RancherAnswerError("HTML"), "unreachable", "rancher"),
        (PrerequisiteError("the block is not there"), "set-up", "aws"),
    ],
)
def test_each_error_of_reading_is_a_problem_of_its_own_that_a_whole_reading_settles(
    error, kind, scope
):
    problem = problem_of(error)

    assert (problem.kind, problem.scope, problem.subject) == (kind, scope, "")
    assert problem.text == str(error)
    assert kind in ACCESS_KINDS


def test_a_herd_that_could_not_be_read_is_refused_and_settles_nothing():
    survey = Survey.of_problem(problem_of(CredentialsError("The AWS credentials have expired.")))

    end = end_of_reconcile("lab", survey, [], [])

    assert end.name == "Refused"
    assert end.message == "lab: the herd could not be read. The AWS credentials have expired."
    assert not survey.settled


def test_only_removals_that_failed_are_problems_with_the_environments_id_as_their_scope():
    problems = find_problems(PLANNED, [GONE, KEPT, SLOW, outcome(1, OutcomeKind.FAILED)])

    assert [problem.key("lab") for problem in problems] == ["corral/lab/removal/1a5/1h1"]


def test_a_second_look_that_failed_fails_every_removal_and_is_one_problem():
    removals = tuple(map(removal, range(1, 8)))
    survey = replace(PLANNED, removals=removals)

    outcomes = fail_all(removals, AwsUnavailableError("Describe", "Busy", "later"))
    [problem] = find_problems(survey, outcomes)
    end = end_of_reconcile("lab", survey, outcomes, [])

    assert [one.kind for one in outcomes] == [OutcomeKind.FAILED] * 7
    assert all("AWS answered Describe with Busy: later" in one.sentence for one in outcomes)
    assert problem.key("lab") == "corral/lab/removal"
    assert problem.text.startswith("None of 1h1, 1h2, 1h3, 1h4, 1h5 and 2 more was removed, since")
    assert end.name == "Partial"
    assert str(end.message).count("Busy") == 1


def test_a_host_that_is_left_out_of_service_is_a_problem_and_makes_a_partial_run():
    left = Outcome("1h1", OutcomeKind.OUT_OF_SERVICE, "host 1h1 stays, but out of service: x")

    [problem] = find_problems(PLANNED, [left])

    assert problem.key("lab") == "corral/lab/removal/1a5/1h1"
    assert problem.title == "host 1h1 of main stays, but out of service"
    assert name_end(PLANNED, [left]) == "Partial"


def finding(verdict: Verdict, evidence: Evidence | None) -> Finding:
    return Finding(host(1), instance_id(1), "1a5", "web", verdict, evidence)


DYING = finding(Verdict.DYING, Evidence.TERMINATED)
ORPHANED = finding(Verdict.ORPHANED, Evidence.TERMINATED)
INACTIVE = finding(Verdict.INACTIVE, None)


@pytest.mark.parametrize(
    ("later", "outcomes", "is_over"),
    [
        pytest.param(replace(CAPPED, findings=(ORPHANED,)), [], False, id="over the cap"),
        pytest.param(replace(PLANNED, findings=(ORPHANED,)), [SLOW], False, id="not its turn"),
        pytest.param(replace(FINE, findings=(DYING,)), [], False, id="waiting for its agent"),
        pytest.param(replace(FINE, findings=(INACTIVE,)), [], False, id="still out of service"),
        pytest.param(replace(PLANNED, findings=(ORPHANED,)), [GONE], True, id="removed"),
        pytest.param(FINE, [], True, id="healthy, or gone"),
    ],
)
def test_what_was_told_of_a_removal_is_over_only_once_that_is_so(later, outcomes, is_over):
    first = find_problems(PLANNED, [outcome(1, OutcomeKind.FAILED)])
    [told] = plan(first, [])
    known = [told.alert.model_copy(update={"delivered": ("chat",)})]

    steps = plan(find_problems(later, outcomes), known)

    assert [step.action for step in steps] == ([Action.RESOLVE] if is_over else [])
    assert plan(find_problems(later, outcomes), []) == []


def plan(problems: list[Problem], known: list[OpenAlert]) -> list[AlertStep]:
    return plan_alerts("lab", problems, known, settled=["removal"], channels=["chat"], now=NOW)
