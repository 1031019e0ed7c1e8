"""When a whole run removes nothing, because what it read is not to be believed."""

from dataclasses import replace

import pytest
from herd_samples import (
    CONTROL,
    MINUTE,
    NOW,
    RULE,
    assessed,
    host,
    instance,
    view,
)

from corral.domain.herd import Instance, Verdict, View, Watch, assess
from corral.domain.hosts import Host

PHANTOM = host(1, "disconnected")
DEAD = instance(1, "terminated")
SERVER = "1cm1 10.0.9.1"
NEW_SERVER = "1cm2 10.0.9.2"


def refusal(read: View, watch: Watch | None = None) -> tuple[str, str]:
    """Return the guard that spoke and what it said; nobody removed anything then."""
    assessment = assess(read, RULE, watch or Watch())
    if not assessment.refusals:
        return "", ""
    assert assessment.removals == ()
    (one,) = assessment.refusals
    return one.guard, one.sentence


def only(hosts: list[Host], instances: list[Instance]) -> View:
    """Return what was read of these and nothing else."""
    return View(hosts, instances, [], NOW)


NOTHING_LISTED = replace(view([PHANTOM], []), instances=[])
NO_HOST_FOUND = replace(view([PHANTOM], []), instances=[CONTROL])


def test_a_herd_in_order_is_refused_nothing():
    assert refusal(view([PHANTOM], [DEAD])) == ("", "")


def test_a_herd_without_any_host_is_in_order():
    assert refusal(only([], [])) == ("", "")


class TestEmptyEc2:
    def test_an_empty_list_beside_connected_hosts_is_refused(self):
        guard, said = refusal(NOTHING_LISTED)

        assert guard == "empty-ec2"
        assert "EC2 lists no instance at all in account 123456789012, us-east-1" in said
        assert "10 hosts, 9 of them connected" in said

    def test_so_it_is_beside_lost_ones(self):
        assert refusal(only([PHANTOM], []))[0] == "empty-ec2"

    def test_hosts_of_elsewhere_prove_nothing_about_it(self):
        elsewhere = host(1, "disconnected", labels={})

        assert refusal(only([elsewhere], [])) == ("", "")


class TestShortEc2:
    def test_a_list_without_a_member_of_a_group_proves_nothing(self):
        members = {instance(1).id: "blue-web", "i-00000000000000099": "blue-web"}
        guard, said = refusal(view([PHANTOM], [DEAD], members=members))

        assert guard == "short-ec2"
        assert said.startswith("EC2 does not know i-00000000000000099 in account 123456789012")
        assert "which blue-web has: its list is not whole" in said

    def test_who_lives_unseen_is_not_taken_for_the_dead_machine_that_its_label_names(self):
        hidden = instance(2)
        forged = host(2, "disconnected", labels=PHANTOM.labels)
        read = view([forged], [DEAD])

        assert len(assess(read, RULE, Watch()).removals) == 1
        assert refusal(replace(read, members={hidden.id: "blue-web"}))[0] == "short-ec2"

    def test_a_member_that_has_ended_since_is_listed_all_the_same(self):
        read = view([PHANTOM], [DEAD], members={DEAD.id: "blue-web"})

        assert refusal(read) == ("", "")


class TestRestart:
    def test_a_server_that_was_not_there_before_is_a_restart(self):
        watch = Watch(servers={SERVER: NOW - 60 * MINUTE})
        guard, said = refusal(view([PHANTOM], [DEAD], servers=frozenset({NEW_SERVER})), watch)

        assert guard == "restart"
        assert said.startswith("1cm2 10.0.9.2 of Rancher's servers started less than 15 minutes")

    @pytest.mark.parametrize(("since", "is_refused"), [(14, True), (15, False)])
    def test_the_quiet_time_ends(self, since, is_refused):
        watch = Watch(servers={SERVER: NOW - since * MINUTE})
        read = view([PHANTOM], [DEAD], servers=frozenset({SERVER}))

        assert bool(refusal(read, watch)[0]) is is_refused

    def test_the_first_servers_ever_seen_are_taken_for_old(self):
        read = view([PHANTOM], [DEAD], servers=frozenset({SERVER}))
        watch = assess(read, RULE, Watch()).watch

        assert refusal(read) == ("", "")
        assert refusal(read, watch) == ("", "")

    def test_a_new_servers_time_counts_from_when_it_was_first_seen(self):
        both = frozenset({SERVER, NEW_SERVER})
        watch = assess(view([], [], servers=both), RULE, Watch(servers={SERVER: NOW})).watch
        later = view([PHANTOM], [DEAD], servers=both, now=NOW + 14 * MINUTE)

        assert refusal(later, watch)[0] == "restart"
        assert refusal(replace(later, now=NOW + 15 * MINUTE), watch)[0] == ""

    @pytest.mark.parametrize(
        ("changed", "is_refused"),
        [
            pytest.param({"launched": NOW - 14 * MINUTE}, True, id="a server's machine"),
            pytest.param({"launched": NOW + 14 * MINUTE}, True, id="its clock is ahead"),
            pytest.param({"launched": NOW - 15 * MINUTE}, False, id="long enough ago"),
            pytest.param({"launched": NOW, "pool": "web"}, False, id="a host's machine"),
            pytest.param({"launched": NOW, "cluster": "dev"}, False, id="another cluster's"),
            pytest.param({"launched": NOW, "state": "terminated"}, False, id="a dead one"),
        ],
    )
    def test_a_young_machine_of_a_server_is_a_restart(self, changed, is_refused):
        read = view([PHANTOM], [DEAD, replace(CONTROL, **changed)])

        assert bool(refusal(read)[0]) is is_refused

    def test_nobody_asks_while_every_host_is_connected(self):
        watch = Watch(servers={SERVER: NOW})
        leaving = host(2, "removed", state="removing")

        assert refusal(view([leaving], [], servers=frozenset({NEW_SERVER})), watch) == ("", "")


class TestMassDisconnect:
    @staticmethod
    def herd(connected: int, silent: int, agent: str = "disconnected") -> View:
        numbers = range(1, connected + silent + 1)
        hosts = [host(n, "active" if n <= connected else agent) for n in numbers]
        return only(hosts, [*map(instance, numbers), CONTROL])

    @pytest.mark.parametrize(
        ("connected", "silent", "is_refused"),
        [(5, 5, False), (5, 6, True), (4, 5, True), (1, 1, False), (0, 1, True), (0, 9, True)],
    )
    def test_more_than_half_of_those_that_run_must_answer(self, connected, silent, is_refused):
        guard, said = refusal(self.herd(connected, silent))

        assert guard == ("mass" if is_refused else "")
        assert (f"{silent} of {silent + connected} hosts" in said) is is_refused

    def test_quiet_counts_like_lost(self):
        assert refusal(self.herd(0, 3, "reconnecting"))[0] == "mass"

    @pytest.mark.parametrize("agent", ["finishing-reconnect", "registering", "activating"])
    def test_coming_up_is_not_silent(self, agent):
        assert refusal(self.herd(0, 3, agent)) == ("", "")

    @pytest.mark.parametrize("state", ["stopped", "terminated", "shutting-down"])
    def test_machines_that_do_not_run_are_not_counted(self, state):
        numbers = range(1, 4)
        hosts = [host(n, "disconnected") for n in numbers]

        assert refusal(view(hosts, [instance(n, state) for n in numbers]))[0] == ""

    def test_rows_on_their_way_out_are_not_counted(self):
        herd = self.herd(1, 2)
        going = [replace(one, state="removing") for one in herd.hosts[1:]]

        assert refusal(replace(herd, hosts=[herd.hosts[0], *going])) == ("", "")


class TestCanary:
    def test_connected_hosts_of_which_none_is_found_are_refused(self):
        guard, said = refusal(NO_HOST_FOUND)

        assert guard == "canary"
        assert "none of the 9 connected hosts as running in account 123456789012" in said

    @pytest.mark.parametrize("state", ["terminated", "stopped", "pending"])
    def test_it_has_to_be_found_running(self, state):
        one = host(2)
        read = only([PHANTOM, one], [DEAD, instance(2, state), CONTROL])

        assert refusal(read)[0] == "canary"

    def test_one_that_is_found_is_enough(self):
        read = only([PHANTOM, host(2)], [DEAD, instance(2)])

        assert refusal(read) == ("", "")

    def test_a_herd_without_a_connected_host_proves_no_death(self):
        guard, said = refusal(only([PHANTOM], [DEAD, CONTROL]))

        assert guard == "canary"
        assert "If the herd is meant to be empty, remove them in Rancher by hand" in said

    def test_an_ambiguous_host_is_no_canary(self):
        twins = [host(2), host(3, labels=host(2).labels)]

        assert refusal(only([PHANTOM, *twins], [DEAD, instance(2)]))[0] == "canary"

    def test_a_herd_that_is_only_stopped_needs_none(self):
        read = only([PHANTOM], [instance(1, "stopped"), CONTROL])

        assert refusal(read) == ("", "")


class TestOneCauseSpeaksOnce:
    def test_an_empty_list_hides_what_follows_from_it(self):
        watch = Watch(servers={SERVER: NOW})
        read = replace(NOTHING_LISTED, servers=frozenset({NEW_SERVER}))

        assert refusal(read, watch)[0] == "empty-ec2"

    def test_a_restart_hides_that_most_are_silent(self):
        watch = Watch(servers={SERVER: NOW - 60 * MINUTE})
        silent = [host(n, "reconnecting") for n in range(1, 5)]
        read = View(
            silent, [instance(n) for n in range(1, 5)], [], NOW, {}, frozenset({NEW_SERVER})
        )

        assert refusal(read, watch)[0] == "restart"

    def test_that_all_are_silent_hides_that_there_is_no_canary(self):
        silent = [host(n, "disconnected") for n in range(2, 6)]
        read = only([PHANTOM, *silent], [DEAD, *(instance(n) for n in range(2, 6))])

        assert refusal(read)[0] == "mass"

    @pytest.mark.parametrize(
        ("read", "settled"),
        [
            pytest.param(NOTHING_LISTED, {"empty-ec2"}, id="the first guard"),
            pytest.param(
                NO_HOST_FOUND,
                {"empty-ec2", "short-ec2", "restart", "mass", "canary"},
                id="the last guard",
            ),
        ],
    )
    def test_what_was_not_asked_is_not_settled(self, read, settled):
        assessment = assess(read, RULE, Watch())

        assert assessment.settled == settled | {"remover"}
        assert [problem.kind for problem in assessment.problems] == [assessment.refusals[0].guard]

    def test_without_a_refusal_everything_is_settled(self):
        assert assessed([PHANTOM], [DEAD]).settled == {
            "empty-ec2", "short-ec2", "restart", "mass", "canary", "remover",
            "over-cap", "stuck", "missing", "ambiguous", "vetoed",
        }  # fmt: skip


def test_a_refused_run_still_says_what_each_host_is():
    findings = assess(NO_HOST_FOUND, RULE, Watch()).findings

    assert {finding.verdict for finding in findings} == {Verdict.VETOED, Verdict.AMBIGUOUS}
