"""How problems are told: once to each channel, whoever fails or dies meanwhile."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from prefect.blocks.system import Secret
from prefect.settings import PREFECT_API_URL, temporary_settings

from corral.cluster.spec import AlertChannel
from corral.domain.alerts import Problem, Severity
from corral.domain.herd import Watch
from tasks import connect
from tasks.alerts import find_channels, keep_watch, read_watch, tell
from tasks.memory import Memory
from tests.unit.alert_doubles import KilledError, Town

PAGER = AlertChannel(name="pager", secret="lab-pager")
CHAT = AlertChannel(name="chat", secret="lab-chat")


def problem(kind: str = "canary", scope: str = "", subject: str = "") -> Problem:
    title = f"{kind} {scope} {subject}".strip()
    return Problem(kind, scope, subject, Severity.ERROR, title, f"Something about {title}.")


@pytest.fixture
def town() -> Town:
    return Town("pager", "chat")


# what is told


def test_a_problem_is_opened_once_and_resolved_once(town):
    assert town.run([problem()]) == []
    town.run([problem()])
    town.run([], settled={"canary"})
    town.run([], settled={"canary"})

    for channel in ("pager", "chat"):
        assert town.heard(channel) == ["open corral/lab/canary", "resolve corral/lab/canary"]
    assert town.prefect.names == []


def test_a_run_with_nothing_to_tell_asks_prefect_once_and_wakes_nobody(town):
    town.prefect.calls.clear()

    town.run([])

    assert town.prefect.calls == ["filter"]
    assert town.searches == 0


def test_what_a_run_could_not_judge_stays_open(town):
    town.run([problem("canary"), problem("mass")])
    town.run([], settled={"mass"})

    assert town.open_keys() == ["corral/lab/canary"]


def test_a_kind_can_be_settled_in_one_scope(town):
    town.run([problem("run", "build-cluster"), problem("run", "reconcile-hosts")])
    town.run([], settled={"canary", "run/reconcile-hosts"})

    assert town.open_keys() == ["corral/lab/run/build-cluster"]


def test_clusters_do_not_see_each_others_alerts(town):
    other = Town("pager", cluster="lab-two", prefect=town.prefect)
    for one in (town, other, Town("pager", cluster="corral", prefect=town.prefect)):
        one.run([problem()])
    town.run([], settled={"canary"})

    assert town.open_keys() == []
    assert other.open_keys() == ["corral/lab-two/canary"]


def test_keys_that_read_alike_are_kept_apart(town):
    town.run([problem("stuck", "a-b", "c"), problem("stuck", "a", "b-c")])

    assert town.open_keys() == ["corral/lab/stuck/a-b/c", "corral/lab/stuck/a/b-c"]


# who fails


def test_a_channel_that_fails_is_named_and_told_by_the_next_run(town):
    town.broken.add("chat")
    untold = town.run([problem()])
    town.broken.clear()
    town.run([problem()])

    assert untold == ["The alert channel chat is out of order."]
    assert town.heard("chat") == town.heard("pager") == ["open corral/lab/canary"]


def test_an_end_is_remembered_until_every_channel_that_was_told_has_heard_it(town):
    town.run([problem()])
    town.broken.add("chat")
    assert town.run([], settled={"canary"}) == ["The alert channel chat is out of order."]
    assert town.open_keys() == ["corral/lab/canary"]
    town.broken.clear()
    town.run([], settled={"canary"})

    assert town.heard("chat") == ["open corral/lab/canary", "resolve corral/lab/canary"]
    assert town.heard("pager") == ["open corral/lab/canary", "resolve corral/lab/canary"]
    assert town.open_keys() == []


def test_a_channel_that_may_have_heard_of_the_opening_is_told_quietly_of_the_end(town):
    town.broken.add("pager")
    town.run([problem()])
    town.broken.clear()
    town.run([], settled={"canary"})

    assert town.heard("pager") == ["quiet corral/lab/canary"]


def test_a_channel_that_fails_slowly_is_left_alone_for_the_rest_of_the_run(town):
    town.broken.add("chat")
    town.slowness_s = 12.0
    untold = town.run([problem("mass"), problem("canary"), problem("restart")])

    assert town.attempts("chat") == 2
    assert len(town.heard("pager")) == 3
    assert untold == ["The alert channel chat is out of order."]


def test_a_channel_that_refuses_one_alert_at_once_is_told_the_others(town):
    town.refused = "corral/lab/mass"
    town.run([problem("mass"), problem("canary")])

    assert town.heard("chat") == ["open corral/lab/canary"]


def test_a_channel_without_an_address_is_a_sentence_and_keeps_nobody_else_from_hearing(town):
    town.unknown.add("chat")

    assert town.run([problem()]) == ["The alert channel chat has no address."]
    assert town.heard("pager") == ["open corral/lab/canary"]


def test_a_crash_that_a_channel_did_not_hear_of_is_told_and_ended_by_runs_that_did_not_find_it(
    town,
):
    town.broken.add("chat")
    town.run([problem("run", "build-cluster")])
    town.broken.clear()
    town.run([problem("canary")])
    town.broken.add("chat")
    town.run([], settled={"run/build-cluster"})
    town.broken.clear()
    town.run([])

    assert [line for line in town.heard("chat") if "run" in line] == [
        "open corral/lab/run/build-cluster",
        "resolve corral/lab/run/build-cluster",
    ]
    assert town.open_keys() == ["corral/lab/canary"]


def test_a_crash_that_comes_again_before_everybody_heard_of_its_end_is_open_again(town):
    town.run([problem("run", "build-cluster")])
    town.broken.add("chat")
    town.run([], settled={"run/build-cluster"})
    town.broken.clear()
    town.run([problem("run", "build-cluster")])

    assert town.heard("chat") == ["open corral/lab/run/build-cluster"]
    assert [line.partition(" ")[0] for line in town.heard("pager")] == ["open", "resolve", "open"]
    assert town.open_keys() == ["corral/lab/run/build-cluster"]


def test_an_alert_that_cannot_be_kept_keeps_nobody_from_hearing_of_the_others(town):
    town.prefect.refused = "mass"
    untold = town.run([problem("mass"), problem("canary"), problem("restart")])

    assert untold == ["The alert corral/lab/mass is not told, since Prefect does not keep it: 422"]
    assert town.heard("chat") == ["open corral/lab/canary", "open corral/lab/restart"]
    town.prefect.refused = ""
    town.run([problem("mass")])
    assert town.heard("chat")[2:] == ["open corral/lab/mass"]


def test_an_end_that_cannot_be_forgotten_keeps_no_other_from_being_told(town):
    town.run([problem("mass"), problem("canary")])
    town.broken.add("chat")
    town.prefect.refused = "canary"
    untold = town.run([], settled={"mass", "canary"})

    assert any("corral/lab/canary" in sentence for sentence in untold)
    assert "resolve corral/lab/mass" in town.heard("pager")


# who dies


def story(town: Town) -> None:
    town.run([problem("canary"), problem("mass", "web")])
    town.run([problem("canary")], settled={"canary", "mass"})
    town.run([], settled={"canary", "mass"})


def calls_of_the_story() -> int:
    town = Town("pager", "chat")
    story(town)
    return town.calls


@pytest.mark.parametrize("death", range(calls_of_the_story()))
def test_a_run_that_dies_between_two_calls_is_finished_by_the_next(death: int):
    town = Town("pager", "chat", dies_after=death)
    with pytest.raises(KilledError):
        story(town)
    told_but_not_written = town.last_call.startswith("told")

    town.recover()
    story(town)

    for channel in ("pager", "chat"):
        for key in ("corral/lab/canary", "corral/lab/mass/web"):
            history = town.states(channel, key, without_repetitions=told_but_not_written)
            assert history == ["open", "resolve"] * (len(history) // 2)
            assert history
    assert town.open_keys() == []


def test_nothing_is_told_while_another_run_is_telling(town, monkeypatch):
    monkeypatch.setattr("tasks.crier.OTHERS_TELL", -town.A_MOMENT)
    with Memory(town.prefect, "lab").turn(town.A_MOMENT):
        untold = town.run([problem()])

    assert untold == ["Another run tells people of this cluster: the next run tells the rest."]
    assert town.heard("pager") == []
    town.run([problem()])
    assert town.heard("pager") == ["open corral/lab/canary"]


def outlived(town: Town) -> None:
    """Let the time of whoever tells people now be over."""
    town.prefect.put("corral-lab-telling", {"until": "2026-01-01T00:00:00Z"})


def test_a_turn_that_was_taken_over_is_not_ended_by_who_had_it_before(town):
    slow, second, third = (Memory(town.prefect, "lab") for _ in range(3))
    with ExitStack() as first:
        assert first.enter_context(slow.turn(town.A_MOMENT))
        outlived(town)
        with second.turn(town.A_MOMENT) as is_second:
            first.close()
            with third.turn(-town.A_MOMENT) as is_third:
                assert (is_second, is_third) == (True, False)
    assert town.prefect.names == []


def test_of_two_who_take_over_one_turn_only_one_has_it(town):
    dead, first, second = (Memory(town.prefect, "lab") for _ in range(3))
    with ExitStack() as turns:
        turns.enter_context(dead.turn(town.A_MOMENT))
        outlived(town)
        got: list[bool] = []

        def overtake(call: str) -> None:
            if call == "delete":
                town.prefect.before_call = lambda _: None
                got.append(turns.enter_context(second.turn(-town.A_MOMENT)))

        town.prefect.before_call = overtake
        got.append(turns.enter_context(first.turn(-town.A_MOMENT)))

        assert got == [True, False]


def test_what_another_run_told_meanwhile_is_not_told_again(town):
    town.prefect.meanwhile = lambda: Town("pager", "chat", prefect=town.prefect).run([problem()])
    town.run([problem()])

    assert town.heard("pager") == []
    assert town.open_keys() == ["corral/lab/canary"]


# Prefect


@pytest.fixture
def no_prefect(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(_: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[Errno 111] Connection refused", request=request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", refuse)
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        yield


@pytest.mark.usefixtures("no_prefect")
def test_a_prefect_that_does_not_answer_stops_nobody():
    (untold,) = tell("lab", [PAGER], [problem()], ())

    assert untold.startswith("Not everybody was told of everything; the next run goes on with it.")


@pytest.mark.usefixtures("no_prefect")
def test_a_prefect_that_does_not_answer_has_no_watch_to_give_or_to_keep(caplog):
    assert read_watch("lab") is None
    keep_watch("lab", Watch())

    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_a_watch_is_read_as_it_was_kept(town):
    memory = Memory(town.prefect, "lab")
    watch = Watch(servers={"1s1 10.0.0.1": "2026-11-02T12:00:00Z"})
    assert memory.watch() == Watch()
    memory.keep_watch(watch)
    memory.keep_watch(watch)

    assert memory.watch() == watch


def test_a_variable_that_makes_no_sense_is_made_anew(town):
    town.run([problem()])
    for name in town.prefect.names:
        town.prefect.put(name, {"was": "edited by hand"})
    town.run([problem()])

    assert town.open_keys() == ["corral/lab/canary"]


def test_more_alerts_than_prefect_gives_at_once_are_all_read(town):
    town.run([problem("over-cap", f"pool-{pool}") for pool in range(210)])
    town.run([], settled={"over-cap"})

    assert len(town.heard("pager")) == 2 * 210
    assert town.open_keys() == []


# channels


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What Prefect's blocks hold; the worker's environment knows the chat only."""
    blocks: dict[str, Any] = {}

    def load(name: str) -> Secret[Any]:
        if name not in blocks:
            raise ValueError(f"Unable to find block document named {name} for block type secret")
        return Secret(value=blocks[name])

    monkeypatch.setattr(Secret, "load", load)
    monkeypatch.setenv("CORRAL_ALERT_URLS", '{"chat": "json://from.the.environment"}')
    connect.settings.cache_clear()
    yield blocks
    connect.settings.cache_clear()


def test_the_environment_comes_before_a_block(addresses):
    addresses |= {"lab-chat": "json://from.a.block", "lab-pager": "json://pager"}
    found, missing = find_channels([PAGER, CHAT])

    assert {channel.name: channel.url.get_secret_value() for channel in found} == {
        "pager": "json://pager",
        "chat": "json://from.the.environment",
    }
    assert missing == []


@pytest.mark.usefixtures("addresses")
def test_a_channel_without_a_block_is_said_with_what_to_do():
    found, missing = find_channels([PAGER, CHAT])

    assert [channel.name for channel in found] == ["chat"]
    assert " ".join(missing) == (
        "The alert channel pager has no address: make a Secret block lab-pager in Prefect that"
        " holds its Apprise URL, or name it in CORRAL_ALERT_URLS."
    )
