"""How a drain ends and what it tells; no flow is run."""

import pytest

from corral.domain.alerts import Problem, Severity
from corral.errors import AccessDeniedError, AwsUnavailableError, CorralError
from tasks.drain_reports import DeadLetters, Drain, Posts, end_of_drain, name_end
from tasks.fates import Fate, Handled
from tasks.listening import Heard

REFUSAL = Problem("account", "aws", "", Severity.ERROR, "another account", "It is another account.")
DENIED = AccessDeniedError("sqs:ReceiveMessage", "no")


def handled(*fates: Fate, pool: str = "web", instance_id: str = "i-1") -> tuple[Handled, ...]:
    return tuple(Handled(pool, fate, instance_id, f"{instance_id} was {fate}.") for fate in fates)


def drain(
    *done: Handled,
    posts: Posts | None = None,
    deaf: dict[str, CorralError] | None = None,
    counts: dict[str, int] | None = None,
) -> Drain:
    posts = posts or Posts(pools=("web", "celery"))
    return Drain("lab", posts, Heard(done, deaf or {}), DeadLetters(counts or {}))


PASSED_ON = Handled("web", Fate.PASSED_ON, "i-1", "i-1 is left to reconcile-hosts.", ("1h1",))


@pytest.mark.parametrize(
    ("found", "name", "kind"),
    [
        pytest.param(drain(), "InStep", "COMPLETED", id="silence"),
        pytest.param(drain(*handled(Fate.DRAINED)), "Drained", "COMPLETED", id="drained"),
        pytest.param(drain(*handled(Fate.EVACUATED)), "Drained", "COMPLETED", id="evacuated"),
        pytest.param(drain(*handled(Fate.RESTORED)), "Drained", "COMPLETED", id="put back"),
        pytest.param(drain(PASSED_ON), "Partial", "FAILED", id="host left to reconcile"),
        pytest.param(drain(*handled(Fate.PASSED_ON)), "InStep", "COMPLETED", id="nobody knows it"),
        pytest.param(drain(*handled(Fate.DROPPED)), "InStep", "COMPLETED", id="dropped only"),
        pytest.param(drain(*handled(Fate.LEFT)), "Partial", "FAILED", id="left"),
        pytest.param(
            drain(*handled(Fate.LEFT, Fate.DRAINED)), "Drained", "COMPLETED", id="second try"
        ),
        pytest.param(
            drain(*handled(Fate.LEFT), *handled(Fate.DRAINED, instance_id="i-2")),
            "Partial",
            "FAILED",
            id="one of two left",
        ),
        pytest.param(drain(deaf={"web": DENIED}), "Partial", "FAILED", id="one queue is closed"),
        pytest.param(
            drain(deaf={"web": DENIED, "celery": DENIED}), "Refused", "FAILED", id="all are closed"
        ),
        pytest.param(drain(posts=Posts(refusal=REFUSAL)), "Refused", "FAILED", id="wrong account"),
        pytest.param(drain(counts={"web": 2}), "InStep", "COMPLETED", id="only dead letters"),
    ],
)
def test_a_run_is_named_by_what_is_still_to_be_done(found: Drain, name: str, kind: str):
    state = end_of_drain(found, [])

    assert (state.name, state.type.value) == (name, kind)


def test_an_alert_that_was_not_delivered_makes_a_run_partial():
    assert name_end(drain(), ["chat could not be told."]) == "Partial"
    assert name_end(drain(posts=Posts(refusal=REFUSAL)), ["chat could not be told."]) == "Refused"


def test_the_message_says_first_what_is_left():
    done = [*handled(Fate.DRAINED), *handled(Fate.LEFT, instance_id="i-2")]

    state = end_of_drain(drain(*done, posts=Posts(("web",), ("celery",))), ["chat is deaf."])

    assert state.message == (
        "lab: 1 drained, 1 left. i-2 was left. i-1 was drained. Pool celery has no queue yet: it is"
        " not built. chat is deaf."
    )


def test_many_machines_do_not_make_a_long_message():
    done = [each for n in range(8) for each in handled(Fate.DRAINED, instance_id=f"i-{n}")]

    state = end_of_drain(drain(*done), [])

    assert state.message is not None
    assert state.message.endswith("i-4 was drained. And 3 more, see the table.")


def test_messages_that_failed_for_ever_are_a_problem_of_their_pool():
    found = drain(counts={"web": 2, "celery": 0})

    (problem,) = found.find_problems()

    assert problem.key("lab") == "corral/lab/dead-letter/web"
    assert problem.text == (
        "2 messages about machines of pool web failed until SQS gave up; see why in the logs of"
        " drain-hosts, then have SQS redrive the queue lab-web-terminations-failed, or purge it if"
        " the hosts are gone."
    )
    assert found.settled == {"queue", "dead-letter"}


def test_a_dead_letter_queue_that_cannot_be_read_settles_nothing_about_dead_letters():
    unread = AwsUnavailableError("GetQueueAttributes", "ServiceUnavailable", "later")

    found = Drain("lab", Posts(("web", "celery")), Heard(), DeadLetters({}, {"web": unread}))

    assert found.settled == {"queue"}
    assert [problem.key("lab") for problem in found.find_problems()] == ["corral/lab/queue/web"]


def test_a_run_that_was_refused_settles_nothing():
    found = drain(posts=Posts(refusal=REFUSAL))

    assert found.settled == frozenset()
    assert found.find_problems() == [REFUSAL]
