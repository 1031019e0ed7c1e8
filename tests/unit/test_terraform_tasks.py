"""What the tasks around Terraform decide themselves; nothing here runs a flow."""

from types import SimpleNamespace
from typing import Any

import pytest

from corral.domain.plans import PlanSummary
from corral.domain.stacks import SecurityGroupsOutputs, Vpc
from corral.errors import PrerequisiteError, TerraformError, UnsafePlanError
from corral.settings import Settings, load_cluster_spec
from tasks.clusters import _check_permissions
from tasks.terraform import Applied, _all_applied, _read_outputs

SPEC = load_cluster_spec("lab", Settings())
OUTPUTS = SecurityGroupsOutputs(
    load_balancer_group_id="sg-1",
    control_group_id="sg-2",
    hosts_group_id="sg-3",
    database_group_id="sg-4",
)
GOOD = Applied("good", OUTPUTS, PlanSummary("good"))


class Ended:
    """A run that has ended, as Prefect's futures show it."""

    def __init__(self, end: Applied[Any] | Exception) -> None:
        self._end = end

    def result(self) -> Applied[Any]:
        if isinstance(self._end, Exception):
            raise self._end
        return self._end


def all_applied(*ends: Applied[Any] | Exception) -> list[Applied[Any]]:
    stacks: list[Any] = [SimpleNamespace(name=name) for name in "abc"[: len(ends)]]
    runs: list[Any] = [Ended(end) for end in ends]
    return _all_applied(stacks, runs)


def test_stacks_that_succeed_are_returned_in_their_order():
    assert all_applied(GOOD, GOOD) == [GOOD, GOOD]


def test_one_that_fails_keeps_its_own_error():
    with pytest.raises(UnsafePlanError):
        all_applied(GOOD, UnsafePlanError("b", ["no"]))


def test_all_that_fail_are_named():
    with pytest.raises(TerraformError) as caught:
        all_applied(UnsafePlanError("a", ["no"]), GOOD, TerraformError("broke"))

    assert str(caught.value).startswith("2 stacks failed:\n  a: The plan of a is refused")
    assert str(caught.value).endswith("\n  c: broke")


def test_outputs_of_another_version_are_said():
    with pytest.raises(TerraformError, match=r"outputs of lab/vpc .* \(vpc_id: Field required; "):
        _read_outputs(Vpc.of(SPEC), {})


def test_what_a_run_is_allowed_names_a_stack_of_its_cluster():
    pool = f"host-pool/{SPEC.pools[0].name}"
    _check_permissions(SPEC, [f"{pool}:aws_autoscaling_group.this"])

    with pytest.raises(PrerequisiteError) as caught:
        _check_permissions(SPEC, ["aws_vpc.this", "host-pool/none:aws_autoscaling_group.this"])

    assert "`aws_vpc.this` is no STACK:ADDRESS" in str(caught.value)
    assert "the stack `host-pool/none`; there are vpc, security-groups, " in str(caught.value)
