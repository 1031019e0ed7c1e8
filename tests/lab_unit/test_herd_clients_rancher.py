"""Herds and removals against a whole Rancher, and everything that may go wrong on the way."""

import threading
import time
from datetime import timedelta

import pytest
import stamina
from ranchers import Rancher

from corral.clients.rancher import OutcomeKind, Patience, RancherClient, remove_host, transport
from corral.domain.steps import Move
from corral.errors import (
    CorralError,
    RancherAnswerError,
    RancherConflictError,
    RancherRefusedError,
    RancherUnreachableError,
)

PATIENCE = Patience(deadline=timedelta(seconds=10), interval=timedelta(seconds=0.05))
ALL = "GET /v2-beta/hosts"


@pytest.fixture
def client(rancher: Rancher) -> RancherClient:
    return RancherClient(rancher.url)


@pytest.fixture(autouse=True)
def _quick_retries():
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


def break_reads(rancher: Rancher, effect: dict, **more: int) -> None:
    rule = {"target": "rancher", "match": {"operation": ALL}, "effect": effect, **more}
    rancher.world.faults.add(rule)


def test_a_herd_of_several_pages_is_read_whole_and_once_with_the_fewest_calls(rancher, client):
    seeded = rancher.cluster.seed_herd(6200, 20)
    rancher.world.journal.clear()

    herd = client.herd()

    assert [host.id for host in herd] == [one.host_id for one in seeded]
    assert [host.instance_id for host in herd] == [one.instance_id for one in seeded]
    assert sum(host.is_disconnected for host in herd) == 20
    assert {host.project_id for host in herd} == {"1a5"}
    assert len({id(host.actions) for host in herd}) == 1
    assert [(row["operation"], row["count"]) for row in rancher.world.journal.rows()] == [(ALL, 3)]


def test_a_host_is_taken_out_of_rancher_in_the_scope_of_its_environment(rancher, client):
    (phantom,) = rancher.cluster.seed_herd(1, 1)
    (host,) = client.herd()
    moves = []

    outcome = remove_host(
        client, host, drain=False, patience=PATIENCE, on_move=lambda move, _: moves.append(move)
    )

    assert outcome.kind is OutcomeKind.REMOVED
    assert moves == [Move.DEACTIVATE, Move.REMOVE, Move.PURGE]
    assert client.herd() == []
    assert client.host("1a5", phantom.host_id).is_removed
    scoped = "POST /v2-beta/projects/{id}/hosts/{id}"
    assert [call for call in rancher.writes() if call.startswith(scoped)] == [
        f"{scoped}?{move}" for move in moves
    ]


def test_a_removal_that_dies_after_any_step_is_finished_by_the_next(rancher, client):
    for steps in (1, 2, 3):
        rancher.cluster.seed_herd(1, 1)
        (host,) = client.herd()
        for move in list(Move)[1 : 1 + steps]:
            act_when_offered(client, host.project_id, host.id, move)

        assert remove_host(client, host, drain=False, patience=PATIENCE).kind is OutcomeKind.REMOVED


def act_when_offered(client: RancherClient, project_id: str, host_id: str, action: str) -> None:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        found = client.host(project_id, host_id)
        if action in found.actions:
            client.act_on_host(project_id, host_id, action)
            return
        time.sleep(0.01)
    raise AssertionError(f"{action} was never offered")


def test_a_removal_that_is_called_off_half_way_leaves_the_host_in_service(rancher, client):
    rancher.cluster.seed_herd(1, 1)
    (host,) = client.herd()
    moves = []

    outcome = remove_host(
        client,
        host,
        drain=False,
        patience=PATIENCE,
        object_to=lambda _: "its agent is back" if moves else "",
        on_move=lambda move, _: moves.append(move),
    )

    assert outcome.kind is OutcomeKind.CANCELLED
    assert moves == [Move.DEACTIVATE]
    (after,) = client.herd()
    assert (after.state, after.actions) == (host.state, host.actions)


def test_a_drained_host_loses_its_users_containers_first(rancher, client):
    rancher.cluster.seed_herd(1, 0)
    rancher.cluster.seed_service("web", 3, "Default")
    (host,) = client.herd()
    wait_until(lambda: client.is_busy("1a5", host.id))
    moves = []

    outcome = remove_host(
        client, host, drain=True, patience=PATIENCE, on_move=lambda move, _: moves.append(move)
    )

    assert outcome.kind is OutcomeKind.REMOVED
    assert moves == [Move.EVACUATE, Move.REMOVE, Move.PURGE]


def wait_until(probe) -> None:
    until = time.monotonic() + 5
    while not probe():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_host_that_rancher_holds_in_removing_is_under_way(rancher, client):
    rancher.cluster.seed_herd(1, 1)
    (host,) = client.herd()
    rancher.world.faults.add(
        {
            "target": "rancher",
            "match": {"operation": "process host.remove"},
            "effect": {"delay_s": 1e9},
        }
    )
    short = Patience(deadline=timedelta(seconds=0.5), interval=timedelta(seconds=0.05))

    outcome = remove_host(client, host, drain=False, patience=short)

    assert outcome.kind is OutcomeKind.UNDER_WAY
    assert "is removing" in outcome.sentence


def test_many_hosts_are_removed_side_by_side_through_one_client(rancher, client):
    rancher.cluster.seed_herd(40, 40)
    kinds = []

    def work(hosts: list) -> None:
        kinds.extend(remove_host(client, one, drain=False, patience=PATIENCE).kind for one in hosts)

    herd = client.herd()
    workers = [threading.Thread(target=work, args=[herd[start::8]]) for start in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert kinds == [OutcomeKind.REMOVED] * 40


def test_what_is_not_there_is_none_and_what_is_elsewhere_too(rancher, client):
    rancher.cluster.seed_herd(1, 1)
    (host,) = client.herd()

    assert client.host("1a5", "1h999999") is None
    assert client.host("1a5", "nonsense") is None
    other = client.create_project("other", "", client.template_id("Cattle"))
    wait_until(lambda: any(p.id == other.id and p.state == "active" for p in client.projects()))
    assert client.host(other.id, host.id) is None


def test_an_action_at_the_wrong_time_is_a_conflict(rancher, client):
    rancher.cluster.seed_herd(1, 1)
    (host,) = client.herd()

    with pytest.raises(RancherConflictError):
        client.act_on_host("1a5", host.id, "remove")


@pytest.mark.parametrize(
    ("effect", "kind"),
    [
        ({"status": 401}, RancherRefusedError),
        ({"status": 403}, RancherRefusedError),
        ({"status": 500}, RancherUnreachableError),
        ({"status": 503}, RancherUnreachableError),
        ({"reset": True}, RancherUnreachableError),
        ({"cut": True}, RancherUnreachableError),
        ({"body": "<html>Sign in</html>", "content_type": "text/html"}, RancherAnswerError),
        ({"body": '{"type": "collection", "data": [{"id": "1h1",'}, RancherAnswerError),
        ({"body": {"type": "collection", "data": []}}, RancherAnswerError),
        ({"body": {"type": "collection"}}, RancherAnswerError),
        ({"status": 302}, RancherAnswerError),
    ],
    ids=str,
)
@pytest.mark.parametrize("after", [0, 2], ids=["first page", "last page"])
def test_a_herd_that_cannot_be_read_to_its_end_is_an_error(
    rancher, client, monkeypatch, effect, kind, after
):
    rancher.cluster.seed_herd(7, 0)
    monkeypatch.setattr("corral.clients.rancher.paging.PAGE_SIZE", 3)
    break_reads(rancher, effect, after=after)

    with pytest.raises(CorralError) as caught:
        client.herd()

    assert type(caught.value) is kind


@pytest.mark.parametrize("effect", [{"status": 503}, {"reset": True}, {"cut": True}], ids=str)
def test_one_hiccup_of_a_read_is_not_noticed(rancher, client, effect):
    rancher.cluster.seed_herd(7, 0)
    break_reads(rancher, effect, times=1)

    assert len(client.herd()) == 7


def test_a_body_that_comes_in_drops_is_not_waited_for(rancher, client, monkeypatch):
    monkeypatch.setattr(transport, "ANSWER_S", 0.5)
    rancher.cluster.seed_herd(50, 0)
    break_reads(rancher, {"trickle_s": 30.0})
    started = time.monotonic()

    with pytest.raises(RancherUnreachableError, match="no answer in time"):
        client.herd()

    # three tries
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("status", [409, 422, 500, 503])
def test_steps_that_go_wrong_once_are_taken_again(rancher, client, status):
    rancher.cluster.seed_herd(1, 1)
    (host,) = client.herd()
    for step in ("deactivate", "remove", "purge"):
        operation = f"POST /v2-beta/projects/{{id}}/hosts/{{id}}?{step}"
        rule = {"target": "rancher", "match": {"operation": operation}, "times": 1}
        rancher.world.faults.add({**rule, "effect": {"status": status}})

    outcome = remove_host(client, host, drain=False, patience=PATIENCE)

    assert outcome.kind is OutcomeKind.REMOVED
    assert client.herd() == []


def test_connections_are_kept_from_call_to_call(rancher, client):
    rancher.cluster.seed_herd(3, 0)

    for _ in range(5):
        client.herd()

    pools = client._transport._session.get_adapter(client.url).poolmanager.pools
    assert [pools[key].num_connections for key in pools.keys()] == [1]  # noqa: SIM118 - no mapping
