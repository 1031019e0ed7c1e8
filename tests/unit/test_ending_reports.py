"""Who agrees to an end, and how a run says what came of it."""

import pytest

from corral.cluster import ClusterSpec
from corral.domain.ending import Doomed, Ending
from corral.domain.leftovers import Leftover
from corral.domain.stacks import Vpc
from corral.settings import Settings, load_cluster_spec
from tasks import ending_reports
from tasks.ending_reports import end_of_destroy, end_of_pool, find_refusal, form_text, refused

LEFT = (
    Leftover("arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1"),
    Leftover("arn:aws:rds:us-east-1:123456789012:snapshot:lab-database-final-x", "a snapshot"),
)


@pytest.fixture
def spec() -> ClusterSpec:
    return load_cluster_spec("lab", Settings())


@pytest.fixture
def ending(spec: ClusterSpec) -> Ending:
    return Ending("lab", (Doomed(Vpc.of(spec), ("aws_vpc.this",)),), "lab-database-final-x")


@pytest.mark.parametrize("typed", ["lab", " lab "])
def test_the_name_that_was_typed_beforehand_is_enough(ending, typed):
    assert find_refusal(ending, typed, ask=True) == ""


@pytest.mark.parametrize("typed", ["prod", "LAB", "la", "yes"])
def test_any_other_word_refuses(ending, typed):
    assert "its name is `lab`" in find_refusal(ending, typed, ask=True)


def test_without_a_name_and_without_a_form_nothing_begins(ending):
    assert "pass confirm=lab" in find_refusal(ending, "", ask=False)


def test_nobody_is_asked_where_nothing_is_left():
    assert find_refusal(Ending("lab", ()), "", ask=True) == ""


@pytest.mark.parametrize(("typed", "begins"), [("lab", True), ("lob", False)])
def test_the_name_is_typed_into_a_form_that_shows_what_goes(ending, monkeypatch, typed, begins):
    asked = []

    def ask(ending: Ending) -> str:
        asked.append(form_text(ending))
        return typed

    monkeypatch.setattr(ending_reports, "_ask_for_name", ask)

    assert (find_refusal(ending, "", ask=True) == "") is begins
    assert "| `vpc` | 1 |" in asked[0]
    assert "type `lab`" in asked[0]


def test_an_end_says_its_last_snapshot_and_what_is_left(ending):
    state = end_of_destroy(ending, LEFT)

    assert state.name == "Destroyed"
    assert state.is_completed()
    assert "lab: vpc. The database's last snapshot is lab-database-final-x." in state.message
    assert "Left over, look and remove: arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1." in (
        state.message
    )
    assert "Kept: arn:aws:rds" in state.message


def test_an_end_of_what_was_gone_says_so():
    assert "nothing was left to destroy. Nothing is left." in (
        end_of_destroy(Ending("lab", ()), ()).message.replace("  ", " ")
    )


def test_a_refusal_fails_and_says_that_nothing_was_changed(ending):
    state = refused(ending, "`lob` was typed.")

    assert state.name == "Refused"
    assert state.is_failed()
    assert "nothing was changed. `lob` was typed." in state.message


@pytest.mark.parametrize(
    ("pool", "again"),
    [pytest.param("web", True, id="in-the-file"), pytest.param("old", False, id="no-more")],
)
def test_the_end_of_a_pool_says_whether_a_build_would_make_it_anew(spec, ending, pool, again):
    state = end_of_pool(spec, Ending(pool, ending.stacks))

    assert state.name == "Destroyed"
    assert ("the next build makes it anew" in state.message) is again
