"""What a rotation does about a key that fails, and how it ends; nothing here runs a flow."""

import pytest

from corral.cluster import Environment
from corral.domain.set_up.rotation import Fate, KeyFate
from corral.errors import RancherUnreachableError
from corral.settings import Settings, load_cluster_spec
from tasks import keys
from tasks.keys import end_of_rotation, find_problems, rotate_all, rule_of

LAB = load_cluster_spec("lab", Settings())
RANCHER = LAB.rancher.model_copy(
    update={"environments": (Environment(name="one"), Environment(name="two"))}
)
SPEC = LAB.model_copy(update={"rancher": RANCHER})
RULE = rule_of(90)
BROKEN = "environment one: GET /v2-beta/apikeys answered 503: Service Unavailable"


@pytest.fixture
def fates(monkeypatch: pytest.MonkeyPatch) -> list[KeyFate]:
    """What became of three keys of which the middle one fails."""

    def rotate(_: object, environment: Environment, __: object) -> tuple[KeyFate, ...]:
        if environment.name == "one":
            raise RancherUnreachableError(
                "GET /v2-beta/apikeys answered 503:\n  Service Unavailable."
            )
        return (KeyFate("environment two", Fate.MADE),)

    administrators = (KeyFate("administrator", Fate.KEPT),)
    monkeypatch.setattr(keys, "rotate_administrator", lambda *_: administrators)
    monkeypatch.setattr(keys, "rotate_environment", rotate)
    return rotate_all(SPEC, RULE)


def test_a_key_that_fails_stops_no_other(fates):
    assert [str(fate) for fate in fates] == [
        "administrator: kept",
        BROKEN,
        "environment two: made",
    ]


def test_a_run_with_a_key_that_failed_is_partial_and_says_which_and_what_was_done(fates):
    end = end_of_rotation(SPEC, fates)

    assert (end.name, end.is_failed()) == ("Partial", True)
    assert end.message == f"lab: {BROKEN}; environment two: made."


def test_people_are_told_of_each_key_that_failed_and_of_no_other(fates):
    [problem] = find_problems(fates)

    assert problem.subject == "environment one"
    assert problem.text.startswith(BROKEN)


def test_a_key_that_failed_has_a_row_of_its_own(fates):
    [_, row, _] = [keys._row(fate, RULE.now) for fate in fates]

    assert (row["key of"], row["what was done"]) == ("environment one", "failed")


def test_a_run_that_could_not_tell_somebody_is_partial():
    end = end_of_rotation(SPEC, [KeyFate("administrator", Fate.KEPT)], ["chat is deaf."])

    assert end.name == "Partial"
    assert end.message == "lab: no key is due, nothing was written. chat is deaf."
