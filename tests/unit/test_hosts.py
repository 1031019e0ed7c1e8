"""Whether every pool has its hosts."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from corral.cluster import Pool
from corral.domain.hosts import Host, PoolWish, find_shortfalls

WEB = PoolWish("web", {"role": "web", "env": "main"}, 1, frozenset({"i-1"}))
HOST = Host(
    id="1h1",
    project_id="1a7",
    name="ip-10-0-0-1",
    address="10.0.0.1",
    state="active",
    agent_state="active",
    labels={"aws.instance_id": "i-1", "role": "web", "env": "main"},
    created=datetime(2026, 11, 2, tzinfo=UTC),
)


def labelled(**labels: str) -> Host:
    return replace(HOST, labels={"aws.instance_id": "i-1", "role": "web", "env": "main", **labels})


def test_a_pool_with_its_minimum_of_active_hosts_lacks_nothing():
    assert find_shortfalls([WEB], [HOST]) == []


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        pytest.param([], "i-1 has not joined", id="nobody"),
        pytest.param([replace(HOST, labels={})], "i-1 has not joined", id="no instance id"),
        pytest.param(
            [replace(HOST, state="reconnecting", agent_state="reconnecting")],
            "i-1 is host 1h1, reconnecting",
            id="silent",
        ),
        pytest.param(
            [replace(HOST, state="inactive")], "i-1 is host 1h1, inactive", id="taken out of use"
        ),
        pytest.param(
            [labelled(role="celery")],
            "i-1 is host 1h1 with role=celery instead of web",
            id="another role",
        ),
        pytest.param(
            [labelled(env="other")],
            "i-1 is host 1h1 with env=other instead of main",
            id="another environment",
        ),
        pytest.param(
            [replace(HOST, labels={**HOST.labels, "aws.instance_id": "i-9"})],
            "i-1 has not joined",
            id="an instance of no group",
        ),
    ],
)
def test_a_host_that_is_not_the_pools_own_does_not_count(hosts, said):
    assert find_shortfalls([WEB], hosts) == [f"web has 0 of 1 active hosts: {said}"]


def test_two_rows_of_one_instance_count_once():
    wish = replace(WEB, minimum=2, instance_ids=frozenset({"i-1", "i-2"}))

    assert find_shortfalls([wish], [HOST, replace(HOST, id="1h2")]) == [
        "web has 1 of 2 active hosts: i-2 has not joined"
    ]


def test_an_empty_group_is_said_to_be_empty():
    wish = replace(WEB, instance_ids=frozenset())

    assert find_shortfalls([wish], [HOST]) == ["web has 0 of 1 active hosts: its group is empty"]


def test_a_group_that_cannot_start_instances_says_why():
    wish = replace(WEB, instance_ids=frozenset(), launch_failure="No capacity left.")

    assert find_shortfalls([wish], [HOST]) == [
        "web has 0 of 1 active hosts: its group is empty; No capacity left."
    ]


def test_a_pool_that_may_be_empty_lacks_nothing():
    assert find_shortfalls([replace(WEB, minimum=0, instance_ids=frozenset())], []) == []


def test_a_pools_own_labels_are_wished_for_as_well():
    pool = Pool(
        name="crawler",
        environment="main",
        role="web",
        labels={"network": "external"},
        instance_type="c5.large",
        minimum=1,
        maximum=2,
        scaling={"kind": "cpu", "target_percent": 60},
    )

    assert find_shortfalls([PoolWish.of(pool, ["i-1"])], [HOST]) == [
        "crawler has 0 of 1 active hosts: i-1 is host 1h1 with network= instead of external"
    ]
