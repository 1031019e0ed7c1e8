from pathlib import Path

import pytest

from corral.clients.terraform import Backend, StackJob, find_drift
from corral.domain.drift import Cause, Deviation
from corral.errors import TerraformError
from tests.engine.stub_engine import NO_CHANGE
from tests.engine.terraform_bench import Bench


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    for name in ("TF_CLI_CONFIG_FILE", "AWS_ENDPOINT_URL", "TF_PLUGIN_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    return Bench(tmp_path)


def look(bench: Bench) -> tuple[Deviation, ...]:
    job = StackJob(bench.folder, "lab/vpc", {}, Backend("states", "us-east-1"), {})
    return find_drift(job, bench.settings, listen=bench.events.append)


def test_a_look_plans_without_a_lock_and_applies_nothing(bench):
    bench.engine.play(
        plan={"lines": "plan-changes.jsonl", "code": 2}, show={"lines": "drift-vpc.json"}
    )

    found = look(bench)

    assert bench.engine.commands == ["init", "plan", "show"]
    argv = bench.engine.happened("plan")[0].argv
    assert "-lock=false" in argv
    assert not [word for word in argv if word.startswith("-lock-timeout")]
    assert {one.cause for one in found} == {Cause.BY_HAND, Cause.WAITING}


def test_a_plan_without_changes_is_read_for_what_was_added_all_the_same(bench):
    bench.engine.play(plan=NO_CHANGE, show={"lines": "drift-security-groups.json"})

    found = look(bench)

    assert "aws_security_group.database" in {one.address for one in found}


def test_a_plan_that_fails_is_no_look(bench):
    bench.engine.play(plan={"stderr": "panic: out of luck", "code": 1})

    with pytest.raises(TerraformError, match="out of luck"):
        look(bench)
