"""A run that died at a stack: its lock is broken if that is proven, what it made is adopted."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from corral.clients.machine import Whereabouts
from corral.domain.adoption import Found
from corral.domain.holders import Record
from corral.errors import StateLockedError, TerraformError
from tests.engine.stub_engine import NO_CHANGE
from tests.engine.terraform_bench import Bench

RECORD, LOCK = "lab/vpc.holder.json", "lab/vpc.tfstate.tflock"
CREATIONS = {"lines": "plan-creations.jsonl", "code": 2}
SHOWN = {"lines": "plan.json"}
CREATING = {"lines": "plan-creating.json"}
LOCKED = {"lines": "plan-locked.jsonl", "code": 1}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    for name in ("TF_CLI_CONFIG_FILE", "AWS_ENDPOINT_URL", "TF_PLUGIN_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    return Bench(tmp_path)


def record_of(bench: Bench) -> Record:
    found = bench.shelf.read(RECORD)
    assert found
    return Record.model_validate_json(found[0])


def leave_lock(bench: Bench, *, created: datetime | None = None, host: str = "") -> None:
    """Leave a lock behind, as Terraform writes it."""
    lock = {
        "ID": "9f0c2c5e",
        "Operation": "OperationTypeApply",
        "Who": f"root@{host or Whereabouts.here().host}",
        "Created": (created or datetime.now(UTC))
        .isoformat(timespec="microseconds")
        .replace("+00:00", "789Z"),
    }
    bench.shelf.write(LOCK, json.dumps(lock))


def die_at_apply(bench: Bench, **facts: object) -> None:
    """Have a run that dies at an apply, Terraform and all, and leaves a lock."""
    bench.engine.play(plan=CREATIONS, apply={"code": 1})
    with pytest.raises(TerraformError):
        bench.run(name="first")
    record = record_of(bench)
    holder = record.holders[-1]
    process = dict(holder.process) | {"pid": 2**22 + 1} | facts
    dead = holder.model_copy(update={"ended": None, "process": process})
    bench.shelf.write(RECORD, record.model_copy(update={"holders": (dead,)}).model_dump_json())


def test_who_works_on_a_state_is_written_down_beside_it(bench):
    bench.engine.play(plan=CREATIONS, show=SHOWN, apply={})

    bench.run(name="first")

    (holder,) = record_of(bench).holders
    assert (holder.run, holder.name, holder.host) == ("id-of-first", "first", os.uname().nodename)
    assert holder.ended
    assert not record_of(bench).is_unsettled


def test_the_lock_of_a_dead_run_is_broken_with_a_record(bench):
    die_at_apply(bench)
    leave_lock(bench)
    bench.engine.play(plan=CREATIONS, show=SHOWN, apply={})

    bench.run(name="second")

    assert bench.shelf.read(LOCK) is None
    (breaking,) = record_of(bench).broken
    assert bench.broken == [breaking]
    assert "is gone from" in breaking.proof
    assert "nobody works in its working copy" in breaking.proof
    assert breaking.by == "second"
    assert not record_of(bench).is_unsettled


def test_a_run_that_ended_although_its_terraform_was_killed_leaves_a_lock_that_is_broken(bench):
    bench.engine.play(plan=CREATIONS, apply={"code": 1})
    with pytest.raises(TerraformError):
        bench.run(name="first")
    leave_lock(bench)
    bench.ends["id-of-first"] = datetime.now(UTC)
    bench.engine.play(plan=CREATIONS, show=SHOWN, apply={})

    bench.run(name="second")

    assert bench.shelf.read(LOCK) is None


@pytest.mark.parametrize(
    ("facts", "lock", "doubt"),
    [
        ({"host": "other"}, {"host": "other"}, "nothing proves that the run first"),
        ({"pid": os.getpid()}, {}, "nothing proves that the run first"),
        ({}, {"host": "other"}, "it is not that of the run first"),
        ({}, {"created": datetime(2020, 1, 1, tzinfo=UTC)}, "it is not that of the run first"),
        ({}, {"created": datetime(2040, 1, 1, tzinfo=UTC)}, "can have done nothing any more"),
    ],
    ids=["another machine", "it lives", "another's lock", "an old lock", "a new lock"],
)
def test_without_proof_a_lock_stays_and_the_error_says_what_lacks(bench, facts, lock, doubt):
    die_at_apply(bench, **facts)
    leave_lock(bench, **lock)
    bench.engine.play(plan=LOCKED)

    with pytest.raises(StateLockedError) as caught:
        bench.run(name="second")

    assert doubt in str(caught.value)
    assert "force-unlock" in str(caught.value)
    assert bench.shelf.read(LOCK)
    assert bench.broken == []


def test_a_lock_that_was_not_broken_is_still_known_to_the_next_run(bench):
    die_at_apply(bench, host="other")
    leave_lock(bench, host="other")
    bench.engine.play(plan=LOCKED)
    with pytest.raises(StateLockedError):
        bench.run(name="second")

    assert [holder.name for holder in record_of(bench).holders] == ["first", "second"]


@pytest.mark.parametrize(("ago_s", "is_broken"), [(5000, False), (6000, True)])
def test_a_run_of_another_machine_counts_as_dead_once_no_terraform_works_so_long(
    bench, ago_s, is_broken
):
    die_at_apply(bench, host="other")
    ended = datetime.now(UTC) - timedelta(seconds=ago_s)
    record = record_of(bench)
    holder = record.holders[0]
    long_ago = holder.model_copy(
        update={"began": ended - timedelta(minutes=5), "copy_of_stack": "elsewhere"}
    )
    bench.shelf.write(RECORD, record.model_copy(update={"holders": (long_ago,)}).model_dump_json())
    leave_lock(bench, host="other", created=ended - timedelta(minutes=1))
    bench.ends["id-of-first"] = ended
    bench.engine.play(plan=CREATIONS, show=SHOWN, apply={})

    bench.run(name="second")

    assert bool(bench.broken) is is_broken


def test_a_record_that_is_none_proves_nothing_and_stops_nobody(bench):
    bench.shelf.write(RECORD, "{")
    bench.engine.play(plan=CREATIONS, show=SHOWN, apply={})

    bench.run(name="second")

    assert not record_of(bench).is_unsettled


def test_what_a_dead_run_made_is_adopted_as_the_plan_shows(bench):
    die_at_apply(bench)
    bench.lost["aws_vpc.this"] = Found("vpc-1", is_ours=True)
    bench.engine.play(plan=[CREATIONS, NO_CHANGE], show=CREATING, apply={})

    bench.run(name="second")

    code = (bench.copy / "corral_adopted.tf").read_text()
    assert 'to = aws_vpc.this\n  id = "vpc-1"' in code
    assert bench.engine.commands[-4:] == ["plan", "show", "plan", "output"]
    assert not record_of(bench).is_unsettled


def test_what_somebody_else_has_is_not_adopted_and_named(bench):
    die_at_apply(bench)
    bench.lost["aws_vpc.this"] = Found("vpc-1", is_ours=False)
    bench.engine.play(plan=CREATIONS, show=CREATING, apply={})

    with pytest.raises(TerraformError, match=r"aws_vpc.this: AWS has vpc-1 already, and it lacks"):
        bench.run(name="second")

    assert record_of(bench).is_unsettled


def test_nothing_is_looked_for_after_a_run_that_ended_well(bench):
    bench.lost["aws_vpc.this"] = Found("vpc-1", is_ours=True)
    bench.engine.play(plan=CREATIONS, apply={})

    bench.run()

    assert "show" not in bench.engine.commands
    assert not (bench.copy / "corral_adopted.tf").exists()
