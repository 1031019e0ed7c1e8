import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from corral.domain.drift import Cause, Looks, find_deviations
from corral.errors import TerraformError

DATA = Path(__file__).parent.parent / "data" / "terraform"
NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


def read(name: str) -> dict[str, Any]:
    return json.loads((DATA / f"{name}.json").read_text())


def told(document: dict[str, Any], cause: Cause) -> list[str]:
    return [str(one) for one in find_deviations(document) if one.cause is cause]


def plan_of(actions: list[str], before: object, after: object, **more: Any) -> dict[str, Any]:
    """Return a plan with one change, and with what was drift before it."""
    drift = more.pop("drift", None)
    entry = {"address": "aws_it.this", "mode": "managed", "type": "aws_it"}
    change = {"actions": actions, "before": before, "after": after, **more.pop("marks", {})}
    return {
        "format_version": "1.2",
        "resource_changes": [{**entry, **more, "change": change}],
        "resource_drift": [{**entry, "change": drift}] if drift else [],
    }


def drift_of(before: object, after: object, *actions: str) -> dict[str, Any]:
    return {"actions": list(actions or ["update"]), "before": before, "after": after}


# Real plans, recorded


@pytest.mark.parametrize("name", ["security-groups", "vpc", "host-pool"])
def test_what_terraform_learned_of_its_own_resources_is_no_drift(name):
    document = read(f"no-drift-{name}")

    assert document["resource_drift"]
    assert find_deviations(document) == ()


def test_rules_that_were_added_to_groups_are_told_by_what_they_let_through():
    assert told(read("drift-security-groups"), Cause.BY_HAND) == [
        'aws_vpc_security_group_ingress_rule.control_from_control["membership"] deleted',
        "aws_security_group.control added to: ingress: (none) -> tcp 22 from sg-dd4fb2c5d1ae8e0ac",
        (
            "aws_security_group.database added to: ingress: (none) -> tcp 3306 from 192.0.2.0/24;"
            " egress: (none) -> everything to 0.0.0.0/0"
        ),
        "aws_security_group.load_balancer added to: ingress: (none) -> tcp 443 from 0.0.0.0/0",
    ]


def test_changes_of_the_variables_are_told_apart_from_those_by_hand():
    rule = "aws_vpc_security_group_ingress_rule"
    gone = "would be destroyed (its key is no longer in for_each)"

    assert told(read("drift-security-groups"), Cause.WAITING) == [
        f'{rule}.database_from_admins["192.0.2.9/32"] would be created',
        f'{rule}.database_from_admins["203.0.113.0/24"] would be created',
        f'{rule}.load_balancer_from_visitors["443 from 192.0.2.9/32"] would be created',
        f'{rule}.load_balancer_from_visitors["443 from 198.51.100.7/32"] {gone}',
        f'{rule}.load_balancer_from_visitors["80 from 192.0.2.9/32"] would be created',
        f'{rule}.load_balancer_from_visitors["80 from 198.51.100.7/32"] {gone}',
    ]


def test_attributes_and_routes_of_a_network_are_told_before_and_after():
    assert told(read("drift-vpc"), Cause.BY_HAND) == [
        "aws_cloudwatch_log_group.flow changed: retention_in_days: 90 -> 1",
        (
            'aws_network_acl.tier["database"] changed: ingress: (none) -> {"action": "allow",'
            ' "cidr_block": "0.0.0.0/0", "from_port": 22, "protocol": "tcp", "rule_no": 50,'
            ' "to_port": 22}'
        ),
        "aws_vpc.this changed: tags.Name: lab-vpc -> mine; tags.Owner: (none) -> me",
        "aws_default_security_group.closed added to: ingress: (none) -> tcp 22 from 0.0.0.0/0",
        (
            "aws_route_table.database added to: route: (none) -> 0.0.0.0/0 through"
            " igw-816f44072f3c0b58d"
        ),
        (
            "aws_route_table.public added to: route: (none) -> 192.0.2.0/24 through"
            " igw-816f44072f3c0b58d"
        ),
    ]


def test_an_attribute_that_was_changed_by_hand_may_wait_for_another_value():
    assert told(read("drift-vpc"), Cause.WAITING) == [
        "aws_cloudwatch_log_group.flow would be changed: retention_in_days: 1 -> 30"
    ]


def test_policies_that_were_added_to_a_role_are_told_by_name():
    found = told(read("drift-host-pool"), Cause.BY_HAND)

    assert found[-1] == (
        "aws_iam_role.machine added to: inline_policy: (none) -> everything;"
        " managed_policy_arns: (none) -> arn:aws:iam::aws:policy/AdministratorAccess"
    )
    assert 'aws_cloudwatch_event_rule.drain["terminating"] deleted' in found


def test_the_size_of_a_pool_that_scales_is_no_drift_but_its_bounds_are():
    found = told(read("drift-host-pool"), Cause.BY_HAND)

    assert "aws_autoscaling_group.hosts changed: max_size: 6 -> 9" in found


def test_what_only_follows_from_a_deletion_waits_for_nobody():
    document = read("drift-host-pool")

    assert told(document, Cause.WAITING) == []
    (follower,) = told(document, Cause.FOLLOWS)
    assert follower.startswith("aws_sqs_queue.terminations would be changed: policy: ")


def test_no_sensitive_value_is_in_what_is_found():
    found = find_deviations(read("drift-sensitive"))

    assert [str(one) for one in found] == [
        "aws_sqs_queue.inbox changed: tags.Word: (sensitive) -> (sensitive)",
        (
            "aws_ssm_parameter.word changed: description: A word -> Another word;"
            " value: (sensitive) -> (sensitive)"
        ),
    ]
    assert not any(word in repr(found) for word in ("hunter", "sesame"))


# Single changes


def test_an_attribute_that_an_apply_would_leave_is_no_drift():
    document = plan_of(["no-op"], {"a": 2}, {"a": 2}, drift=drift_of({"a": 1}, {"a": 2}))

    assert find_deviations(document) == ()


def test_a_change_of_one_tag_by_hand_and_of_another_in_the_files_are_both_told():
    document = plan_of(
        ["update"],
        {"tags": {"Name": "mine", "Stage": "old"}},
        {"tags": {"Name": "ours", "Stage": "new"}},
        drift=drift_of(
            {"tags": {"Name": "ours", "Stage": "old"}}, {"tags": {"Name": "mine", "Stage": "old"}}
        ),
    )

    assert told(document, Cause.BY_HAND) == ["aws_it.this changed: tags.Name: ours -> mine"]
    assert told(document, Cause.WAITING) == ["aws_it.this would be changed: tags.Stage: old -> new"]


def test_an_attribute_that_forces_a_replacement_is_told_by_hand_if_it_was():
    document = plan_of(
        ["delete", "create"],
        {"zone": "b", "id": "x"},
        {"zone": "a"},
        marks={"after_unknown": {"id": True}, "replace_paths": [["zone"]]},
        action_reason="replace_because_cannot_update",
        drift=drift_of({"zone": "a", "id": "x"}, {"zone": "b", "id": "x"}),
    )

    assert told(document, Cause.BY_HAND) == ["aws_it.this changed: zone: a -> b"]
    assert told(document, Cause.WAITING) == []


def test_a_resource_whose_creation_was_interrupted_waits():
    document = plan_of(
        ["delete", "create"],
        {"id": "x"},
        {},
        marks={"after_unknown": {"id": True}},
        action_reason="replace_because_tainted",
    )

    assert told(document, Cause.WAITING) == [
        "aws_it.this would be replaced (its creation was interrupted or failed)"
    ]


def test_a_resource_that_is_gone_and_that_nobody_wants_any_more_is_no_drift():
    document = plan_of(["no-op"], None, None, drift=drift_of({"id": "x"}, None, "delete"))

    assert find_deviations(document) == ()


def test_outputs_that_change_alone_wait():
    document = {
        "format_version": "1.2",
        "output_changes": {"url": {"actions": ["update"]}, "port": {"actions": ["no-op"]}},
    }

    assert told(document, Cause.WAITING) == ["outputs would change: url"]


def test_a_format_that_nobody_knows_is_refused_even_if_nothing_changed():
    with pytest.raises(TerraformError, match=r"format 2\.0"):
        find_deviations({"format_version": "2.0"})


# What is kept between runs


def test_stacks_that_were_not_looked_at_for_longest_come_first():
    looks = Looks(begun={"vpc": NOW, "database": NOW - timedelta(days=2)})

    assert looks.in_order(["vpc", "database", "new"]) == ["new", "database", "vpc"]


def test_a_look_that_begins_counts_and_stacks_that_are_gone_are_forgotten():
    looks = Looks(begun={"vpc": NOW, "host-pool/old": NOW})

    kept = looks.with_look("vpc", NOW + timedelta(days=1), ["vpc", "database"])

    assert kept.begun == {"vpc": NOW + timedelta(days=1)}
