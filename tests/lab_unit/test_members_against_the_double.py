"""Members of environments, set in a whole Rancher."""

import pytest
import requests
from furnished import Furnished, outcomes
from mortality import Death, Fate, mortal_writes

from corral.clients.rancher.set_up import ensure_members, find_environment_faults
from corral.clients.rancher.set_up.members import find_memberships
from corral.cluster import Environment, Member
from corral.domain.set_up.environments import find_project
from corral.domain.set_up.members import Membership
from corral.errors import PrerequisiteError

OWNER = Membership("1a1", "rancher_id", "owner")


@pytest.fixture(scope="module")
def people(furnished: Furnished) -> tuple[str, str]:
    """Return the ids of two accounts."""
    return tuple(make_account(furnished, name) for name in ("ada", "grace"))


def make_account(furnished: Furnished, name: str) -> str:
    body = {"name": name, "kind": "user"}
    answer = requests.post(
        f"{furnished.rancher.url}/v2-beta/accounts", json=body, auth=furnished.key, timeout=10
    )
    return answer.json()["id"]


def environment(name: str, *members: tuple[str, str]) -> Environment:
    listed = tuple(Member(id=id_, kind="rancher_id", role=role) for id_, role in members)
    return Environment(name=name, members=listed)


def members_of(furnished: Furnished, name: str) -> set[Membership]:
    return set(furnished.admin.memberships(furnished.project(name)))


def test_an_environment_gets_the_members_of_its_list_beside_the_administrator(furnished, people):
    ada, grace = people
    wanted = environment("main", (ada, "owner"), (grace, "readonly"))
    furnished.make(wanted)

    [step] = ensure_members(furnished.site, [wanted])

    assert str(step) == "members of environment main: changed"
    assert members_of(furnished, "main") == {
        OWNER,
        Membership(ada, "rancher_id", "owner"),
        Membership(grace, "rancher_id", "readonly"),
    }


def test_a_second_run_writes_nothing(furnished, people):
    wanted = environment("second", (people[0], "member"))
    furnished.make(wanted)
    list(ensure_members(furnished.site, [wanted]))
    furnished.rancher.world.journal.clear()

    steps = [*ensure_members(furnished.site, [wanted])]

    assert outcomes(steps) == ["members of environment second: kept"]
    assert furnished.writes() == []


def test_a_new_environment_without_a_list_is_left_alone(furnished):
    wanted = environment("alone")
    furnished.make(wanted)

    assert outcomes([*ensure_members(furnished.site, [wanted])]) == [
        "members of environment alone: kept"
    ]
    assert furnished.writes() == []


def test_whoever_is_off_the_list_is_no_member_any_more(furnished, people):
    ada, grace = people
    furnished.make(environment("fewer"))
    list(ensure_members(furnished.site, [environment("fewer", (ada, "member"), (grace, "owner"))]))

    list(ensure_members(furnished.site, [environment("fewer", (grace, "member"))]))

    assert members_of(furnished, "fewer") == {OWNER, Membership(grace, "rancher_id", "member")}


def test_a_run_that_died_is_finished_by_the_next_one(furnished, people):
    wanted = environment("mortal", (people[0], "member"))
    furnished.make(wanted)
    with pytest.raises(Death), mortal_writes(Fate(calls=0)):
        list(ensure_members(furnished.site, [wanted]))

    list(ensure_members(furnished.site, [wanted]))

    assert members_of(furnished, "mortal") == {OWNER, Membership(people[0], "rancher_id", "member")}


def test_people_of_github_are_members_by_their_numbers(furnished, people):
    known = {
        "user_id": "github_user:1",
        "github_user octocat": "github_user:583231",
        "github_team acme/ops": "github_team:77",
    }
    furnished.vault.write("lab/rancher/people", known)
    listed = [
        Member(id="Octocat", kind="github_user", role="member"),
        Member(id=people[0], kind="rancher_id", role="owner"),
        Member(id="acme/ops", kind="github_team", role="readonly"),
    ]

    assert find_memberships(furnished.site, Environment(name="github", members=listed)) == [
        Membership("583231", "github_user", "member"),
        Membership(people[0], "rancher_id", "owner"),
        Membership("77", "github_team", "readonly"),
    ]


def test_people_whom_nobody_can_ask_github_for_are_told_and_the_members_are_kept(furnished):
    furnished.vault.write("lab/rancher/people", {})
    hubot = Member(id="hubot", kind="github_user", role="member")
    wanted = Environment(name="unasked", members=(hubot,))
    furnished.make(wanted)

    with pytest.raises(PrerequisiteError, match="may not ask GitHub for user hubot"):
        list(ensure_members(furnished.site, [wanted]))

    assert furnished.writes() == []


def test_somebody_without_an_account_is_a_fault_and_nothing_is_written(furnished):
    furnished.make()

    faults = find_environment_faults(furnished.site, [environment("nobody", ("1a999", "member"))])

    assert faults == [
        "Rancher has no account 1a999, whom the environment nobody names as a member."
    ]
    assert furnished.writes() == []


def test_a_template_that_rancher_does_not_have_is_a_fault_that_lists_those_it_has(furnished):
    furnished.make()
    wanted = Environment(name="strange", template="Nomad")

    [fault] = find_environment_faults(furnished.site, [wanted])

    assert fault.startswith("Rancher has no project template Nomad; it has: Cattle, Kubernetes,")
    assert furnished.writes() == []


def test_a_template_that_differs_from_what_the_environment_was_made_from_is_a_fault(furnished):
    furnished.make(Environment(name="made"))

    [fault] = find_environment_faults(
        furnished.site, [Environment(name="made", template="Kubernetes")]
    )

    assert "The environment made was made from the template Cattle" in fault
    assert "write template: Cattle" in fault
    assert find_environment_faults(furnished.site, [Environment(name="made")]) == []


def test_an_environment_tells_its_template(furnished):
    furnished.make(Environment(name="telling"))

    project = find_project("telling", furnished.admin.projects())

    assert furnished.admin.template_name(project.template_id) == "Cattle"
