"""What the tasks around Terraform decide themselves; nothing here runs a flow."""

import pytest

from corral.clients.terraform import StackResult
from corral.domain.plans import Approval, PlanSummary
from corral.domain.stacks import Vpc
from corral.errors import PrerequisiteError, TerraformError, UnsafePlanError
from corral.settings import Settings, load_cluster_spec
from tasks.clusters import read_consent
from tasks.stacks import outputs_of
from tasks.terraform import Consent, End, _results

SPEC = load_cluster_spec("lab", Settings())
GOOD = StackResult({}, PlanSummary("good"), 1.0)


def results(*ends: End) -> list[StackResult]:
    return _results(dict(zip("abc", ends, strict=False)))


def test_stacks_that_succeed_are_returned_in_their_order():
    other = StackResult({}, PlanSummary("other"), 1.0)

    assert results(GOOD, other) == [GOOD, other]


def test_one_that_fails_keeps_its_own_error():
    with pytest.raises(UnsafePlanError):
        results(GOOD, UnsafePlanError("b", ["no"]))


def test_all_that_fail_are_named():
    with pytest.raises(TerraformError) as caught:
        results(UnsafePlanError("a", ["no"]), GOOD, TerraformError("broke"))

    assert str(caught.value).startswith("2 stacks failed:\n  a: The plan of a is refused")
    assert str(caught.value).endswith("\n  c: broke")


def test_outputs_of_another_version_are_said():
    with pytest.raises(TerraformError, match=r"outputs of lab/vpc .* \(vpc_id: Field required; "):
        outputs_of(Vpc.of(SPEC), {})


def test_an_approval_names_a_stack_of_its_cluster():
    pool = f"host-pool/{SPEC.pools[0].name}"
    approval = Approval(pool, "aws_autoscaling_group.this")

    assert read_consent(SPEC, [str(approval)], ask=False) == Consent((approval,), ask=False)


def test_all_approvals_that_can_approve_nothing_are_told_at_once():
    with pytest.raises(PrerequisiteError) as caught:
        read_consent(SPEC, ["aws_vpc.this", "host-pool/none:aws_autoscaling_group.this"], ask=True)

    assert "`aws_vpc.this` is no STACK:ADDRESS" in str(caught.value)
    assert "the stack `host-pool/none`; there are vpc, security-groups, " in str(caught.value)
