"""Templates of a catalog: versions that fit, answers that do."""

import pytest

from corral.domain.set_up.catalog import (
    Question,
    TemplateVersion,
    fill_in,
    find_faults_of_answers,
    find_misfit,
    newest,
    say_missing_version,
)

TEMPLATE = "library:infra*thing"
VERSION = TemplateVersion(
    id=f"{TEMPLATE}:3",
    version="v0.5.0",
    minimum="v1.6.15-rc1",
    questions=(
        Question("metrics", "false", options=("true", "false")),
        Question("region", is_required=True),
        Question("level", "INFO", is_required=True),
    ),
)


def test_the_newest_version_is_newest_by_number():
    assert newest(["v2.0.1", "v10.0.0", "v0.1.0"]) == "v10.0.0"
    assert newest([]) is None


def test_a_version_that_is_missing_is_told_with_those_that_fit():
    said = say_missing_version(TEMPLATE, "v9", "v1.6.30", {"v0.10.0": "", "v0.5.0": ""})

    assert said == f"{TEMPLATE} has no version v9; those that fit Rancher v1.6.30: v0.5.0, v0.10.0"
    assert say_missing_version(TEMPLATE, "v9", "v1.6.30", ()).endswith("v1.6.30: none")


def test_a_version_that_does_not_fit_is_told_with_its_limits():
    old = TemplateVersion(id="t:2", version="v0.3.0", minimum="v1.6.0", maximum="v1.6.14")

    assert find_misfit(TEMPLATE, VERSION, "v1.6.30") == ""
    assert find_misfit(TEMPLATE, old, "v1.6.30") == (
        f"{TEMPLATE} v0.3.0 is for Rancher from v1.6.0 up to v1.6.14, and this one is v1.6.30"
    )
    assert find_misfit(TEMPLATE, VERSION, "v1.6.14") == (
        f"{TEMPLATE} v0.5.0 is for Rancher from v1.6.15-rc1, and this one is v1.6.14"
    )


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"region": "eu-west-1"}, []),
        ({}, ["library:infra*thing:3 needs an answer to 'region'"]),
        (
            {"region": "eu-west-1", "regoin": "x"},
            ["library:infra*thing:3 does not ask 'regoin'; it asks: metrics, region, level"],
        ),
        (
            {"region": "eu-west-1", "metrics": "hunter2"},
            ["the answer to 'metrics' of library:infra*thing:3 is none of: true, false"],
        ),
    ],
)
def test_answers_are_checked_and_none_is_quoted(answers, said):
    assert find_faults_of_answers(VERSION, answers) == said


def test_questions_without_an_answer_keep_their_default():
    assert fill_in(VERSION, {"region": "eu-west-1", "level": "DEBUG"}) == {
        "metrics": "false",
        "region": "eu-west-1",
        "level": "DEBUG",
    }
