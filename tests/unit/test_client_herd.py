"""How a herd is read: every row once or an error, whatever the pages look like."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
import stamina

from corral.clients.rancher import RancherClient, paging, transport
from corral.domain.hosts import Host
from corral.domain.set_up.keys import KeyPair
from corral.errors import (
    RancherAnswerError,
    RancherConflictError,
    RancherError,
    RancherGoneError,
    RancherRefusedError,
    RancherUnreachableError,
)

URL = "https://rancher.example.com"
HOSTS = f"{URL}/v2-beta/hosts"
SCOPED = f"{URL}/v2-beta/projects/1a5/hosts/1h5"
SIZE = 6
"""Rows that a page holds here; 3000 are no more telling."""


def row(number: int, **more: object) -> dict:
    """Return a host as Rancher sends it. Source: shape of a 1.6 answer, host.json of cattle."""
    return {
        "id": f"1h{number}",
        "type": "host",
        "accountId": "1a5",
        "state": "active",
        "agentState": "active",
        "name": None,
        "hostname": f"ip-10-0-0-{number}.ec2.internal",
        "agentIpAddress": f"10.0.0.{number}",
        "created": "2026-11-02T03:04:05Z",
        "removed": None,
        "labels": {"aws.instance_id": f"i-{number}", "role": "web"},
        "actions": {"deactivate": f"{SCOPED}?action=deactivate", "evacuate": "http://elsewhere"},
    } | more


def page(rows: list[dict], following: str | None = None) -> dict:
    return {"type": "collection", "data": rows, "pagination": {"next": following, "limit": SIZE}}


class Table:
    """Rancher's table of hosts, in pages by offset; it may change after each page.

    Source: cattle, AbstractJooqResourceManager.java: ordered by id, `m` and the offset.
    """

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers
        self.offsets: list[int] = []
        self.changes: list[Callable[[], None]] = []

    def answer(self, request: object) -> tuple[int, dict, str]:
        query = parse_qs(urlsplit(request.url).query)
        offset = int(query.get("marker", ["m0"])[0][1:])
        self.offsets.append(offset)
        end = offset + SIZE
        rows = [row(number) for number in self.numbers[offset:end]]
        following = f"http://elsewhere.example.com/hosts?marker=m{end}"
        body = page(rows, following if len(self.numbers) > end else None)
        if self.changes:
            self.changes.pop(0)()
        return 200, {}, json.dumps(body)

    def drop(self, *numbers: int) -> Callable[[], None]:
        return lambda: [self.numbers.remove(number) for number in numbers] and None


@pytest.fixture(autouse=True)
def _quick_retries():
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture
def answers():
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def rancher():
    return RancherClient(URL, KeyPair("ACCESS", "hidden"))


@pytest.fixture
def table(answers):
    made = Table(list(range(1, 21)))
    answers.add_callback(responses.GET, HOSTS, made.answer)
    return made


def numbers(hosts: list[Host]) -> list[int]:
    return [int(host.id.removeprefix("1h")) for host in hosts]


def test_a_row_of_the_list_becomes_a_host(answers, rancher):
    answers.get(HOSTS, json=page([row(5)]))

    assert rancher.herd() == [
        Host(
            id="1h5",
            project_id="1a5",
            name="ip-10-0-0-5.ec2.internal",
            address="10.0.0.5",
            state="active",
            agent_state="active",
            labels={"aws.instance_id": "i-5", "role": "web"},
            created=datetime(2026, 11, 2, 3, 4, 5, tzinfo=UTC),
            hostname="ip-10-0-0-5.ec2.internal",
            actions=frozenset({"deactivate", "evacuate"}),
        )
    ]


def test_equal_words_and_sets_of_different_hosts_are_one_in_memory(answers, rancher):
    answers.get(HOSTS, json=page([row(5), row(6)]))

    one, other = rancher.herd()

    assert one.actions is other.actions
    assert one.project_id is other.project_id
    assert one.state is other.state


def test_what_rancher_leaves_out_is_empty(answers, rancher):
    answers.get(HOSTS, json=page([{"id": "1h5", "accountId": "1a5", "created": row(5)["created"]}]))

    (host,) = rancher.herd()

    assert (host.name, host.address, host.state, host.agent_state) == ("", "", "", "")
    assert (host.labels, host.actions, host.instance_id) == ({}, frozenset(), "")


def test_the_whole_herd_is_read_in_overlapping_pages_of_the_largest_size(table, rancher, answers):
    assert numbers(rancher.herd()) == list(range(1, 21))
    # each page begins with the last three rows of the one before
    assert table.offsets == [0, 3, 6, 9, 12, 15]
    assert all("limit=3000" in call.request.url for call in answers.calls)


@pytest.mark.parametrize(
    "gone",
    [pytest.param([1], id="the first"), pytest.param([2, 6], id="the last of a page")],
)
def test_rows_that_leave_while_the_list_is_read_take_no_other_with_them(table, rancher, gone):
    table.changes = [table.drop(*gone)]

    assert set(numbers(rancher.herd())) == set(range(1, 21))


def test_a_list_that_moves_as_far_as_its_pages_overlap_has_to_be_read_again(table, rancher):
    table.changes = [table.drop(1, 2, 3)]

    with pytest.raises(RancherConflictError, match="moved by 3 rows or more") as caught:
        rancher.herd()

    assert HOSTS in str(caught.value)


def test_rows_that_come_while_the_list_is_read_are_read_too(table, rancher):
    table.changes = [lambda: table.numbers.append(21)]

    assert numbers(rancher.herd()) == list(range(1, 22))


@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_later_page_that_is_empty_is_no_end(answers, rancher, at):
    table = Table(list(range(1, 21)))

    def answer(request: object) -> tuple[int, dict, str]:
        status, headers, body = table.answer(request)
        return (
            (status, headers, json.dumps(page([])))
            if len(table.offsets) == at + 2
            else (status, headers, body)
        )

    answers.add_callback(responses.GET, HOSTS, answer)

    with pytest.raises(RancherConflictError):
        rancher.herd()


def test_a_row_that_is_sent_twice_is_one_host(answers, rancher):
    answers.get(HOSTS, json=page([row(5), row(5), row(6)]))

    assert numbers(rancher.herd()) == [5, 6]


def test_no_hosts_at_all_is_an_answer(answers, rancher):
    answers.get(HOSTS, json=page([]))

    assert rancher.herd() == []


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"removed": "2026-11-02T04:00:00Z"}, id="with a date"),
        pytest.param({"state": "removed"}, id="removed"),
        pytest.param({"state": "purging"}, id="purging"),
        pytest.param({"state": "purged"}, id="purged"),
    ],
)
def test_removed_hosts_are_no_part_of_the_herd_but_can_be_looked_at(answers, rancher, more):
    answers.get(HOSTS, json=page([row(5, **more), row(6)]))
    answers.get(f"{URL}/v2-beta/projects/1a5/hosts", json=page([row(5, **more), row(6)]))
    answers.get(SCOPED, json=row(5, **more))

    assert numbers(rancher.herd()) == [6]
    assert numbers(rancher.hosts("1a5")) == [6]
    assert rancher.host("1a5", "1h5").is_removed


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param({"type": "collection", "data": None}, "without sense: data", id="no data"),
        pytest.param({"type": "collection"}, "without sense: data", id="not a list at all"),
        pytest.param(page([None]), "without sense: data.0", id="no row"),
        pytest.param(
            page([row(5), row(6, accountId=None)]), "data.1.accountId", id="nobody's host"
        ),
        pytest.param(page([row(5, id=5)]), "data.0.id", id="id of another kind"),
        pytest.param(page([row(5, created="yesterday")]), "data.0.created", id="no date"),
        pytest.param(page([row(5, labels=["a"])]), "data.0.labels", id="no labels"),
        pytest.param({"data": [row(5)]}, "1 rows and does not say whether more", id="no paging"),
        pytest.param(page([row(5)], f"{HOSTS}?limit=3000"), "next page that makes", id="no marker"),
        pytest.param(page([row(5)], f"{HOSTS}?marker=1h9"), "next page that makes", id="odd one"),
        pytest.param([row(5)], "no JSON object", id="a bare list"),
    ],
)
def test_a_list_that_makes_no_sense_is_an_error_and_not_a_short_list(answers, rancher, body, said):
    answers.get(HOSTS, json=body)

    with pytest.raises(RancherAnswerError, match=said):
        rancher.herd()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param("<html>Sign in</html>", "text/html", id="a page of a proxy"),
        pytest.param(json.dumps(page([row(5)]))[:-9], "application/json", id="cut JSON"),
        pytest.param("", "application/json", id="nothing"),
    ],
)
def test_what_is_no_json_is_an_error(answers, rancher, body, content_type):
    answers.get(HOSTS, body=body, content_type=content_type)

    with pytest.raises(RancherAnswerError, match=f"no JSON object \\({content_type}\\)"):
        rancher.herd()


def test_of_thousands_of_faults_a_few_are_named(answers, rancher):
    answers.get(HOSTS, json=page([{"id": f"1h{number}"} for number in range(500)]))

    with pytest.raises(RancherAnswerError) as caught:
        rancher.herd()

    assert str(caught.value).count("data.") == 5


def test_a_full_page_that_says_nothing_of_others_is_an_error_for_any_list(
    answers, rancher, monkeypatch
):
    monkeypatch.setattr(paging, "PAGE_SIZE", 2)
    body = {"data": [{"id": "1a5"}, {"id": "1a7"}], "pagination": None}
    answers.get(f"{URL}/v2-beta/projects", json=body)

    with pytest.raises(RancherAnswerError, match="2 rows and does not say"):
        rancher.projects()


def test_a_later_page_that_fails_fails_the_list(answers, rancher):
    answers.get(HOSTS, json=page([row(5), row(6)], f"{HOSTS}?marker=m2"))
    answers.get(HOSTS, status=503)

    with pytest.raises(RancherUnreachableError, match="answered 503"):
        rancher.herd()


def test_an_answer_that_takes_too_long_as_a_whole_is_given_up(answers, rancher, monkeypatch):
    monkeypatch.setattr(transport, "ANSWER_S", 0.05)
    # Who was given up may still be under way when the test ends, and counts only when it is back.
    answers.assert_all_requests_are_fired = False
    over = threading.Event()

    def come_late(_: object) -> tuple[int, dict[str, str], str]:
        over.wait(20)
        return 200, {}, json.dumps(page([row(5)]))

    answers.add_callback("GET", HOSTS, come_late)

    with pytest.raises(RancherUnreachableError, match="no answer in time"):
        rancher.herd()
    over.set()


def test_one_host_is_read_in_the_scope_of_its_environment(answers, rancher):
    answers.get(SCOPED, json=row(5))

    assert rancher.host("1a5", "1h5").id == "1h5"


def test_a_host_that_rancher_does_not_have_is_none(answers, rancher):
    answers.get(SCOPED, status=404, json={"type": "error", "status": 404, "code": "Not Found"})

    assert rancher.host("1a5", "1h5") is None


def test_a_404_that_is_not_ranchers_does_not_say_that_a_host_is_gone(answers, rancher):
    answers.get(SCOPED, status=404, body="<html>no such site</html>", content_type="text/html")

    with pytest.raises(RancherAnswerError, match="answered 404"):
        rancher.host("1a5", "1h5")


@pytest.mark.parametrize("more", [{"id": "1h6"}, {"accountId": "1a7"}])
def test_an_answer_about_another_host_is_an_error(answers, rancher, more):
    answers.get(SCOPED, json=row(5, **more))

    with pytest.raises(RancherAnswerError, match="hosts/1h5 is host"):
        rancher.host("1a5", "1h5")


def test_an_action_is_sent_once_and_in_the_scope_of_the_environment(answers, rancher):
    sent = answers.post(f"{SCOPED}?action=deactivate", status=202, json=row(5))

    rancher.act_on_host("1a5", "1h5", "deactivate")

    assert sent.call_count == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, RancherRefusedError),
        (404, RancherGoneError),
        (405, RancherConflictError),
        (409, RancherConflictError),
        (422, RancherConflictError),
        (500, RancherUnreachableError),
        (503, RancherUnreachableError),
    ],
)
def test_an_action_that_is_refused_is_not_tried_again(answers, rancher, status, kind):
    sent = answers.post(f"{SCOPED}?action=remove", status=status, json={"type": "error"})

    with pytest.raises(RancherError) as caught:
        rancher.act_on_host("1a5", "1h5", "remove")

    assert type(caught.value) is kind
    assert sent.call_count == 1


def container(**more: object) -> dict:
    return {"id": "1i5", "type": "container", "state": "running", "system": False} | more


@pytest.mark.parametrize(
    ("containers", "busy"),
    [
        pytest.param([], False, id="empty"),
        pytest.param([container()], True, id="a user's"),
        pytest.param([container(state="stopping")], True, id="about to stop"),
        pytest.param([container(state="unheard-of")], True, id="a state nobody knows"),
        pytest.param([container(state="stopped")], False, id="stopped"),
        pytest.param([container(removed="2026-11-02T04:00:00Z")], False, id="removed"),
        pytest.param([container(system=True)], False, id="Rancher's own"),
        pytest.param(
            [container(labels={"io.rancher.container.system": "rancher-agent"})],
            False,
            id="the agent",
        ),
        pytest.param([container(system=True), container(id="1i6")], True, id="both"),
    ],
)
def test_a_host_is_busy_while_containers_of_users_run_on_it(answers, rancher, containers, busy):
    answers.get(f"{SCOPED}/instances", json={"data": containers})

    assert rancher.is_busy("1a5", "1h5") is busy


def test_environments_tell_of_their_own_delay_of_removal(answers, rancher):
    listed = [{"id": "1a5", "name": "main", "hostRemoveDelaySeconds": 60}, {"id": "1a7"}]
    answers.get(f"{URL}/v2-beta/projects", json={"data": listed, "pagination": None})

    assert [project.host_remove_delay_s for project in rancher.projects()] == [60, None]


@pytest.mark.parametrize(("value", "seconds"), [("-1", -1), ("900", 900), (None, -1)])
def test_ranchers_own_remover_tells_its_delay(answers, rancher, value, seconds):
    name = "host.remove.delay.seconds"
    answers.get(f"{URL}/v2-beta/settings/{name}", json={"name": name, "activeValue": value})

    assert rancher.host_remove_delay_s() == seconds


def test_a_delay_that_is_no_number_is_an_error(answers, rancher):
    name = "host.remove.delay.seconds"
    answers.get(f"{URL}/v2-beta/settings/{name}", json={"name": name, "value": "soon"})

    with pytest.raises(RancherAnswerError, match="at 'soon', which is no number"):
        rancher.host_remove_delay_s()
