"""Servers that are replaced or taken away, from the first to the last, or to one that stays out."""

from datetime import timedelta

import pytest
from servers_double import BEGIN, NEW, OLD, Servers

from corral.domain.servers import Renewal
from corral.errors import AwsUnavailableError, GateTimeoutError, PrerequisiteError
from tasks.departures import GatePatience, Watch, roll, shrink

HICCUP = AwsUnavailableError("DescribeAutoScalingGroups", "Throttling", "later")
OUTDATED = Renewal()
LONG = GatePatience(timedelta(seconds=20), timedelta(), 2)
SHORT = GatePatience(timedelta(milliseconds=60), timedelta(milliseconds=1), 2)


def rolled(
    servers: Servers, renewal: Renewal = OUTDATED, patience: GatePatience = LONG
) -> list[str]:
    watch = Watch(servers, patience, lambda _: None)
    roll(watch, renewal, servers.count)
    return watch.gone


def shrunk(servers: Servers, count: int, patience: GatePatience = LONG) -> list[str]:
    watch = Watch(servers, patience, lambda _: None)
    shrink(watch, count)
    return watch.gone


@pytest.mark.parametrize("count", [3, 5])
def test_servers_are_replaced_one_after_another_the_oldest_first(count):
    servers = Servers(count)

    assert rolled(servers) == [f"i-{number}" for number in range(1, count + 1)]
    assert set(servers.versions.values()) == {NEW}
    assert servers.fewest == count - 1


def test_a_server_leaves_the_load_balancer_before_it_ends():
    servers = Servers()
    rolled(servers)

    assert servers.orders[:4] == ["leave i-1", "replace i-1", "leave i-2", "replace i-2"]


def test_what_is_up_to_date_is_left_alone_and_the_gate_is_passed_all_the_same():
    servers = Servers()
    for name in servers.all:
        servers.set(name, version=NEW)
    assert rolled(servers) == []

    servers.set("i-2", target="unhealthy")
    with pytest.raises(GateTimeoutError, match="i-2 is unhealthy"):
        rolled(servers, patience=SHORT)


@pytest.mark.parametrize(
    ("renewal", "replaced"),
    [
        pytest.param(Renewal(all=True), ["i-1", "i-2", "i-3"], id="all"),
        pytest.param(Renewal(BEGIN + timedelta(minutes=3)), ["i-1", "i-2"], id="by age"),
    ],
)
def test_more_is_replaced_on_request_each_once(renewal, replaced):
    servers = Servers()
    for name in servers.all:
        servers.set(name, version=NEW)

    assert rolled(servers, renewal) == replaced


def test_one_that_does_not_come_back_stops_the_roll_and_is_named():
    servers = Servers(comes_back=False)

    with pytest.raises(GateTimeoutError) as caught:
        rolled(servers, patience=SHORT)

    assert servers.orders == ["leave i-1", "replace i-1"]
    assert caught.value.condition == "3 servers are one cluster without i-1"
    assert caught.value.failures == [
        "i-4 is unhealthy",
        "it stops here: i-2 would have been next, and is left as it is",
    ]


def test_nothing_is_taken_away_while_another_is_ill():
    servers = Servers()
    servers.set("i-1", target="unhealthy", version=NEW)

    with pytest.raises(GateTimeoutError, match="i-1 is unhealthy"):
        rolled(servers, patience=SHORT)

    assert servers.orders == []


def test_one_that_is_ill_itself_goes_first():
    servers = Servers()
    servers.set("i-3", target="unhealthy")

    assert rolled(servers) == ["i-3", "i-1", "i-2"]


def test_what_left_the_load_balancer_by_a_roll_that_died_is_ended_whatever_it_was_started_from():
    servers = Servers()
    servers.set("i-3", target="", version=NEW)

    assert rolled(servers) == ["i-3", "i-1", "i-2"]
    assert servers.orders[0] == "replace i-3"


def test_a_group_that_is_one_short_is_waited_for():
    servers = Servers()
    del servers.all["i-1"]

    assert rolled(servers) == ["i-2", "i-3"]
    assert servers.fewest == 2


@pytest.mark.parametrize("loses", ["leave", "replace"])
def test_an_order_that_was_heard_in_spite_of_a_hiccup_is_not_given_twice(loses):
    servers = Servers()
    heard: set[str] = set()

    def lose_answer() -> None:
        fresh = set(servers.orders[-1:]) - heard
        if any(order.startswith(loses) for order in fresh):
            heard.update(fresh)
            raise HICCUP

    servers.after_call = lose_answer

    assert rolled(servers) == ["i-1", "i-2", "i-3"]
    assert len(servers.orders) == 6


def test_servers_that_keep_coming_up_on_another_version_stop_the_roll():
    servers = Servers(comes_up="lt-1:3")

    with pytest.raises(PrerequisiteError, match=r"i-4 \(InService\) came up after it began, from"):
        rolled(servers)

    assert servers.orders == ["leave i-1", "replace i-1"]


@pytest.mark.parametrize("process", ["Launch", "Terminate", "AddToLoadBalancer"])
def test_a_group_that_may_not_do_its_part_is_refused(process):
    servers = Servers(suspended=frozenset({process, "AZRebalance"}))

    with pytest.raises(PrerequisiteError, match=rf"suspend {process}: resume it.*Nothing was"):
        rolled(servers)

    assert servers.orders == []


def test_a_server_that_somebody_set_aside_is_theirs():
    servers = Servers()
    servers.set("i-2", lifecycle="Standby", target="")

    with pytest.raises(PrerequisiteError, match=r"i-2 \(Standby\) was set aside"):
        rolled(servers)


def test_a_roll_waits_for_nobody_to_change_the_number_of_servers():
    servers = Servers()
    servers.wanted = 1

    with pytest.raises(PrerequisiteError, match=r"has 1 servers, but control\.count says 3"):
        rolled(servers)


def test_from_five_servers_two_go_one_after_another():
    servers = Servers(5)

    assert len(shrunk(servers, 3)) == 2
    assert (servers.wanted, servers.minimum, servers.answering()) == (3, 3, 3)
    assert servers.fewest == 3
    assert [order.split()[0] for order in servers.orders] == ["leave", "remove"] * 2


def test_the_zones_stay_even():
    servers = Servers(5)
    shrunk(servers, 3)

    assert len({one.server.zone for one in servers.all.values()}) == 3


def test_the_outdated_go_first():
    servers = Servers(5)
    for name in ("i-1", "i-2", "i-4"):
        servers.set(name, version=NEW)

    assert sorted(shrunk(servers, 3)) == ["i-3", "i-5"]


def test_none_goes_while_another_is_ill():
    servers = Servers(5)
    servers.set("i-1", target="unhealthy")
    servers.set("i-2", target="unhealthy")

    with pytest.raises(GateTimeoutError, match="it stops here"):
        shrunk(servers, 3, SHORT)

    assert servers.orders == []


def test_where_there_are_no_more_than_wanted_none_goes():
    assert shrunk(Servers(3), 5) == []
    assert shrunk(Servers(3), 3) == []


def test_one_that_was_to_go_but_may_stay_after_all_is_replaced():
    servers = Servers(5)
    servers.set("i-4", target="", version=OLD)

    assert shrunk(servers, 5) == ["i-4"]
    assert (servers.wanted, servers.answering()) == (5, 5)


def test_one_that_its_group_replaces_meanwhile_is_no_loss():
    servers = Servers(5, replaces_lost=True)
    shrunk(servers, 3)

    assert (servers.wanted, servers.answering()) == (3, 3)
