"""Who is told what, so that everybody hears of each problem once."""

from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corral.domain.alerts import (
    Action,
    AlertStep,
    OpenAlert,
    Problem,
    Severity,
    key_of,
    plan_alerts,
)

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
BOTH = ("chat", "pager")


def problem(subject: str = "1h1", kind: str = "stuck", scope: str = "main") -> Problem:
    title = f"host {subject} is {kind}"
    return Problem(kind, scope, subject, Severity.WARNING, title, f"{title}: look at it.")


def alert(of: Problem, *delivered: str, closing: bool = False) -> OpenAlert:
    (step,) = plan([of])
    return step.alert.model_copy(update={"delivered": delivered, "closing": closing})


def plan(
    problems: list[Problem],
    open_alerts: list[OpenAlert] | None = None,
    settled: tuple[str, ...] = ("stuck",),
    channels: tuple[str, ...] = BOTH,
) -> list[AlertStep]:
    return plan_alerts(
        "lab", problems, open_alerts or [], settled=settled, channels=channels, now=NOW
    )


def told(steps: list[AlertStep]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(step.action.value, step.alert.key, step.channels) for step in steps]


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        (("credentials",), "corral/lab/credentials"),
        (("over-cap", "main"), "corral/lab/over-cap/main"),
        (("stuck", "main", "1h5"), "corral/lab/stuck/main/1h5"),
    ],
)
def test_a_problem_keeps_its_key(parts, key):
    assert key_of("lab", *parts) == key


class TestOpening:
    def test_a_new_problem_is_told_to_every_channel(self):
        (step,) = plan([problem()])

        assert told([step]) == [("open", "corral/lab/stuck/main/1h1", BOTH)]
        assert step.alert == OpenAlert(
            key="corral/lab/stuck/main/1h1",
            kind="stuck",
            scope="main",
            subject="1h1",
            severity=Severity.WARNING,
            title="host 1h1 is stuck",
            text="host 1h1 is stuck: look at it.",
            since=NOW,
        )

    def test_it_is_not_repeated_while_it_lasts(self):
        assert plan([problem()], [alert(problem(), *BOTH)]) == []

    def test_nor_when_its_words_or_its_severity_change(self):
        worse = replace(problem(), severity=Severity.CRITICAL, text="Worse.")

        assert plan([worse], [alert(problem(), *BOTH)]) == []

    def test_only_who_could_not_be_told_is_told_again(self):
        steps = plan([problem()], [alert(problem(), "pager")])

        assert told(steps) == [("open", "corral/lab/stuck/main/1h1", ("chat",))]

    def test_a_channel_that_is_new_hears_of_what_is_open(self):
        steps = plan([problem()], [alert(problem(), *BOTH)], channels=(*BOTH, "mail"))

        assert told(steps) == [("open", "corral/lab/stuck/main/1h1", ("mail",))]

    def test_one_problem_that_is_found_twice_is_told_once(self):
        assert len(plan([problem(), problem()])) == 1

    def test_without_a_channel_it_is_only_remembered(self):
        (step,) = plan([problem()], channels=())

        assert step.channels == ()
        assert plan([problem()], [step.remember([])], channels=()) == []


class TestResolving:
    def test_a_problem_that_is_gone_is_resolved_where_it_was_told(self):
        (step,) = plan([], [alert(problem(), "pager")])

        assert told([step]) == [("resolve", "corral/lab/stuck/main/1h1", ("pager",))]
        assert step.quietly == ("chat",)
        assert step.alert.closing

    def test_what_the_run_could_not_judge_stays_as_it_is(self):
        """Another flow, or the next run, knows more."""
        assert plan([], [alert(problem(), "pager")], settled=("missing",)) == []

    def test_an_alert_that_nobody_heard_of_is_only_forgotten(self):
        (step,) = plan([], [alert(problem())])

        assert step.channels == ()
        assert step.remember([]) is None

    def test_a_channel_that_is_no_more_is_not_waited_for(self):
        (step,) = plan([], [alert(problem(), "old", "pager")])

        assert step.channels == ("pager",)
        assert step.remember(["pager"]) is None

    def test_who_could_not_be_told_of_the_end_is_told_by_the_next_run(self):
        (step,) = plan([], [alert(problem(), *BOTH)])
        left = step.remember(["pager"])

        (again,) = plan([], [left])
        assert told([again]) == [("resolve", "corral/lab/stuck/main/1h1", ("chat",))]
        assert again.quietly == ()
        assert again.remember(["chat"]) is None

    def test_a_problem_that_is_back_is_told_only_to_who_heard_of_its_end(self):
        closing = alert(problem(), "chat", closing=True)

        (step,) = plan([problem()], [closing])

        assert told([step]) == [("open", "corral/lab/stuck/main/1h1", ("pager",))]
        assert not step.alert.closing

    def test_a_problem_that_is_back_before_anybody_heard_is_only_remembered(self):
        closing = alert(problem(), *BOTH, closing=True)

        (step,) = plan([problem()], [closing])

        assert step.channels == ()
        assert plan([problem()], [step.remember([])]) == []


class TestRollUp:
    """Many at once are told as one."""

    many = tuple(problem(f"1h{n}") for n in range(1, 8))

    def test_up_to_five_are_told_one_by_one(self):
        assert len(plan(list(self.many[:5]))) == 5

    def test_more_are_told_as_one(self):
        (step,) = plan(list(self.many))

        assert told([step]) == [("open", "corral/lab/stuck/main/*", BOTH)]
        assert step.alert.subject is None
        assert step.alert.title == ("7 problems of one kind (stuck): host 1h1 is stuck, and so on")
        assert step.alert.text.splitlines()[6] == "- host 1h7 is stuck: look at it."

    def test_it_is_as_bad_as_the_worst_of_them(self):
        worst = replace(self.many[3], severity=Severity.CRITICAL)

        assert plan([*self.many, worst])[0].alert.severity is Severity.CRITICAL

    def test_while_it_is_open_it_covers_one_more(self):
        (step,) = plan(list(self.many))

        assert plan([*self.many, problem("1h99")], [step.remember(BOTH)]) == []
        assert plan([problem("1h99")], [step.remember(BOTH)]) == []

    def test_it_is_resolved_when_none_of_them_is_left(self):
        (step,) = plan(list(self.many))

        assert told(plan([], [step.remember(BOTH)])) == [
            ("resolve", "corral/lab/stuck/main/*", BOTH)
        ]

    def test_those_that_were_told_before_keep_their_own_alerts(self):
        single = alert(problem("1h1"), *BOTH)
        (step,) = plan(list(self.many), [single])
        roll_up = step.remember(BOTH)

        assert roll_up.key == "corral/lab/stuck/main/*"
        assert told(plan([problem("1h1")], [single, roll_up])) == [
            ("resolve", "corral/lab/stuck/main/*", BOTH)
        ]

    def test_only_those_of_one_kind_and_scope_are_one(self):
        mixed = [replace(one, scope=f"env{n}") for n, one in enumerate(self.many)]

        assert len(plan(mixed)) == 7

    def test_after_it_closes_a_few_are_told_one_by_one_again(self):
        (step,) = plan(list(self.many))
        closing = plan([], [step.remember(BOTH)])[0].remember(["pager"])

        assert told(plan([problem("1h1")], [closing])) == [
            ("open", "corral/lab/stuck/main/1h1", BOTH),
            ("resolve", "corral/lab/stuck/main/*", ("chat",)),
        ]


@pytest.mark.parametrize("number", [1, 7])
@pytest.mark.parametrize(
    "character", ["t", '"', "\\", "\n", "\0", "\x7f", "\N{SNOWMAN}", "\N{GRINNING FACE}", "\ud800"]
)
def test_an_alert_fits_into_a_variable_whatever_is_said(character, number):
    """Prefect counts the bytes of the JSON that orjson makes. Source: check_variable_value."""
    pool = "\N{GRINNING FACE}" * 256
    said = character * 5000
    long = [replace(problem(f"1h{n}", scope=pool), title=said, text=said) for n in range(number)]

    (step,) = plan(long, channels=tuple(f"channel-{n}" for n in range(8)))
    kept = step.remember(step.channels)

    assert len(orjson.dumps(kept.model_dump(mode="json"))) <= 4500
    assert kept.text.endswith("...")
    assert plan(long, [kept], channels=tuple(step.channels)) == []


def test_a_short_text_is_told_whole():
    (step,) = plan([replace(problem(), text="a\N{SNOWMAN}" * 300)])

    assert step.alert.text == "a\N{SNOWMAN}" * 300


class TestWhatMayStillBeSo:
    """A problem that opens nothing keeps what was told before."""

    still = replace(problem(), opens=False)

    def test_it_opens_no_alert(self):
        assert plan([self.still]) == []
        assert plan([replace(problem(f"1h{n}"), opens=False) for n in range(9)]) == []

    def test_it_keeps_one_that_is_open(self):
        assert plan([self.still], [alert(problem(), *BOTH)]) == []

    def test_it_keeps_a_roll_up(self):
        (step,) = plan([problem(f"1h{n}") for n in range(7)])

        assert plan([self.still], [step.remember(BOTH)]) == []

    def test_it_keeps_none_whose_end_is_being_told(self):
        closing = alert(problem(), "chat", closing=True)

        assert told(plan([self.still], [closing])) == [
            ("resolve", "corral/lab/stuck/main/1h1", ("chat",))
        ]

    @pytest.mark.parametrize("order", [1, -1])
    def test_beside_the_problem_itself_it_says_nothing(self, order):
        (step,) = plan([self.still, problem()][::order])

        assert step.action is Action.OPEN


problems = st.lists(
    st.builds(
        problem,
        subject=st.sampled_from([f"1h{n}" for n in range(12)]),
        kind=st.sampled_from(["stuck", "missing"]),
    ),
    max_size=20,
)
kinds = st.sets(st.sampled_from(["stuck", "missing"]))
runs = st.lists(st.tuples(problems, kinds, st.sets(st.sampled_from(BOTH))), max_size=12)


@settings(max_examples=40, deadline=None)
@given(runs)
def test_in_any_history_every_channel_hears_openings_and_ends_in_turn(history):
    memory: dict[str, OpenAlert] = {}
    heard: set[tuple[str, str]] = set()
    for found, judged, answering in [*history, ([], {"stuck", "missing"}, set(BOTH))]:
        settled = judged | {one.kind for one in found}
        for step in plan(found, list(memory.values()), tuple(settled)):
            reached = {(name, step.alert.key) for name in step.channels if name in answering}
            if step.action is Action.OPEN:
                assert heard.isdisjoint(reached)
                heard |= reached
            else:
                assert reached <= heard
                heard -= reached
            kept = step.remember([name for name, _ in reached])
            memory.pop(step.alert.key, None)
            if kept:
                memory[kept.key] = kept

    assert memory == {}
    assert heard == set()
