"""What people are told of a run that ended without a word of its own."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from prefect.utilities.importtools import import_object

from corral.settings import PROJECT
from tasks import connect
from tasks.crashes import (
    Crash,
    end_of_report,
    end_of_watch,
    find_channels_of,
    not_needed,
    settled_by,
    without_secrets,
)

CRASH = Crash(
    flow="reconcile-hosts",
    cluster="prod",
    run="reconcile-prod (1f2e)",
    state="Crashed",
    message="Process exited with status code: -9.",
    url="https://prefect.test/runs/flow-run/1f2e",
    heir="",
)


def test_a_crash_is_one_problem_for_each_flow_and_cluster():
    again = replace(CRASH, run="reconcile-prod (3d4c)", state="TimedOut")

    assert CRASH.problem.key("prod") == "corral/prod/run/reconcile-hosts"
    assert again.problem.key("prod") == CRASH.problem.key("prod")
    assert settled_by("reconcile-hosts") == f"{CRASH.problem.kind}/{CRASH.problem.scope}"


def test_every_flow_whose_crashes_are_told_settles_them_at_its_end():
    content = yaml.safe_load((PROJECT / "prefect.yaml").read_text())
    [reporter] = [one for one in content["deployments"] if "report_crash" in one["entrypoint"]]
    told = reporter["triggers"][0]["match_related"]["prefect.resource.name"]
    entrypoints = {one["entrypoint"] for one in content["deployments"]} - {reporter["entrypoint"]}
    flows = [import_object(entrypoint) for entrypoint in entrypoints]

    assert {flow.name for flow in flows} == set(told)
    for flow in flows:
        assert {"settled_by", "settle_crashes"} & set(flow.fn.__code__.co_names), flow.name


def test_people_are_told_what_where_and_what_to_do():
    assert CRASH.problem.title == "reconcile-hosts of prod ended as Crashed"
    assert CRASH.problem.text == (
        "The run reconcile-prod (1f2e) of reconcile-hosts for prod ended as Crashed: Process exited"
        " with status code: -9. Read its log in Prefect at https://prefect.test/runs/flow-run/1f2e;"
        " what it left undone the next run does, which also ends this alert."
    )
    assert "in Prefect; what" in replace(CRASH, url=None).problem.text


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("Process exited with status code: -9.", "Process exited with status code: -9."),
        (
            "Flow run encountered an exception: ClusterFileError: prod.yaml has 1 fault:\n  x: no",
            "Flow run encountered an exception: ClusterFileError: prod.yaml has 1 fault:\n  x: no",
        ),
        (
            "Flow run encountered an exception: KeyError: 'https://key:secret@rancher'",
            "Flow run encountered an exception: KeyError.",
        ),
        (
            "Execution was interrupted by an unexpected exception: Boom: secret",
            "Execution was interrupted by an unexpected exception: Boom.",
        ),
    ],
    ids=["Prefect's", "ours", "foreign", "foreign, crashed"],
)
def test_sentences_of_foreign_errors_are_told_to_nobody(message, told):
    assert without_secrets(message) == told


@pytest.mark.parametrize(
    ("facts", "is_over"),
    [
        ({}, False),
        ({"state": "Failed"}, False),
        ({"state": "TimedOut"}, False),
        ({"state": "Completed"}, True),
        ({"state": "Refused"}, True),
        ({"heir": "reconcile-prod"}, True),
    ],
    ids=str,
)
def test_a_crash_is_over_when_a_later_run_lived_or_it_is_none_any_more(facts, is_over):
    assert replace(CRASH, **facts).is_over is is_over


def test_every_end_of_a_report_has_its_name():
    ends = [
        end_of_report(CRASH, []),
        end_of_report(CRASH, ["The alert channel chat is out of order."]),
        not_needed(replace(CRASH, heir="reconcile-prod")),
        end_of_watch(CRASH, was_ended=True),
        end_of_watch(CRASH, was_ended=False),
    ]

    assert [end.name for end in ends] == ["Told", "Partial", "Recovered", "Ended", "Alive"]
    assert [end.is_failed() for end in ends] == [False, True, False, False, False]
    assert "chat is out of order" in (ends[1].message or "")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CORRAL_CLUSTERS_DIR", str(tmp_path))
    connect.settings.cache_clear()
    yield tmp_path
    connect.settings.cache_clear()


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ({}, ["pagerduty", "chat"]),
        ({"control": {"count": 4}}, ["pagerduty", "chat"]),
        ({"alerts": "everybody"}, []),
        ({"alerts": None}, []),
    ],
    ids=["none", "elsewhere", "in the channels", "no channels"],
)
def test_faults_elsewhere_in_a_cluster_file_do_not_hide_whom_to_tell(folder, fault, found):
    lab = yaml.safe_load((PROJECT / "deployments" / "clusters" / "lab.yaml").read_text())
    (folder / "lab.yaml").write_text(yaml.safe_dump(lab | fault))

    assert [channel.name for channel in find_channels_of("lab")] == found


@pytest.mark.parametrize("content", [None, "a: [", "- 1", ""], ids=["none", "no YAML", "list", "-"])
def test_a_cluster_file_that_nobody_can_read_has_no_channels(folder, content):
    if content is not None:
        (folder / "lab.yaml").write_text(content)

    assert list(find_channels_of("lab")) == []
