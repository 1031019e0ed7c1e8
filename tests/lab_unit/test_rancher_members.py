"""Environments: who is a member, and what else is said of them."""

import pytest
from rancher_lab import RancherLab

PROJECTS = "/v2-beta/projects"
ADMIN = {"externalId": "1a1", "externalIdType": "rancher_id", "role": "owner"}


@pytest.fixture(scope="module")
def rancher(tmp_path_factory):
    lab = RancherLab(tmp_path_factory.mktemp("rancher"))
    lab.start_server()
    yield lab
    lab.close()


@pytest.fixture
def admin(rancher):
    return rancher.client()


@pytest.fixture
def user(admin):
    """Return a member to be."""
    account = admin.wait_success(admin.create_account(kind="user", name="someone"))
    return {"externalId": account.id, "externalIdType": "rancher_id", "role": "member"}


@pytest.fixture
def project(admin):
    return admin.wait_success(admin.create_project(name="lab"))


def members_of(rancher, project_id):
    listed = rancher.get(f"{PROJECTS}/{project_id}/projectmembers").json()
    return {
        (one["externalId"], one["externalIdType"], one["role"], one["state"])
        for one in listed["data"]
    }


def as_listed(*members):
    return {(one["externalId"], one["externalIdType"], one["role"], "active") for one in members}


def set_members(rancher, project, *members):
    return rancher.post(f"{PROJECTS}/{project.id}?action=setmembers", {"members": members})


def test_who_makes_an_environment_owns_it(rancher, project):
    assert members_of(rancher, project.id) == as_listed(ADMIN)


def test_an_environment_is_made_with_its_members(rancher, user):
    body = {"name": "team", "description": "for a team", "members": [ADMIN, user]}

    made = rancher.post(PROJECTS, body)

    assert (made.status_code, made.json()["state"]) == (201, "registering")
    assert made.json()["members"] is None
    assert members_of(rancher, made.json()["id"]) == as_listed(ADMIN, user)


def test_members_are_replaced_all_at_once(rancher, project, user):
    reader = {**user, "role": "readonly"}
    assert set_members(rancher, project, ADMIN, user).status_code == 200

    answer = set_members(rancher, project, ADMIN, reader)

    assert (answer.status_code, answer.json()["type"]) == (200, "collection")
    assert members_of(rancher, project.id) == as_listed(ADMIN, reader)


def test_a_member_who_stays_keeps_the_row(rancher, project, user):
    path = f"{PROJECTS}/{project.id}/projectmembers"
    before = rancher.get(path).json()["data"][0]["id"]

    set_members(rancher, project, ADMIN, user)

    assert before in [one["id"] for one in rancher.get(path).json()["data"]]


def test_a_member_without_role_and_kind_is_a_member_of_rancher(rancher, project, user):
    set_members(rancher, project, ADMIN, {"externalId": user["externalId"]})

    assert members_of(rancher, project.id) == as_listed(ADMIN, user)


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        (None, 422, "MissingRequired"),
        ([], 422, "MissingRequired"),
        ([None], 422, "NotNullable"),
        (["1a1"], 422, "InvalidFormat"),
        ([{**ADMIN, "role": "emperor"}], 422, "InvalidOption"),
        ([{**ADMIN, "externalIdType": "passport"}], 422, "InvalidOption"),
        ([{"role": "owner"}], 400, "InvalidFormat"),
        ([{**ADMIN, "role": "member"}], 400, "InvalidFormat"),
        ([{**ADMIN, "externalId": "1a999"}], 404, "identityNotFound"),
        ([{**ADMIN, "externalId": "1a5"}], 404, "identityNotFound"),
        ([ADMIN, {"externalId": "7", "externalIdType": "github_user"}], 400, "invalidIdentityType"),
    ],
)
def test_members_that_cannot_be_are_refused_and_nothing_changes(
    rancher, project, members, status, code
):
    path = f"{PROJECTS}/{project.id}?action=setmembers"

    answer = rancher.post(path, {"members": members})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert members_of(rancher, project.id) == as_listed(ADMIN)


def test_an_environment_whose_members_are_refused_is_there_nevertheless(rancher, admin):
    body = {"name": "orphan", "members": [{**ADMIN, "role": "member"}]}

    answer = rancher.post(PROJECTS, body)

    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidFormat")
    assert admin.list_project(name="orphan").data == []
    assert [one.name for one in admin.list_project(name="orphan", all=True)] == ["orphan"]


def test_an_environment_whose_members_are_malformed_is_not_made(rancher, admin):
    body = {"name": "unborn", "members": [{**ADMIN, "role": "emperor"}]}

    assert rancher.post(PROJECTS, body).status_code == 422
    assert admin.list_project(name="unborn", all=True).data == []


def test_a_member_is_never_made_alone(rancher):
    assert rancher.post("/v2-beta/projectmembers", ADMIN).status_code == 405


def test_name_description_and_delay_are_changed_by_put(rancher, project):
    body = {"name": "new", "description": "other", "hostRemoveDelaySeconds": 300}

    answer = rancher.request("PUT", f"{PROJECTS}/{project.id}", json=body)

    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in body} == body
    cleared = rancher.request(
        "PUT", f"{PROJECTS}/{project.id}", json={"hostRemoveDelaySeconds": None}
    )
    assert cleared.json()["hostRemoveDelaySeconds"] is None


def test_two_environments_may_have_one_name(admin):
    made = [admin.wait_success(admin.create_project(name="twin")) for _ in range(2)]

    assert len({one.id for one in made}) == 2


def test_stacks_and_registries_go_with_their_environment(rancher, admin, project):
    client = rancher.project_client(project.id)
    stack = client.wait_success(client.create_stack(name="left"))
    registry = client.wait_success(client.create_registry(serverAddress="left.example.com"))

    removed = admin.wait_success(admin.delete(project))
    admin.wait_success(removed.purge())

    for row in (stack, registry):
        rancher.wait_for(
            lambda row=row: admin.reload(row).state in ("removed", "purged"), "the removal"
        )
