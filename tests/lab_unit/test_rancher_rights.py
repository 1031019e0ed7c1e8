"""Who may do what: access control, keys, environments."""

import pytest
from rancher_lab import RancherLab

from lab.rancher.callers import identity_key

PASSWORD = {"username": "admin", "password": "pa55", "name": "Admin", "enabled": True}


@pytest.fixture(scope="module")
def rancher(tmp_path_factory):
    lab = RancherLab(tmp_path_factory.mktemp("rancher"))
    lab.start_server()
    lab.call(lab.cluster.seed_herd, 2)
    client = lab.client()
    lab.other = client.wait_success(client.create_project(name="other")).id
    lab.admin_key = _key(lab, None)
    lab.environment = lab.environment_key()
    lab.other_environment = lab.environment_key(lab.other)
    lab.user = _key(lab, client.wait_success(client.create_account(kind="user")).id)
    assert lab.post("/v2-beta/localauthconfigs", PASSWORD).status_code == 201
    yield lab
    lab.close()


def _key(lab, account):
    client = lab.client()
    key = client.create_apiKey(**({"accountId": account} if account else {}))
    client.wait_success(key)
    return key.publicValue, key.secretValue


def test_strangers_are_challenged_once_access_control_is_on(rancher):
    answer = rancher.get("/v2-beta/hosts")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert answer.headers["X-Rancher-Version"] == "v1.6.30"
    assert answer.json()["code"] == "Unauthorized"


def test_a_caller_may_ask_not_to_be_challenged(rancher):
    answer = rancher.get("/v2-beta", headers={"X-API-No-Challenge": "true"})

    assert answer.status_code == 401
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/v1", "/v2-beta/projects"])
def test_the_root_and_all_below_it_are_closed_to_strangers(rancher, path):
    assert rancher.get(path).status_code == 401


def test_ping_is_open_to_strangers(rancher):
    answer = rancher.get("/ping")

    assert (answer.status_code, answer.text) == (200, "pong\n")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "X-Rancher-Version" not in answer.headers


def test_an_admin_key_reads_the_hosts_of_all_environments(rancher):
    answer = rancher.get("/v2-beta/hosts", auth=rancher.admin_key)

    assert len(answer.json()["data"]) == 2
    assert answer.headers["X-API-Account-Id"] == "1a1"
    assert answer.headers["X-API-Account-Kind"] == "admin"
    assert answer.headers["X-API-Schemas"] == rancher.url("/v2-beta/schemas")


def test_an_environment_key_needs_no_prefix(rancher):
    answer = rancher.get("/v2-beta/hosts", auth=rancher.environment)

    assert len(answer.json()["data"]) == 2
    assert answer.headers["X-API-Account-Id"] == "1a5"
    assert rancher.get("/v2-beta/hosts", auth=rancher.other_environment).json()["data"] == []


@pytest.mark.parametrize(
    ("who", "method", "path", "status"),
    [
        ("environment", "GET", "/v2-beta/projects/1a5/hosts", 200),
        ("environment", "GET", "/v2-beta/projects/{other}/hosts", 403),
        ("environment", "GET", "/v2-beta/projects/nonsense/hosts", 403),
        ("environment", "GET", "/v2-beta/projects/1a5", 200),
        ("environment", "GET", "/v2-beta/projects/{other}", 404),
        ("environment", "POST", "/v2-beta/projects", 405),
        ("environment", "POST", "/v2-beta/projects/1a5/projects", 405),
        ("environment", "PUT", "/v2-beta/projects/1a5", 405),
        ("environment", "PUT", "/v2-beta/projects/{other}", 405),
        ("environment", "DELETE", "/v2-beta/projects/{other}", 405),
        ("environment", "POST", "/v2-beta/projects/{other}?action=setmembers", 404),
        ("environment", "GET", "/v2-beta/clustermemberships", 404),
        ("environment", "POST", "/v2-beta/localauthconfigs", 404),
        ("environment", "PUT", "/v2-beta/settings/api.host", 405),
        ("environment", "GET", "/v2-beta/settings/api.host", 200),
        ("environment", "GET", "/v2-beta/settings/api.security.enabled", 404),
        ("environment", "POST", "/v2-beta/registrationtokens", 201),
        ("other_environment", "GET", "/v2-beta/hosts/1h1", 404),
        ("other_environment", "POST", "/v2-beta/hosts/1h1?action=deactivate", 404),
        ("admin_key", "GET", "/v2-beta/projects/{other}/hosts/1h1", 404),
        ("admin_key", "GET", "/v2-beta/projects/1a999/hosts", 403),
        ("admin_key", "POST", "/v2-beta/registrationtokens", 405),
        ("admin_key", "POST", "/v2-beta/projects/1a5/registrationtokens", 201),
        ("admin_key", "GET", "/v2-beta/clustermemberships", 200),
        ("admin_key", "PUT", "/v2-beta/hosts/1h1", 405),
        ("admin_key", "DELETE", "/v2-beta/hosts/1h1", 405),
        ("admin_key", "POST", "/v2-beta/projects/1a5/projects", 405),
        ("user", "POST", "/v2-beta/projects", 201),
        ("user", "PUT", "/v2-beta/projects/1a5", 404),
        ("user", "GET", "/v2-beta/clustermemberships", 404),
        ("user", "PUT", "/v2-beta/settings/api.host", 405),
        ("user", "POST", "/v2-beta/localauthconfigs", 404),
        ("user", "GET", "/v2-beta/accounts/1a1", 404),
        ("user", "GET", "/v2-beta/projects/1a5/hosts", 403),
        ("user", "GET", "/v2-beta/projects/1a5", 404),
    ],
)
def test_a_callers_reach(rancher, who, method, path, status):
    path = path.format(other=rancher.other)

    answer = rancher.request(method, path, auth=getattr(rancher, who), json={})

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("role", "method", "status"),
    [
        ("owner", "PUT", 200),
        ("member", "PUT", 200),
        ("restricted", "PUT", 405),
        ("readonly", "PUT", 405),
        ("owner", "DELETE", 405),
        ("restricted", "DELETE", 405),
        ("readonly", "GET", 200),
    ],
)
def test_a_members_role_decides_about_hosts(rancher, role, method, status):
    _set_role(rancher, role)

    answer = rancher.request(
        method, "/v2-beta/projects/1a5/hosts/1h1", auth=rancher.user, json={"name": "n"}
    )

    assert answer.status_code == status
    if status == 200:
        shown = set(answer.json()["actions"])
        assert ("deactivate" in shown) == (role in ("owner", "member"))


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("member", 403), ("restricted", 403), ("readonly", 403)]
)
def test_only_owners_change_an_environment(rancher, role, status):
    _set_role(rancher, role)
    path = "/v2-beta/projects/1a5"

    answer = rancher.request("PUT", path, auth=rancher.user, json={"description": "d"})

    assert answer.status_code == status
    shown = rancher.get(path, auth=rancher.user).json()["actions"]
    assert ("setmembers" in shown) == (role == "owner")


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 201), ("member", 201), ("restricted", 404), ("readonly", 404)]
)
def test_owners_and_members_alone_bring_new_hosts(rancher, role, status):
    _set_role(rancher, role)

    made = rancher.post("/v2-beta/projects/1a5/registrationtokens", auth=rancher.user)

    assert made.status_code == status


def _set_role(rancher, role):
    users = rancher.get("/v2-beta/accounts?kind=user", auth=rancher.admin_key).json()["data"]
    members = [
        {"externalId": "1a1", "externalIdType": "rancher_id", "role": "owner"},
        {"externalId": users[0]["id"], "externalIdType": "rancher_id", "role": role},
    ]
    answer = rancher.post(
        "/v2-beta/projects/1a5?action=setmembers", {"members": members}, auth=rancher.admin_key
    )
    assert answer.status_code == 200
    rancher.wait_for(lambda: _active_roles(rancher, users[0]["id"]) == [role])


def _active_roles(rancher, user_id):
    members = rancher.cluster.store.project_members
    own = identity_key("rancher_id", user_id)
    return [
        one.role
        for one in members
        if one.state == "active"
        and identity_key(one.external_id_type, one.external_id) == own
        and one.project_id == 5
    ]


@pytest.mark.parametrize(
    "scope", [{"headers": {"X-API-Project-Id": "1a5"}}, {"params": {"projectId": "1a5"}}]
)
def test_a_header_or_a_parameter_scopes_like_the_path(rancher, scope):
    answer = rancher.post("/v2-beta/registrationtokens", auth=rancher.admin_key, **scope)

    assert answer.status_code == 201
    assert answer.json()["accountId"] == "1a5"


def test_admins_too_see_only_their_own_environments_unless_they_ask_for_all(rancher):
    member = {"externalId": "1a3", "externalIdType": "rancher_id", "role": "owner"}
    made = rancher.post(
        "/v2-beta/projects", {"name": "foreign", "members": [member]}, auth=rancher.admin_key
    )
    assert made.status_code == 201

    own = rancher.get("/v2-beta/projects", auth=rancher.admin_key).json()["data"]
    every = rancher.get("/v2-beta/projects?all=true", auth=rancher.admin_key).json()["data"]

    assert "foreign" not in [project["name"] for project in own]
    assert "foreign" in [project["name"] for project in every]


def test_a_key_opens_nothing_before_it_is_active(rancher):
    rancher.call(rancher.cluster.clockwork.pause)
    key = rancher.post("/v2-beta/apikeys", auth=rancher.admin_key).json()
    auth = (key["publicValue"], key["secretValue"])

    assert rancher.get("/v2-beta", auth=auth).status_code == 401

    rancher.call(rancher.cluster.clockwork.run)
    rancher.wait_for(lambda: rancher.get("/v2-beta", auth=auth).status_code == 200)


def test_a_key_that_was_deactivated_is_refused(rancher):
    key = rancher.post("/v2-beta/apikeys", auth=rancher.admin_key).json()
    auth = (key["publicValue"], key["secretValue"])
    rancher.wait_for(lambda: rancher.get("/v2-beta", auth=auth).status_code == 200)

    path = f"/v2-beta/apikeys/{key['id']}"
    assert rancher.request("DELETE", path, auth=rancher.admin_key).status_code == 405
    assert rancher.post(f"{path}?action=deactivate", auth=rancher.admin_key).status_code == 202

    assert rancher.get("/v2-beta", auth=auth).status_code == 401


def test_name_and_password_are_exchanged_for_a_token(rancher):
    token = rancher.post("/v2-beta/token", {"code": "admin:pa55"})
    assert token.status_code == 201

    bearer = {"Authorization": f"Bearer {token.json()['jwt']}"}

    assert rancher.get("/v2-beta/hosts", headers=bearer).status_code == 200
    assert rancher.post("/v2-beta/token", {"code": "admin:wrong"}).status_code == 401


def test_strangers_may_ask_how_one_logs_in(rancher):
    entry = rancher.get("/v2-beta/token").json()["data"][0]

    assert (entry["authProvider"], entry["security"]) == ("localAuthConfig", True)


def test_a_wrong_password_for_a_known_name_is_refused(rancher):
    body = {**PASSWORD, "password": "other"}

    answer = rancher.post("/v2-beta/localauthconfigs", body, auth=rancher.admin_key)

    assert (answer.status_code, answer.json()["code"]) == (401, "IncorrectPassword")


def test_while_access_control_is_off_everybody_is_the_admin(tmp_path):
    lab = RancherLab(tmp_path)
    lab.start_server()
    try:
        answer = lab.get("/v2-beta/hosts", auth=("wrong", "key"))
        assert answer.status_code == 200
        assert answer.headers["X-API-Account-Kind"] == "admin"

        lab.post("/v2-beta/localauthconfigs", PASSWORD)
        assert lab.get("/v2-beta/hosts").status_code == 401

        # Leaving out `enabled` switches security off again.
        token = lab.post("/v2-beta/token", {"code": "admin:pa55"}).json()["jwt"]
        bearer = {"Authorization": f"Bearer {token}"}
        without = {"username": "admin", "password": "pa55"}
        assert lab.post("/v2-beta/localauthconfigs", without, headers=bearer).status_code == 201
        assert lab.get("/v2-beta/hosts").status_code == 200
    finally:
        lab.close()
