"""Stacks from the catalog, made and upgraded in a whole Rancher."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
import requests
from furnished import IMPATIENCE, Furnished, outcomes
from mortality import Death, Fate, mortal_writes

from corral.clients.rancher import Patience, RancherClient
from corral.clients.rancher.set_up import ensure_stacks, find_stack_faults
from corral.cluster import CatalogStack, EcrRegistry, Environment
from corral.domain.set_up.stacks import KnownStack
from corral.errors import GateTimeoutError, PrerequisiteError

CRONTAB = "library:infra*container-crontab"
DIAGNOSTICS = "library:infra*network-diagnostics"
ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


def environment(name: str, **stack: object) -> Environment:
    fields = {"name": "it", "template": DIAGNOSTICS, "version": "0.0.2", "infrastructure": True}
    return Environment(name=name, stacks=(CatalogStack.model_validate({**fields, **stack}),))


def ensure(furnished: Furnished, wanted: Environment) -> list[str]:
    return outcomes([*ensure_stacks(furnished.site, [wanted])])


def only_stack(furnished: Furnished, name: str, stack: str = "it") -> KnownStack:
    [found] = [one for one in furnished.admin.stacks(furnished.project(name)) if one.name == stack]
    return found


def break_files(furnished: Furnished, process: str, words: str, *, times: int | None = None):
    match = {"operation": f"compose stack.{process}", "name": "it"}
    return furnished.rancher.world.faults.add(
        {"target": "rancher", "match": match, "effect": {"body": words}, "times": times}
    )


@pytest.fixture(autouse=True)
def no_faults(furnished: Furnished):
    yield
    furnished.rancher.world.faults.clear()


def test_a_stack_is_made_with_all_answers_and_then_only_looked_at(furnished):
    wanted = environment("fresh", template=CRONTAB, version="v0.5.0", answers={"metrics": "true"})
    furnished.make(wanted, hosts=1)

    assert ensure(furnished, wanted) == ["stack it of environment fresh: created"]

    known = only_stack(furnished, "fresh")
    assert (known.state, known.health, known.is_infrastructure) == ("active", "healthy", True)
    assert known.external_id == f"catalog://{CRONTAB}:3"
    assert known.answers == {"metrics": "true", "debug": "false"}
    furnished.rancher.world.journal.clear()
    assert ensure(furnished, wanted) == ["stack it of environment fresh: kept"]
    assert furnished.writes() == []


def test_a_stack_of_the_users_is_none_of_the_environments(furnished):
    wanted = environment("users", infrastructure=False)
    furnished.make(wanted, hosts=1)

    ensure(furnished, wanted)

    assert not only_stack(furnished, "users").is_infrastructure


def test_another_version_in_the_file_upgrades_the_stack_to_the_end(furnished):
    old = environment("older", version="0.0.1")
    furnished.make(old, hosts=1)
    ensure(furnished, old)
    furnished.rancher.world.journal.clear()

    assert ensure(furnished, environment("older")) == ["stack it of environment older: changed"]

    assert furnished.writes() == [
        "POST /v2-beta/projects/{id}/stacks/{id}?upgrade",
        "POST /v2-beta/projects/{id}/stacks/{id}?finishupgrade",
    ]
    known = only_stack(furnished, "older")
    assert (known.state, known.health) == ("active", "healthy")
    assert known.external_id == f"catalog://{DIAGNOSTICS}:1"
    assert ensure(furnished, environment("older")) == ["stack it of environment older: kept"]


def test_another_answer_upgrades_the_stack(furnished):
    furnished.make(environment("answers"), hosts=1)
    ensure(furnished, environment("answers"))
    wanted = environment("answers", answers={"RANCHER_DEBUG": "true"})

    assert ensure(furnished, wanted) == ["stack it of environment answers: changed"]
    assert only_stack(furnished, "answers").answers["RANCHER_DEBUG"] == "true"
    assert ensure(furnished, wanted) == ["stack it of environment answers: kept"]


def test_secret_answers_come_from_their_secret_and_are_in_no_log(furnished, caplog):
    wanted = environment("secret", secret="lab/answers")
    furnished.make(wanted, hosts=1)
    furnished.vault.write("lab/answers", {"INFO_HISTORY_LENGTH": "hunter2"})

    with caplog.at_level("DEBUG", logger="corral"):
        ensure(furnished, wanted)

    assert only_stack(furnished, "secret").answers["INFO_HISTORY_LENGTH"] == "hunter2"
    said = [record.getMessage() for record in caplog.records if record.name.startswith("corral")]
    assert said
    assert "hunter2" not in " ".join(said)


@pytest.mark.parametrize("upgrade", [False, True], ids=["create", "upgrade"])
def test_a_run_that_died_after_any_write_is_finished_by_the_next_one(furnished, upgrade):
    """One new environment for each write of a run; the run dies as that write is answered."""
    deaths = 0
    while dies(furnished, f"m{deaths}-{upgrade}".lower(), Fate(calls=deaths), upgrade=upgrade):
        deaths += 1
    assert deaths == (2 if upgrade else 1)


def dies(furnished: Furnished, name: str, fate: Fate, *, upgrade: bool) -> bool:
    wanted, struck = environment(name), False
    furnished.make(wanted, hosts=1)
    if upgrade:
        ensure(furnished, environment(name, version="0.0.1"))
    with mortal_writes(fate):
        try:
            ensure(furnished, wanted)
        except Death:
            struck = True
    ensure(furnished, wanted)
    known = only_stack(furnished, name)
    assert (known.state, known.health) == ("active", "healthy")
    assert known.external_id == f"catalog://{DIAGNOSTICS}:1"
    return struck


def test_an_upgrade_that_somebody_left_open_is_finished(furnished):
    furnished.make(environment("open"), hosts=1)
    ensure(furnished, environment("open", version="0.0.1"))
    with pytest.raises(Death), mortal_writes(Fate(calls=0)):
        ensure(furnished, environment("open"))
    furnished.site.patience.wait(
        "the upgrade",
        lambda: [] if only_stack(furnished, "open").state == "upgraded" else ["not yet"],
    )
    furnished.rancher.world.journal.clear()

    assert ensure(furnished, environment("open")) == ["stack it of environment open: changed"]
    assert furnished.writes() == ["POST /v2-beta/projects/{id}/stacks/{id}?finishupgrade"]


def test_without_hosts_the_error_says_how_the_stack_and_its_services_are(furnished):
    wanted = environment("hostless")
    furnished.make(wanted)

    with pytest.raises(GateTimeoutError) as late:
        list(ensure_stacks(furnished.impatient, [wanted]))

    said = str(late.value)
    assert "stack it of environment hostless: not within 1 s" in said
    assert "it is activating and unhealthy" in said
    assert "network-diagnostics-agent is" in said


def test_a_run_that_waited_in_vain_is_finished_once_there_are_hosts(furnished):
    wanted = environment("patient")
    furnished.make(wanted)
    with pytest.raises(GateTimeoutError):
        list(ensure_stacks(furnished.impatient, [wanted]))
    furnished.lab.call(furnished.rancher.cluster.seed_herd, 1, 0, "patient")

    assert ensure(furnished, wanted) == ["stack it of environment patient: kept"]


def test_a_stack_that_rancher_could_not_make_is_told_and_made_anew_by_the_next_run(furnished):
    wanted = environment("broken")
    furnished.make(wanted, hosts=1)
    break_files(furnished, "create", "no such image")

    with pytest.raises(PrerequisiteError, match="could not make the stack it of environment bro"):
        ensure(furnished, wanted)
    furnished.rancher.world.faults.clear()

    assert ensure(furnished, wanted) == ["stack it of environment broken: replaced"]
    assert only_stack(furnished, "broken").health == "healthy"


def test_an_upgrade_that_rancher_could_not_make_is_told_and_begun_anew_by_the_next_run(furnished):
    furnished.make(environment("stuck"), hosts=1)
    ensure(furnished, environment("stuck", version="0.0.1"))
    break_files(furnished, "upgrade", "no such image")

    with pytest.raises(PrerequisiteError, match="no such image"):
        ensure(furnished, environment("stuck"))
    furnished.rancher.world.faults.clear()

    assert ensure(furnished, environment("stuck")) == ["stack it of environment stuck: changed"]
    known = only_stack(furnished, "stuck")
    assert (known.state, known.external_id) == ("active", f"catalog://{DIAGNOSTICS}:1")


@pytest.mark.parametrize(
    ("stack", "sentence"),
    [
        pytest.param(
            {"template": "library:infra*nonsense"},
            "the catalog has no template library:infra*nonsense.",
            id="template",
        ),
        pytest.param(
            {"template": "nonsense:thing"},
            "Rancher has no catalog nonsense; it has: community, library.",
            id="catalog",
        ),
        pytest.param(
            {"version": "9.9.9"},
            f"{DIAGNOSTICS} has no version 9.9.9; those that fit Rancher v1.6.30: 0.0.1, 0.0.2.",
            id="version",
        ),
        pytest.param(
            {"template": CRONTAB, "version": "v0.3.0"},
            f"{CRONTAB} v0.3.0 is for Rancher from v1.6.0 up to v1.6.14, and this one is v1.6.30.",
            id="misfit",
        ),
        pytest.param(
            {"answers": {"nonsense": "hunter2"}},
            f"{DIAGNOSTICS}:1 does not ask 'nonsense'; it asks: RANCHER_DEBUG,"
            " INFO_COLLECTION_INTERVAL, INFO_HISTORY_LENGTH.",
            id="question",
        ),
        pytest.param(
            {"template": CRONTAB, "version": "v0.5.0", "answers": {"metrics": "hunter2"}},
            f"the answer to 'metrics' of {CRONTAB}:3 is none of: true, false.",
            id="option",
        ),
        pytest.param(
            {"secret": "lab/nowhere"},
            "there is no secret lab/nowhere in AWS Secrets Manager: make it, with the answers as"
            " its keys.",
            id="secret",
        ),
    ],
)
@pytest.mark.parametrize("is_there", [True, False], ids=["made", "unmade"])
def test_what_cannot_be_is_told_in_a_sentence_before_anything_is_written(
    furnished, request, stack, sentence, is_there
):
    name = f"bad-{request.node.callspec.id}"[:16].rstrip("-")
    if is_there:
        furnished.make(Environment(name=name))
    furnished.rancher.world.journal.clear()
    wanted = environment(name, **stack)

    assert find_stack_faults(furnished.site, [wanted]) == [
        f"The stack it of environment {name}: {sentence}"
    ]
    if is_there:
        with pytest.raises(PrerequisiteError, match="The stack it of environment"):
            ensure(furnished, wanted)
    assert furnished.writes() == []


def test_all_faults_are_told_at_once(furnished):
    furnished.make()
    wanted = [environment("one", version="9"), environment("two", answers={"nonsense": "x"})]

    assert len(find_stack_faults(furnished.site, wanted)) == 2


def test_a_stack_of_that_name_from_elsewhere_is_a_fault(furnished):
    furnished.make(environment("taken"), hosts=1)
    ensure(furnished, environment("taken"))

    [fault] = find_stack_faults(
        furnished.site, [environment("taken", template=CRONTAB, version="v0.5.0")]
    )
    [other] = find_stack_faults(furnished.site, [environment("taken", infrastructure=False)])

    assert f"it is there already, from {DIAGNOSTICS}:1 and not from {CRONTAB}" in fault
    assert "write infrastructure: true" in other


def test_ecrs_refresher_is_the_newest_version_that_fits_and_its_own_environments(furnished):
    registry = EcrRegistry(kind="ecr", address=ECR, refresher="stack")
    wanted = Environment(name="cloud", registries=(registry,))
    furnished.make(wanted, hosts=1)

    assert ensure(furnished, wanted) == ["stack ecr of environment cloud: created"]

    known = only_stack(furnished, "cloud", "ecr")
    assert known.external_id == "catalog://library:infra*ecr:1"
    assert known.is_infrastructure
    given = {"aws_region": "us-east-1", "auto_create": "true", "log_level": "INFO"}
    assert given.items() <= known.answers.items()
    assert known.answers["registry_in_which_environment"] == "current"
    assert ensure(furnished, wanted) == ["stack ecr of environment cloud: kept"]


def test_an_older_server_gets_an_older_refresher(furnished, monkeypatch):
    registry = EcrRegistry(kind="ecr", address=ECR, refresher="stack")
    wanted = Environment(name="antique", registries=(registry,))
    furnished.make(wanted, hosts=1)
    monkeypatch.setattr(RancherClient, "server_version", lambda _: "v1.6.12")

    ensure(furnished, wanted)

    assert only_stack(furnished, "antique", "ecr").external_id == "catalog://library:infra*ecr:0"


def test_a_catalog_that_is_not_loaded_yet_is_waited_for(furnished):
    wanted = environment("early")
    furnished.make(wanted, hosts=1)
    cluster = furnished.rancher.cluster
    cluster.catalog_loaded = False

    [fault] = find_stack_faults(furnished.impatient, [wanted])
    cluster.catalog_loaded = True

    assert "Rancher has not loaded the catalog library yet" in fault
    assert find_stack_faults(furnished.site, [wanted]) == []


def test_a_catalog_that_does_not_come_is_waited_for_and_told_once(furnished):
    """However many stacks come from it, in however many environments."""
    waits: list[str] = []

    @dataclass(frozen=True)
    class Counted(Patience):
        def wait(self, condition: str, *rest: Any, **more: Any) -> None:
            waits.append(condition)
            super().wait(condition, *rest, **more)

    furnished.make()
    more = CatalogStack(name="that", template=CRONTAB, version="v0.5.0")
    stacks = (*environment("none").stacks, more)
    wanted = [Environment(name=name, stacks=stacks) for name in ("none", "nil")]
    patience = Counted(IMPATIENCE.deadline, IMPATIENCE.interval)
    cluster = furnished.rancher.cluster
    cluster.catalog_loaded = False
    try:
        faults = find_stack_faults(replace(furnished.site, patience=patience), wanted)
    finally:
        cluster.catalog_loaded = True

    assert faults == [
        "catalog library: not within 1 s Rancher has not loaded the catalog library yet"
    ]
    assert waits == ["catalog library"]


def test_a_stack_by_hand_is_told_from_ours(furnished):
    furnished.make(environment("byhand"), hosts=1)
    path = f"{furnished.rancher.url}/v2-beta/projects/{furnished.project('byhand')}/stacks"
    body = {"name": "it", "dockerCompose": "web:\n  image: nginx\n"}
    requests.post(path, json=body, auth=furnished.key, timeout=10)

    [fault] = find_stack_faults(furnished.site, [environment("byhand")])

    assert "from no catalog and not from" in fault


def test_two_stacks_of_one_environment_are_made_in_their_order(furnished):
    first = environment("both").stacks[0]
    second = CatalogStack(name="that", template=CRONTAB, version="v0.5.0")
    wanted = Environment(name="both", stacks=(second, first))
    furnished.make(wanted, hosts=1)

    assert ensure(furnished, wanted) == [
        "stack that of environment both: created",
        "stack it of environment both: created",
    ]
    assert replace(only_stack(furnished, "both"), id="") != only_stack(furnished, "both", "that")
