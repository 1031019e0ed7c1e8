"""What each host is, going by both witnesses."""

from dataclasses import replace

import pytest
from herd_samples import (
    LONG_AGO,
    MINUTE,
    NOW,
    RULE,
    assessed,
    found,
    host,
    instance,
    instance_id,
    labels,
)

from corral.domain.herd import Evidence, Verdict, Watch

RECORD = "Terminating EC2 instance: i-00000001 - Successful at 11:00."
DEAD = [instance(1, "terminated")]
NOT_DEAD_AGENTS = [
    "",
    "active",
    "reconnecting",
    "finishing-reconnect",
    "reconnected",
    "disconnecting",
    "registering",
    "activating",
    "deactivating",
    "inactive",
    "removed",
    "Disconnected",
]
ALIVE_STATES = ["pending", "running", "shutting-down", "stopping", "stopped", "rebooting", ""]


class TestTwoWitnesses:
    """Only a lost agent and a dead instance together are a phantom."""

    def test_a_lost_agent_of_a_terminated_instance_is_orphaned(self):
        finding = found(host(1, "disconnected"), [instance(1, "terminated")])

        assert (finding.verdict, finding.evidence) == (Verdict.ORPHANED, Evidence.TERMINATED)
        assert finding.reason == (
            "EC2 says that i-00000001 is terminated, and Rancher has given up its agent."
        )
        assert finding.pool == "web"

    @pytest.mark.parametrize("state", ["inactive", "error", "erroring", "updating-active"])
    def test_whatever_was_done_with_the_row_it_is_orphaned(self, state):
        """A run that died after deactivating is finished by the next."""
        taken_out = host(1, "disconnected", state=state)

        assert found(taken_out, [instance(1, "terminated")]).verdict is Verdict.ORPHANED

    @pytest.mark.parametrize("agent", NOT_DEAD_AGENTS)
    @pytest.mark.parametrize("state", ["active", "inactive"])
    def test_any_other_state_of_the_agent_vetoes(self, agent, state):
        one = host(1, agent, state=state)

        assert found(one, [instance(1, "terminated")]).verdict is Verdict.DYING
        assert not assessed([one], [instance(1, "terminated")]).removals

    @pytest.mark.parametrize(
        "agent",
        ["registering", "activating", "requested", "", "inactive", "error", "disconnecting"],
    )
    @pytest.mark.parametrize(
        ("instances", "records"),
        [(DEAD, {}), ([], {instance_id(1): RECORD})],
        ids=["terminated", "recorded"],
    )
    def test_an_agent_that_never_was_there_is_waited_for_no_longer_than_anything(
        self, agent, instances, records
    ):
        one, lasting = host(1, agent), Watch(dying={"1h1": NOW - RULE.stuck_after})
        read = {"records": records}

        assert found(one, instances, **read).verdict is Verdict.DYING
        assert found(one, instances, lasting, **read).verdict is Verdict.ORPHANED
        assert found(one, instances, lasting, **read).reason.endswith(
            f"and its agent, which is {agent or 'unknown'}, has not answered since."
        )

    @pytest.mark.parametrize(
        "agent", ["active", "reconnecting", "reconnected", "finishing-reconnect", "updating-active"]
    )
    def test_an_agent_that_rancher_hears_or_waits_for_vetoes_for_ever(self, agent):
        watch = Watch(dying={"1h1": LONG_AGO})

        assert not assessed([host(1, agent)], DEAD, watch).removals

    @pytest.mark.parametrize("agent", ["registering", ""])
    def test_absence_alone_never_makes_up_for_an_agent_that_was_not_given_up(self, agent):
        watch = Watch(dying={"1h1": LONG_AGO}, absent={"1h1": LONG_AGO})

        assert not assessed([host(1, agent)], [], watch).removals

    @pytest.mark.parametrize("state", ALIVE_STATES)
    @pytest.mark.parametrize("agent", ["disconnected", "reconnecting", "active"])
    def test_any_other_state_of_the_instance_vetoes(self, agent, state):
        assert not assessed([host(1, agent)], [instance(1, state)]).removals

    def test_a_record_of_an_instance_that_lives_proves_nothing(self):
        read = {"records": {instance_id(1): RECORD}}

        assert found(host(1, "disconnected"), [instance(1)], **read).verdict is Verdict.SILENT


class TestAbsence:
    """EC2 does not know the instance, not even by its id."""

    def test_the_groups_record_is_proof(self):
        finding = found(host(1, "disconnected"), [], records={instance_id(1): RECORD})

        assert (finding.verdict, finding.evidence) == (Verdict.ORPHANED, Evidence.RECORDED)
        assert "its group noted: Terminating EC2 instance: i-00000001" in finding.reason

    def test_absence_alone_is_weak(self):
        finding = found(host(1, "disconnected"), [])

        assert (finding.verdict, finding.evidence) == (Verdict.ORPHANED, Evidence.ABSENT)

    @pytest.mark.parametrize("missing", ["aws.account_id", "aws.region"])
    def test_of_a_host_that_may_be_of_another_place_it_proves_nothing(self, missing):
        own = {name: value for name, value in labels(1).items() if name != missing}
        finding = found(host(1, "disconnected", labels=own), [])

        assert finding.verdict is Verdict.AMBIGUOUS
        assert missing in finding.reason

    def test_of_such_a_host_the_terminated_instance_is_still_proof(self):
        own = {"aws.instance_id": instance_id(1)}
        silent = host(1, "disconnected", labels=own)

        assert found(silent, [instance(1, "terminated")]).verdict is Verdict.ORPHANED

    @pytest.mark.parametrize("created", [NOW - RULE.join_grace + MINUTE, NOW + 60 * MINUTE])
    def test_of_a_host_that_joined_just_now_it_proves_nothing(self, created):
        finding = found(host(1, "disconnected", created=created), [])

        assert finding.verdict is Verdict.AMBIGUOUS

    def test_while_a_living_host_is_absent_too_it_proves_nothing(self):
        finding = found(host(1, "disconnected"), [], beside=[host(2)])

        assert finding.verdict is Verdict.AMBIGUOUS
        assert "it does not know i-00000002 of host 1h2 either" in finding.reason

    def test_while_a_living_host_is_absent_proof_still_counts(self):
        gone = [instance(1, "terminated")]

        assert found(host(1, "disconnected"), gone, beside=[host(2)]).verdict is Verdict.ORPHANED

    def test_a_living_host_vetoes_it_at_once(self):
        finding = found(host(1), [])

        assert finding.verdict is Verdict.VETOED
        assert "its agent answers" in finding.reason

    @pytest.mark.parametrize("agent", ["reconnecting", "registering"])
    def test_rancher_has_to_give_up_the_agent_first(self, agent):
        assert found(host(1, agent), []).verdict is Verdict.DYING


class TestAnAgentThatAnswersForADeadInstance:
    """Just after its end every machine looks so."""

    def test_it_is_dying_while_rancher_has_not_noticed(self):
        assert found(host(1), DEAD).verdict is Verdict.DYING

    def test_it_is_vetoed_when_that_lasts(self):
        watch = Watch(dying={"1h1": NOW - RULE.stuck_after})

        assert found(host(1), DEAD, watch).verdict is Verdict.VETOED


@pytest.mark.parametrize(
    ("agent", "state", "changed", "verdict"),
    [
        pytest.param("active", "running", {}, Verdict.HEALTHY, id="in order"),
        pytest.param("active", "running", {"launched": NOW}, Verdict.HEALTHY, id="young"),
        pytest.param("active", "pending", {}, Verdict.HEALTHY, id="EC2 is late"),
        pytest.param("disconnected", "running", {}, Verdict.SILENT, id="lost"),
        pytest.param("reconnecting", "running", {}, Verdict.SILENT, id="quiet"),
        pytest.param("reconnecting", "running", {"launched": NOW}, Verdict.SILENT, id="quiet soon"),
        pytest.param("", "running", {}, Verdict.SILENT, id="no agent"),
        pytest.param("registering", "running", {"launched": NOW}, Verdict.JOINING, id="joining"),
        pytest.param("registering", "running", {}, Verdict.SILENT, id="joining for ever"),
        pytest.param("disconnected", "pending", {}, Verdict.JOINING, id="started again"),
        pytest.param("disconnected", "stopped", {}, Verdict.STOPPED, id="stopped"),
        pytest.param("disconnected", "stopping", {}, Verdict.STOPPED, id="stopping"),
        pytest.param("active", "stopped", {}, Verdict.STOPPED, id="stopped a moment ago"),
        pytest.param("active", "shutting-down", {}, Verdict.LEAVING, id="ending"),
        pytest.param("disconnected", "shutting-down", {}, Verdict.LEAVING, id="ending, lost"),
        pytest.param("disconnected", "rebooting", {}, Verdict.SILENT, id="unheard-of state"),
    ],
)
def test_a_living_instance_makes_its_host(agent, state, changed, verdict):
    one = host(1, agent)

    assert found(one, [instance(1, state, **changed)]).verdict is verdict


def test_a_sound_host_that_is_out_of_service_is_shown_and_nobody_is_told():
    assessment = assessed([host(1, state="inactive")], [instance(1)])
    finding = next(one for one in assessment.findings if one.host and one.host.id == "1h1")

    assert finding.verdict is Verdict.INACTIVE
    assert "taken out of service" in finding.reason
    assert assessment.problems == ()


def test_only_a_healthy_host_needs_no_reason():
    findings = assessed([host(1, "disconnected"), host(2, "")], [instance(2)]).findings

    assert all(bool(f.reason) is (f.verdict is not Verdict.HEALTHY) for f in findings)


class TestHalfWayThroughRemoval:
    """Somebody has begun to remove the host."""

    @pytest.mark.parametrize("state", ["removing", "removed", "purging", "purged"])
    @pytest.mark.parametrize("agent", ["active", "disconnected", "removed"])
    def test_a_row_on_its_way_out_is_left_alone(self, state, agent):
        finding = found(host(1, agent, state=state), DEAD)

        assert finding.verdict is Verdict.LEAVING
        assert not assessed([finding.host], DEAD).removals

    def test_a_row_with_a_date_of_removal_is_left_alone(self):
        assert found(host(1, "disconnected", is_removed=True), DEAD).verdict is Verdict.LEAVING

    @pytest.mark.parametrize("instances", [[instance(1)], DEAD, []], ids=["alive", "dead", "gone"])
    def test_a_row_that_stays_in_removing_is_stuck(self, instances):
        watch = Watch(moving={"1h1": NOW - RULE.stuck_after})
        row = host(1, "disconnected", state="removing", actions=frozenset())

        assert found(row, instances, watch).verdict is Verdict.STUCK

    def test_until_then_it_is_leaving(self):
        watch = Watch(moving={"1h1": NOW - RULE.stuck_after + MINUTE})

        assert found(host(1, state="removing"), DEAD, watch).verdict is Verdict.LEAVING

    def test_a_dead_row_that_stays_in_deactivating_is_removed_if_rancher_lets_it(self):
        watch = Watch(moving={"1h1": LONG_AGO})
        row = host(1, "disconnected", state="deactivating", actions=frozenset({"remove"}))

        assert found(row, DEAD, watch).verdict is Verdict.ORPHANED

    def test_else_it_is_stuck(self):
        watch = Watch(moving={"1h1": LONG_AGO})
        row = host(1, "disconnected", state="deactivating", actions=frozenset())

        assert found(row, DEAD, watch).verdict is Verdict.STUCK

    def test_a_living_row_that_stays_in_deactivating_is_stuck_and_stays(self):
        watch = Watch(moving={"1h1": LONG_AGO})
        row = host(1, state="deactivating", actions=frozenset({"remove"}))
        assessment = assessed([row], [instance(1)], watch)

        assert found(row, [instance(1)], watch).verdict is Verdict.STUCK
        assert not assessment.removals

    def test_a_row_that_has_left_its_state_is_not_stuck(self):
        watch = Watch(moving={"1h1": LONG_AGO})

        assert found(host(1), [instance(1)], watch).verdict is Verdict.HEALTHY


def test_an_instance_without_a_host_is_joining_first_and_missing_then():
    young = replace(instance(1), launched=NOW - MINUTE)
    findings = assessed([], [young, instance(2)]).findings

    found_without_host = {f.instance_id: f.verdict for f in findings if f.host is None}
    assert found_without_host == {
        instance_id(1): Verdict.JOINING,
        instance_id(2): Verdict.MISSING,
    }
