import fcntl
import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from corral.clients.terraform import EventKind, StackResult, Unapproved
from corral.domain.plans import Ruling, Wholeness
from corral.errors import (
    CopyBusyError,
    CredentialsError,
    PrerequisiteError,
    StateLockedError,
    TerraformDeadlineError,
    TerraformError,
    UnsafePlanError,
)
from tests.engine.stub_engine import DATA, NO_CHANGE, StubEngine
from tests.engine.terraform_bench import Bench

CREATIONS = {"lines": "plan-creations.jsonl", "code": 2}
CHANGES = {"lines": "plan-changes.jsonl", "code": 2}
SHOWN = {"lines": "plan.json"}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    for name in ("TF_CLI_CONFIG_FILE", "AWS_ENDPOINT_URL", "TF_PLUGIN_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    return Bench(tmp_path)


# The way of a run


def test_a_new_stack_is_initialised_planned_applied_and_read(bench):
    bench.engine.play(plan=CREATIONS, apply={})

    result = bench.run()

    assert bench.engine.commands == ["init", "plan", "apply", "output"]
    assert result.outputs == {"vpc_id": "vpc-1"}
    assert str(result.changes) == "4 create, 2 outputs"


def test_what_is_applied_is_the_plan_that_was_judged(bench):
    bench.engine.play(plan=CREATIONS, apply={})

    bench.run()

    assert "-out=.corral/plan" in bench.engine.happened("plan")[0].argv
    assert bench.engine.happened("apply")[0].argv[-1] == ".corral/plan"


def test_an_unchanged_stack_is_only_planned_and_read(bench):
    bench.run()

    result = bench.run()

    assert bench.engine.commands == ["init", "plan", "output", "plan", "output"]
    assert result.changes.is_empty


def test_a_plan_that_changes_things_is_shown_and_judged(bench):
    bench.engine.play(plan=CHANGES, show=SHOWN)
    bench.whole = Wholeness.BROKEN

    with pytest.raises(UnsafePlanError) as caught:
        bench.run()

    assert len(caught.value.refusals) == 3
    assert "vpc:aws_vpc.this" in str(caught.value)
    assert "apply" not in bench.engine.commands
    assert "forbidden, nothing was changed" in bench.published[0].as_markdown()


def test_a_plan_is_published_before_it_is_applied(bench):
    bench.engine.play(plan=CREATIONS, apply={"code": 1})

    with pytest.raises(TerraformError):
        bench.run()

    assert str(bench.published[0]) == "4 create, 2 outputs"


def test_an_approval_of_nothing_in_the_plan_is_said(bench, caplog):
    bench.run(approvals=("vpc:aws_vpc.that", "database:aws_db_instance.this"))

    assert [row.getMessage() for row in caplog.records if row.levelname == "WARNING"] == [
        "`vpc:aws_vpc.that` approves nothing that the plan does: check the address"
    ]


PROTECTED = tuple(
    f"vpc:{address} until 2026-12-01"
    for address in ("aws_vpc.this", *(f'aws_subnet.private["{name}"]' for name in "ab"))
)
OTHERS = ("vpc:aws_security_group.hosts", "vpc:aws_sqs_queue.extra[0]")


def test_a_plan_is_applied_if_all_that_it_destroys_is_approved(bench):
    bench.engine.play(plan=CHANGES, show=SHOWN)
    bench.whole = Wholeness.BROKEN

    result = bench.run(approvals=(*PROTECTED, *OTHERS))

    assert bench.engine.commands[-2:] == ["apply", "output"]
    assert not result.changes.is_empty


def test_every_line_of_terraform_becomes_an_event(bench):
    apply = {"lines": "apply.jsonl"}
    bench.engine.play(plan=CREATIONS, apply=apply)

    bench.run()

    assert "aws_sqs_queue.extra[0]: still creating, 20s" in bench.texts(EventKind.PROGRESS)
    assert "aws_sqs_queue.extra[0]: created after 25s" in bench.texts(EventKind.DONE)


def test_a_planned_change_is_heard_once_although_apply_repeats_it(bench):
    bench.engine.play(plan=CREATIONS, apply={"lines": "apply.jsonl"})

    bench.run()

    assert len(bench.texts(EventKind.PLANNED)) == 4


# Plans that need an approval


@pytest.fixture
def asked(bench) -> Unapproved:
    """A plan that somebody was shown, saved as the first one."""
    bench.whole = Wholeness.BROKEN
    bench.engine.play(plan=[{**CHANGES, "saves": "one"}, {**CHANGES, "saves": "two"}], show=SHOWN)
    unapproved = bench.run(approvals=PROTECTED)
    assert isinstance(unapproved, Unapproved)
    return unapproved


def test_a_plan_that_needs_an_approval_changes_nothing_and_is_kept(bench, asked):
    assert asked.changes.ruling is Ruling.NEEDS_APPROVAL
    assert len(asked.changes.refusals(Ruling.NEEDS_APPROVAL)) == 2
    assert "apply" not in bench.engine.commands
    assert bench.published == [asked.changes]


def test_the_plan_that_was_shown_is_the_one_that_is_applied(bench, asked):
    result = bench.run(approvals=PROTECTED, agreed=asked)

    assert bench.engine.commands == ["init", "plan", "show", "show", "apply", "output"]
    assert isinstance(result, StackResult)
    assert (bench.copy / ".corral" / "plan").read_text() == "one"


def test_a_plan_that_is_stale_is_made_and_judged_anew(bench, asked):
    bench.engine.play(apply=[{"lines": "apply-stale.jsonl", "code": 1}, {}])

    result = bench.run(approvals=PROTECTED, agreed=asked)

    assert bench.engine.commands[3:] == ["show", "apply", "plan", "show", "apply", "output"]
    assert isinstance(result, StackResult), "it does what was agreed to, and no more"


def test_a_plan_that_is_no_longer_there_is_made_and_judged_anew(bench, asked):
    (bench.copy / ".corral" / "plan").write_text("another run's")

    bench.run(approvals=PROTECTED, agreed=asked)

    assert bench.engine.commands[3:] == ["plan", "show", "apply", "output"]


def test_a_plan_made_anew_that_wants_something_else_is_asked_for_again(bench, asked):
    kept = tuple(v for v in asked.changes.verdicts if v.change.type != "aws_sqs_queue")
    agreed = replace(asked, saved="gone", changes=replace(asked.changes, verdicts=kept))

    again = bench.run(approvals=PROTECTED, agreed=agreed)

    assert isinstance(again, Unapproved)
    (refusal,) = again.changes.refusals(Ruling.NEEDS_APPROVAL)
    assert "vpc:aws_sqs_queue.extra[0]" in refusal
    assert "apply" not in bench.engine.commands


def test_no_agreement_stands_for_the_date_of_what_is_protected(bench, asked):
    with pytest.raises(UnsafePlanError):
        bench.run(agreed=asked)

    assert "apply" not in bench.engine.commands


def test_the_end_of_a_stack_is_planned_judged_and_applied_alike(bench):
    bench.engine.play(plan=CHANGES, show=SHOWN)

    bench.run(approvals=(*PROTECTED, *OTHERS), destroy=True)

    assert "-destroy" in bench.engine.happened("plan")[0].argv
    assert "untaint" not in bench.engine.commands, "what goes need not be whole"
    assert bench.engine.commands[-2:] == ["apply", "output"]


def test_what_shall_change_in_place_alone_is_the_target_of_the_plan(bench):
    update = {"stdout": json.dumps(_plan_of("aws_ssm_parameter.word"))}
    bench.engine.play(plan=CHANGES, show=update)

    bench.run(in_place=("aws_ssm_parameter.word",))

    assert "-target=aws_ssm_parameter.word" in bench.engine.happened("plan")[0].argv
    assert bench.engine.commands == ["init", "plan", "show", "apply", "output"]


def test_what_would_be_made_anew_is_left_out_of_a_change_in_place(bench):
    shows = [_plan_of("aws_ssm_parameter.word", "aws_vpc.this"), _plan_of("aws_ssm_parameter.word")]
    bench.engine.play(plan=CHANGES, show=[{"stdout": json.dumps(shown)} for shown in shows])

    bench.run(in_place=("aws_ssm_parameter.word", "aws_vpc.this"))

    first, second = bench.engine.happened("plan")
    assert "-target=aws_vpc.this" in first.argv
    assert "-target=aws_vpc.this" not in second.argv
    assert bench.engine.commands[-2:] == ["apply", "output"]


def test_nothing_is_applied_if_all_of_a_change_in_place_is_gone(bench):
    bench.engine.play(plan=CHANGES, show={"stdout": json.dumps(_plan_of("aws_vpc.this"))})

    result = bench.run(in_place=("aws_vpc.this",))

    assert result.changes.is_empty
    assert "apply" not in bench.engine.commands


def _plan_of(*addresses: str) -> dict[str, Any]:
    """Return the recorded plan, as it would be with these resources alone."""
    plan = json.loads((DATA / "plan.json").read_text())
    changes = [each for each in plan["resource_changes"] if each["address"] in addresses]
    return plan | {"resource_changes": changes}


# The working copy


def test_the_copy_follows_links(bench):
    shared = bench.root / "base.tf"
    shared.write_text("# shared\n")
    (bench.folder / "base.tf").symlink_to(shared)

    bench.run()

    assert not (bench.copy / "base.tf").is_symlink()
    assert (bench.copy / "base.tf").read_text() == "# shared\n"


def test_a_file_that_vanished_vanishes_from_the_copy(bench):
    (bench.folder / "old.tf").write_text("# old\n")
    bench.run()
    (bench.folder / "old.tf").unlink()

    bench.run()

    assert not (bench.copy / "old.tf").exists()


def test_states_and_notes_in_the_copy_are_never_removed(bench):
    bench.run()
    kept = [bench.copy / name for name in ("terraform.tfstate", ".terraform/x", "crash.1.log")]
    for path in kept:
        path.write_text("precious")

    bench.run()

    assert all(path.read_text() == "precious" for path in kept)


def test_tests_and_papers_of_a_stack_are_not_copied(bench):
    (bench.folder / "README.md").write_text("# vpc\n")
    (bench.folder / "tests").mkdir()
    (bench.folder / "tests" / "x.tftest.hcl").write_text("")

    bench.run()

    assert {path.name for path in bench.copy.iterdir() if path.name[0] != "."} == {
        "main.tf",
        "corral.auto.tfvars.json",
    }


def test_variables_go_into_a_file_for_our_eyes_only(bench):
    bench.run(variables={"zones": ["a", "b"]})

    path = bench.copy / "corral.auto.tfvars.json"
    assert json.loads(path.read_text()) == {"zones": ["a", "b"]}
    assert path.stat().st_mode & 0o777 == 0o600
    assert not any("-var" in word for call in bench.engine.diary for word in call.argv)


def test_a_state_that_could_not_be_stored_stops_the_next_run(bench):
    bench.run()
    (bench.copy / "errored.tfstate").write_text("{}")

    with pytest.raises(TerraformError, match=r"terraform -chdir=\S+/lab/vpc state push"):
        bench.run()


def test_a_folder_without_a_stack_is_said(bench):
    (bench.folder / "main.tf").unlink()

    with pytest.raises(TerraformError, match=r"holds no \.tf file"):
        bench.run()


# When init is due


def change_a_file(bench: Bench) -> None:
    (bench.folder / "main.tf").write_text("# another network\n")


def add_a_file(bench: Bench) -> None:
    (bench.folder / "more.tf").write_text("")


def replace_the_provider(bench: Bench) -> None:
    (bench.copy / ".terraform/providers/aws/provider").write_text("other")


def lose_the_provider(bench: Bench) -> None:
    (bench.copy / ".terraform/providers/aws/provider").unlink()


def get_another_engine(bench: Bench) -> None:
    bench.engine = StubEngine(bench.root / "engine2")
    bench.engine.play(version={"stdout": '{"terraform_version": "1.12.0"}'})


@pytest.mark.parametrize(
    "happens",
    [change_a_file, add_a_file, replace_the_provider, lose_the_provider, get_another_engine],
    ids=lambda function: function.__name__.replace("_", "-"),
)
def test_init_is_done_again_when(bench, happens):
    bench.run()
    happens(bench)

    bench.run()

    assert bench.engine.commands[-3:] == ["init", "plan", "output"]


def test_init_is_done_again_for_another_backend(bench):
    bench.run()

    bench.run(bucket="other-states")

    assert bench.engine.commands[-3:] == ["init", "plan", "output"]


def test_init_is_not_done_again_for_other_variables(bench):
    bench.run()

    bench.run(variables={"cidr": "10.43.0.0/16"})

    assert bench.engine.commands[-2:] == ["plan", "output"]
    assert bench.engine.commands.count("init") == 1


def test_init_is_done_again_after_a_plan_that_failed(bench):
    bench.run()
    bench.engine.play(plan={"code": 1, "stderr": "no plugin"})
    with pytest.raises(TerraformError):
        bench.run()
    bench.engine.play(plan=NO_CHANGE)

    bench.run()

    assert bench.engine.commands[-3:] == ["init", "plan", "output"]


def test_terraform_hashes_the_provider_at_init_only(bench):
    bench.run()

    assert "hashes" not in (bench.copy / ".terraform.lock.hcl").read_text()
    assert "h1:abc=" in (bench.copy / ".corral" / ".terraform.lock.hcl").read_text()


# What Terraform sees


def test_the_backend_is_told_where_the_state_is(bench):
    bench.run()

    argv = bench.engine.happened("init")[0].argv
    assert "-backend-config=bucket=states" in argv
    assert "-backend-config=key=lab/vpc.tfstate" in argv
    assert "-backend-config=use_lockfile=true" in argv
    assert not any("path_style" in word for word in argv)


def test_buckets_of_an_endpoint_of_its_own_are_found_by_path(bench, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:5000")

    bench.run()

    assert "-backend-config=use_path_style=true" in bench.engine.happened("init")[0].argv


def test_terraform_sees_credentials_and_nothing_that_bends_its_command_line(bench, monkeypatch):
    monkeypatch.setenv("TF_CLI_ARGS_plan", "-destroy")
    monkeypatch.setenv("TF_WORKSPACE", "other")

    bench.run()

    environment = bench.engine.environment("plan")
    assert environment["AWS_ACCESS_KEY_ID"] == "handed-in"
    assert not {"TF_CLI_ARGS_plan", "TF_WORKSPACE"} & environment.keys()
    assert environment["TF_CLI_CONFIG_FILE"].endswith(".tfrc")


def test_keys_that_are_handed_in_stand_alone(bench, monkeypatch):
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        monkeypatch.setenv(name, "ambient")

    bench.run()
    alone = bench.engine.environment("plan")
    bench.run(environment={"AWS_REGION": "us-east-1"})
    ambient = bench.engine.environment("plan")

    assert "ambient" not in alone.values()
    assert ambient["AWS_PROFILE"] == "ambient"


def test_a_lock_is_waited_for_as_long_as_the_settings_say(bench):
    bench.patience = {"lock_wait_s": 7}

    bench.run()

    assert "-lock-timeout=7s" in bench.engine.happened("plan")[0].argv


# What goes wrong


@pytest.mark.parametrize(
    ("step", "error", "sentence"),
    [
        (
            {"plan": {"lines": "plan-locked.jsonl", "code": 1}},
            StateLockedError,
            "locked by ann@build-7 since 2026-11-22 21:04:05",
        ),
        (
            {"plan": {"lines": "plan-no-credentials.jsonl", "code": 1}},
            CredentialsError,
            "no valid AWS credentials",
        ),
        (
            {"init": {"lines": "init-no-registry.jsonl", "code": 1}},
            PrerequisiteError,
            "registry cannot be reached",
        ),
        (
            {"init": {"lines": "init-missing-provider.jsonl", "code": 1}},
            PrerequisiteError,
            "add it to the mirror",
        ),
        (
            {"plan": {"stderr": "panic: \x1b[31mruntime error\x1b[0m", "code": 2 + 9}},
            TerraformError,
            "terraform plan of lab/vpc failed: panic: runtime error",
        ),
        ({"plan": {"code": 1}}, TerraformError, "it said nothing"),
    ],
    ids=["locked", "no-credentials", "no-registry", "no-provider", "panic", "silence"],
)
def test_each_failure_is_one_sentence_that_helps(bench, step, error, sentence):
    bench.engine.play(**step)

    with pytest.raises(error, match=sentence):
        bench.run()


def test_a_lock_of_another_says_how_to_free_it(bench):
    plan = {"lines": "plan-locked.jsonl", "code": 1}
    bench.engine.play(plan=plan)

    with pytest.raises(StateLockedError) as caught:
        bench.run()

    assert caught.value.operation == "apply"
    text = str(caught.value)
    assert f"-chdir={bench.copy} force-unlock 8f7d3c1e-0c6d-9a44-2f6a-5b0e7a1c9d21" in text
    assert "`aws s3 rm s3://states/lab/vpc.tfstate.tflock --region us-east-1`" in text
    assert not caught.value.temporary
    assert "Acquiring state lock. This may take a few moments..." in bench.texts(EventKind.WAITING)


def test_a_command_that_takes_too_long_is_interrupted(bench):
    bench.engine.play(plan={"hold_s": 20})
    bench.patience = {"terraform_deadline_s": 0.2}

    with pytest.raises(TerraformDeadlineError, match="terraform plan of lab/vpc was interrupted"):
        bench.run()

    assert len(bench.engine.happened("unlocked")) == 1


def test_long_words_are_cut(bench):
    plan = {"stderr": "x" * 5000, "code": 1}
    bench.engine.play(plan=plan)

    with pytest.raises(TerraformError) as caught:
        bench.run()

    assert len(str(caught.value)) < 2100


def test_no_secret_of_the_environment_is_in_what_is_heard_and_raised(bench, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2hunter2")
    bench.engine.play(
        plan={"stdout": "using hunter2hunter2\n", "stderr": "hunter2hunter2", "code": 1}
    )

    with pytest.raises(TerraformError, match=r"failed: \*\*\*"):
        bench.run()

    assert bench.texts(EventKind.NOTE) == ["using ***"]


def test_outputs_that_cannot_be_read_say_why(bench):
    bench.engine.play(output={"stderr": "no state", "code": 1})

    with pytest.raises(TerraformError, match="terraform output of lab/vpc failed: no state"):
        bench.run()


def test_what_terraform_printed_whole_is_not_kept(bench):
    bench.run()

    assert not (bench.copy / ".corral" / "output.out").exists()
    modes = {path.stat().st_mode & 0o077 for path in (bench.copy / ".corral").glob("*.out")}
    assert modes == {0}


# What an interrupted run left behind


def interrupted(bench: Bench, *later: dict[str, Any]) -> None:
    bench.engine.play(plan=[CHANGES, *later], show=SHOWN, untaint={})


def test_what_is_tainted_but_whole_is_taken_into_use_and_planned_anew(bench):
    interrupted(bench, NO_CHANGE)

    result = bench.run()

    assert [change.address for change in bench.asked] == ["aws_security_group.hosts"]
    assert bench.engine.commands == ["init", "plan", "show", "untaint", "plan", "output"]
    assert bench.engine.happened("untaint")[0].argv[-1] == "aws_security_group.hosts"
    assert result.changes.is_empty


def test_what_aws_still_makes_is_waited_for(bench, monkeypatch):
    monkeypatch.setattr("corral.clients.terraform.run._ASK_AGAIN", timedelta(seconds=0.01))
    interrupted(bench, NO_CHANGE)
    answers = [Wholeness.COMING, Wholeness.COMING, Wholeness.WHOLE]
    monkeypatch.setattr(Bench, "ask", lambda _, __: answers.pop(0))

    bench.run()

    assert "untaint" in bench.engine.commands
    assert any(
        "aws_security_group.hosts, left behind by an interrupted run" in text
        for text in bench.texts(EventKind.WAITING)
    )


def test_what_is_broken_stays_tainted(bench):
    interrupted(bench)
    bench.whole = Wholeness.BROKEN

    with pytest.raises(UnsafePlanError):
        bench.run()

    assert "untaint" not in bench.engine.commands


# Two runs at once


def test_a_copy_in_use_is_waited_for_and_the_wait_has_an_end(bench):
    bench.run()
    bench.patience = {"terraform_deadline_s": 0.1}
    lock = os.open(bench.copy / ".corral" / "lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)

    with pytest.raises(CopyBusyError) as caught:
        bench.run()

    os.close(lock)
    assert not caught.value.temporary
    assert "terraform output of an earlier run" in str(caught.value)
