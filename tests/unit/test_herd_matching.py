"""Which instance is which host, and when nobody can tell."""

import pytest
from herd_samples import (
    CONTROL,
    LONG_AGO,
    MINUTE,
    NOW,
    RULE,
    found,
    host,
    instance,
    instance_id,
    labels,
    view,
)

from corral.domain.herd import Verdict, find_absent, find_missing

DEAD = [instance(1, "terminated")]
NO_LABELS: dict[str, str] = {}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param(
            {"aws.account_id": "999999999999"},
            "aws.account_id is '999999999999', not",
            id="account",
        ),
        pytest.param({"aws.region": "eu-west-1"}, "aws.region is 'eu-west-1', not", id="region"),
    ],
)
def test_a_host_of_another_place_is_foreign_however_dead_its_id_is_here(wrong, said):
    finding = found(host(1, "disconnected", labels={**labels(1), **wrong}), DEAD)

    assert finding.verdict is Verdict.FOREIGN
    assert said in finding.reason


@pytest.mark.parametrize(
    "label", ["i-1", "i-0000000G", "I-00000001", " i-00000001", "i-00000001 ", "web"]
)
def test_a_label_that_is_no_id_is_ambiguous(label):
    silent = host(1, "disconnected", labels={**labels(1), "aws.instance_id": label})

    assert found(silent, DEAD).verdict is Verdict.AMBIGUOUS


def test_two_hosts_of_one_instance_are_ambiguous_both():
    twin = host(2, "disconnected", labels=labels(1))

    one = host(1, "disconnected")

    for finding in (found(one, DEAD, beside=[twin]), found(twin, DEAD, beside=[one])):
        assert finding.verdict is Verdict.AMBIGUOUS
        assert "2 hosts say that they are i-00000001" in finding.reason


@pytest.mark.parametrize("state", ["removing", "removed", "purging", "purged"])
def test_a_row_on_its_way_out_casts_no_doubt_on_the_other(state):
    one, leaving = host(1, "disconnected"), host(2, state=state, labels=labels(1))

    assert found(one, DEAD, beside=[leaving]).verdict is Verdict.ORPHANED


class TestAForgedLabel:
    """The label names a dead instance; is the host another one, which lives?"""

    def test_a_living_instance_at_the_hosts_address_that_is_no_other_host_may_be_it(self):
        real = instance(2, private_ip="10.0.0.1", launched=LONG_AGO)

        finding = found(host(1, "disconnected"), [*DEAD, real])

        assert finding.verdict is Verdict.AMBIGUOUS
        assert "i-00000002 lives at 10.0.0.1" in finding.reason

    def test_the_name_counts_as_much_as_the_address(self):
        real = instance(2, private_ip="", private_dns="ip-10-0-0-1.ec2.internal")

        assert found(host(1, "disconnected"), [*DEAD, real]).verdict is Verdict.AMBIGUOUS

    @pytest.mark.parametrize("state", ["pending", "running", "stopping", "stopped", "hibernating"])
    def test_every_state_but_the_two_last_is_life(self, state):
        real = instance(2, state, private_ip="10.0.0.1")

        assert found(host(1, "disconnected"), [*DEAD, real]).verdict is Verdict.AMBIGUOUS

    @pytest.mark.parametrize("state", ["shutting-down", "terminated"])
    def test_another_dead_one_at_the_address_is_no_doubt(self, state):
        gone = instance(2, state, private_ip="10.0.0.1")

        assert found(host(1, "disconnected"), [*DEAD, gone]).verdict is Verdict.ORPHANED

    def test_a_machine_that_was_stopped_and_started_again_is_still_the_host(self):
        """Every start renews the time of the launch, so a late one proves nothing."""
        restarted = instance(2, private_ip="10.0.0.1", launched=NOW - MINUTE)

        assert found(host(1, "disconnected"), [*DEAD, restarted]).verdict is Verdict.AMBIGUOUS

    def test_an_address_that_a_later_host_was_given_is_no_doubt(self):
        one = host(1, "disconnected")
        successor = host(2, address="10.0.0.1", created=NOW - MINUTE)
        reused = instance(2, private_ip="10.0.0.1", launched=NOW - 5 * MINUTE)

        finding = found(one, [*DEAD, reused], beside=[successor])

        assert finding.verdict is Verdict.ORPHANED

    @pytest.mark.parametrize(
        "claimants",
        [
            pytest.param([host(2)], id="at another address"),
            pytest.param([host(2, "disconnected", address="10.0.0.1")], id="silent as well"),
            pytest.param(
                [host(2, address="10.0.0.1"), host(3, labels=labels(2))], id="beside another"
            ),
        ],
    )
    def test_a_later_host_that_may_be_elsewhere_leaves_the_doubt(self, claimants):
        reused = instance(2, private_ip="10.0.0.1", private_dns="new", launched=NOW)

        finding = found(host(1, "disconnected"), [*DEAD, reused], beside=claimants)

        assert finding.verdict is Verdict.AMBIGUOUS

    def test_an_address_that_was_anothers_when_the_host_joined_is_a_doubt(self):
        one = host(1, "disconnected")
        senior = host(2, address="10.0.0.1")
        shared = instance(2, private_ip="10.0.0.1")

        finding = found(one, [*DEAD, shared], beside=[senior])

        assert finding.verdict is Verdict.AMBIGUOUS

    def test_the_same_address_in_another_clusters_network_is_no_doubt(self):
        stranger = instance(2, private_ip="10.0.0.1", cluster="dev")

        assert found(host(1, "disconnected"), [*DEAD, stranger]).verdict is Verdict.ORPHANED

    @pytest.mark.parametrize(
        ("own", "its", "verdict"),
        [
            pytest.param("vpc-1", "vpc-1", Verdict.AMBIGUOUS, id="in our own"),
            pytest.param("vpc-1", "", Verdict.AMBIGUOUS, id="EC2 does not say where"),
            pytest.param("", "vpc-2", Verdict.AMBIGUOUS, id="nobody knows ours"),
            pytest.param("vpc-1", "vpc-2", Verdict.ORPHANED, id="in another"),
        ],
    )
    def test_an_instance_without_tags_counts_unless_it_is_known_to_be_elsewhere(
        self, own, its, verdict
    ):
        stranger = instance(2, private_ip="10.0.0.1", cluster="", pool="", vpc_id=its)
        ours = instance(3, vpc_id=own)

        assert found(host(1, "disconnected"), [*DEAD, stranger, ours]).verdict is verdict


class TestWithoutALabel:
    """A host that does not say which instance it is."""

    unlabelled = host(1, "disconnected", labels=NO_LABELS)
    dead = instance(1, "terminated", private_ip="10.0.0.1", private_dns="ip-10-0-0-1.ec2.internal")

    def test_nothing_at_its_place_makes_it_foreign(self):
        assert found(self.unlabelled, []).verdict is Verdict.FOREIGN

    def test_no_place_at_all_makes_it_foreign(self):
        nowhere = host(1, "disconnected", labels=NO_LABELS, address="", hostname="")

        assert found(nowhere, [self.dead, instance(2, private_ip="", private_dns="")]).verdict is (
            Verdict.FOREIGN
        )

    @pytest.mark.parametrize(
        "place",
        [
            pytest.param({}, id="name and address"),
            pytest.param({"hostname": ""}, id="address only"),
            pytest.param({"address": ""}, id="name only"),
        ],
    )
    def test_one_dead_instance_at_its_place_is_its_own(self, place):
        silent = host(1, "disconnected", labels=NO_LABELS, **place)

        finding = found(silent, [self.dead])

        assert (finding.verdict, finding.instance_id) == (Verdict.ORPHANED, instance_id(1))

    def test_one_living_instance_at_its_place_is_its_own(self):
        assert found(self.unlabelled, [instance(1)]).verdict is Verdict.SILENT

    def test_a_connected_one_is_healthy_even_if_its_machine_was_started_again(self):
        connected = host(1, labels=NO_LABELS)

        assert found(connected, [instance(1, launched=NOW)]).verdict is Verdict.HEALTHY

    @pytest.mark.parametrize(
        ("instances", "said"),
        [
            pytest.param(
                [dead, instance(2, private_ip="10.0.0.1")],
                "i-00000001 and i-00000002 have its name or address",
                id="two instances",
            ),
            pytest.param(
                [instance(1, "terminated", private_ip="10.0.0.1", launched=NOW)],
                "was launched after it joined",
                id="an instance that is younger",
            ),
            pytest.param(
                [instance(1, "terminated", private_ip="10.0.0.1", private_dns="db1.corp")],
                "it is ip-10-0-0-1.ec2.internal, but i-00000001",
                id="an instance of another name",
            ),
            pytest.param(
                [instance(101, "terminated", private_ip="10.0.0.1")],
                "i-00000065, which has its name or address, is another host",
                id="an instance that is another host",
            ),
        ],
    )
    def test_every_doubt_makes_it_ambiguous(self, instances, said):
        finding = found(self.unlabelled, instances)

        assert finding.verdict is Verdict.AMBIGUOUS
        assert said in finding.reason

    def test_a_second_host_at_the_place_makes_both_ambiguous(self):
        second = host(2, "disconnected", labels=NO_LABELS, address="10.0.0.1")

        for one, other in ((self.unlabelled, second), (second, self.unlabelled)):
            assert found(one, [self.dead], beside=[other]).verdict is Verdict.AMBIGUOUS

    def test_the_instance_of_another_cluster_is_not_its_own(self):
        stranger = instance(1, "terminated", private_ip="10.0.0.1", cluster="dev")

        assert found(self.unlabelled, [stranger]).verdict is Verdict.FOREIGN


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(host(3, labels=NO_LABELS), id="no label"),
        pytest.param(host(3, labels={**labels(3), "aws.instance_id": "*"}), id="a pattern"),
        pytest.param(host(3, labels={**labels(3), "aws.instance_id": "x" * 300}), id="no id"),
        pytest.param(host(3, labels={**labels(3), "aws.region": "eu-west-1"}), id="elsewhere"),
        pytest.param(host(3, labels={**labels(3), "aws.account_id": "9"}), id="another account"),
        pytest.param(host(3, state="removing"), id="on its way out"),
        pytest.param(host(3, is_removed=True), id="removed"),
    ],
)
def test_absent_are_only_ids_of_our_own_staying_hosts_that_ec2_did_not_list(other):
    assert find_absent([host(1), host(2), other], [instance(1)], RULE) == {instance_id(2)}


def test_a_label_is_quoted_as_far_as_a_person_needs_it():
    silent = host(1, "disconnected", labels={"aws.instance_id": "\ud800\N{SNOWMAN}" * 700})

    reason = found(silent, []).reason

    assert "is '?\N{SNOWMAN}?" in reason
    assert len(reason) < 250


class TestMissing:
    """A pool's instances that are no hosts."""

    @pytest.mark.parametrize(
        ("changed", "is_missing"),
        [
            pytest.param({}, True, id="runs long enough"),
            pytest.param({"launched": NOW - RULE.join_grace}, True, id="at the end of its grace"),
            pytest.param({"launched": NOW - RULE.join_grace + MINUTE}, False, id="within it"),
            pytest.param({"launched": NOW + MINUTE}, False, id="launched in the future"),
            pytest.param({"pool": ""}, False, id="a server of Rancher"),
            pytest.param({"cluster": "dev"}, False, id="of another cluster"),
            pytest.param({"cluster": "", "pool": ""}, False, id="of nobody"),
            pytest.param({"state": "pending"}, False, id="starting"),
            pytest.param({"state": "stopped"}, False, id="stopped"),
            pytest.param({"state": "terminated"}, False, id="dead"),
        ],
    )
    def test_only_a_pools_instance_that_had_its_time_is_missing(self, changed, is_missing):
        read = view([], [instance(1, **changed)])

        assert bool(find_missing(read, RULE)) is is_missing

    def test_an_instance_that_its_group_terminates_is_not_missing(self):
        read = view([], [instance(1)], leaving=frozenset({instance_id(1)}))

        assert find_missing(read, RULE) == []

    @pytest.mark.parametrize(
        "one",
        [
            pytest.param(host(1, "disconnected"), id="silent"),
            pytest.param(host(1, state="removing"), id="being removed"),
            pytest.param(host(1, labels=NO_LABELS), id="without a label"),
        ],
    )
    def test_an_instance_with_any_row_is_not_missing(self, one):
        assert find_missing(view([one], [instance(1)]), RULE) == []

    def test_the_servers_of_rancher_are_not_missing(self):
        assert find_missing(view([], [CONTROL]), RULE) == []
