"""Access control: by GitHub and by passwords, set through the auth service."""

import time

import pytest
from rancher_lab import RancherLab

from lab.github import CLIENT_ID, CLIENT_SECRET, ENTERPRISE_HOST

ACME = {"externalId": "9919", "externalIdType": "github_org"}
INITECH = {"externalId": "9920", "externalIdType": "github_org"}
OPS = {"externalId": "4101", "externalIdType": "github_team"}
LOCAL = {"username": "admin", "password": "pa55", "name": "Admin", "enabled": True}
CONFIG = "/v1-auth/config"


@pytest.fixture
def rancher(tmp_path):
    lab = RancherLab(tmp_path)
    lab.start_server()
    yield lab
    lab.close()


def config(*, enabled=False, mode="unrestricted", allowed=(), **github):
    return {
        "type": "config",
        "provider": "githubconfig",
        "enabled": enabled,
        "accessMode": mode,
        "allowedIdentities": list(allowed),
        "githubConfig": {
            "hostname": None,
            "scheme": "https://",
            "clientId": CLIENT_ID,
            "clientSecret": CLIENT_SECRET,
            **github,
        },
    }


def code_of(rancher, user, *, expired=False):
    return rancher.world.github.authorize(user, expired=expired)


def log_in(rancher, user):
    return rancher.post("/v2-beta/token", {"code": code_of(rancher, user)})


def bearer(token):
    return {"Authorization": f"Bearer {token.json()['jwt']}"}


def _make_key(rancher):
    client = rancher.client()
    key = client.create_apiKey()
    client.wait_success(key)
    return key.publicValue, key.secretValue


def set_up(rancher, mode="restricted", allowed=(ACME,), user="octocat"):
    """Go the whole way as the GUI does; return the administrator's key and token."""
    key = _make_key(rancher)
    assert rancher.post(CONFIG, config(), auth=key).status_code == 200
    token = log_in(rancher, user)
    assert token.status_code == 201
    saved = rancher.post(CONFIG, config(enabled=True, mode=mode, allowed=allowed), auth=key)
    assert saved.status_code == 200
    rancher.wait_for(lambda: _owners(rancher) != [], "an owner")
    return key, token


def _owners(rancher):
    return [
        (one.external_id_type, one.external_id)
        for one in rancher.cluster.store.project_members
        if one.state == "active" and one.project_id == 5
    ]


def setting(rancher, name, **options):
    return rancher.get(f"/v2-beta/settings/{name}", **options).json()["value"]


def github_calls(rancher):
    return [row for row in rancher.world.journal.rows() if row["target"] == "github"]


# Saving a configuration


def test_a_disabled_configuration_is_kept_without_a_look_at_github(rancher):
    answer = rancher.post(CONFIG, config(allowed=[ACME], clientSecret="nonsense"))

    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["type"], shown["provider"], shown["enabled"]) == ("config", "githubconfig", False)
    assert shown["githubConfig"]["clientId"] == CLIENT_ID
    assert shown["githubConfig"]["clientSecret"] == ""
    assert [one["id"] for one in shown["allowedIdentities"]] == ["github_org:9919"]
    assert github_calls(rancher) == []
    assert setting(rancher, "api.security.enabled") == "false"
    assert setting(rancher, "api.auth.provider.configured") == "githubconfig"
    assert setting(rancher, "api.auth.allowed.identities") == "github_org:9919"
    assert setting(rancher, "api.auth.user.type") == "github_user"
    assert rancher.get(CONFIG).json() == shown


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"provider": ""}, "Provider is a required field"),
        ({"provider": None}, "Provider is a required field"),
        ({"provider": "nonsense"}, "Please check the request content"),
        ({"enabled": "true"}, "Please check the request content"),
        ({"allowedIdentities": [{**ACME, "externalId": 9919}]}, "check the request content"),
        ({"githubConfig": "nonsense"}, "Please check the request content"),
    ],
)
def test_a_bad_configuration_is_a_bad_request_in_the_auth_services_own_words(
    rancher, change, message
):
    answer = rancher.post(CONFIG, config() | change)

    assert answer.status_code == 400
    error = answer.json()
    assert (error["type"], error["status"]) == ("error", "400")
    assert "code" not in error
    assert message in error["message"]
    assert setting(rancher, "api.auth.provider.configured") is None


def test_what_is_no_json_is_a_bad_request(rancher):
    answer = rancher.request("POST", CONFIG, data="{")

    assert (answer.status_code, answer.json()["status"]) == (400, "400")


def test_an_organisation_that_does_not_exist_is_kept_like_any_other(rancher):
    nobody = {"externalId": "1", "externalIdType": "github_org"}

    assert rancher.post(CONFIG, config(allowed=[nobody])).status_code == 200
    assert setting(rancher, "api.auth.allowed.identities") == "github_org:1"


def test_the_list_of_allowed_identities_cannot_be_emptied(rancher):
    rancher.post(CONFIG, config(allowed=[ACME]))

    rancher.post(CONFIG, config(allowed=[]))

    assert setting(rancher, "api.auth.allowed.identities") == "github_org:9919"


@pytest.mark.parametrize(("enabled", "kept"), [(True, True), (False, False)])
def test_a_secret_left_out_is_kept_only_where_access_control_is_on(rancher, enabled, kept):
    set_up(rancher)
    auth = bearer(log_in(rancher, "octocat"))

    saved = rancher.post(CONFIG, config(enabled=enabled, clientSecret=""), headers=auth)

    assert saved.status_code == 200
    assert (log_in(rancher, "octocat").status_code == 201) is kept


def test_a_setting_that_the_servers_environment_fixes_is_written_in_vain(tmp_path):
    lab = RancherLab(tmp_path)
    lab.start_server(environment={"CATTLE_API_SECURITY_ENABLED": "false"})
    try:
        assert lab.post(CONFIG, config(enabled=True)).json()["enabled"] is False

        found = lab.get("/v2-beta/settings/api.security.enabled").json()
        assert (found["value"], found["activeValue"]) == ("true", "false")
        assert found["source"] == "Environment Variables"
        assert lab.get("/v2-beta/hosts").status_code == 200
    finally:
        lab.close()


# Checking a code


def test_a_test_of_a_github_login_tests_nothing(rancher):
    code = code_of(rancher, "octocat")

    for one in ("nonsense", code):
        answer = rancher.post("/v1-auth/testlogin", {"authConfig": config(), "code": one})
        assert (answer.status_code, answer.content) == (200, b"")

    assert github_calls(rancher) == []
    rancher.post(CONFIG, config())
    assert rancher.post("/v2-beta/token", {"code": code}).status_code == 201


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"code": "c"}, 400),
        ({"authConfig": {"provider": "nonsense"}, "code": "c"}, 500),
        ({"authConfig": {"provider": 1}}, 400),
        ([], 400),
    ],
)
def test_a_test_login_wants_a_provider(rancher, body, status):
    answer = rancher.request("POST", "/v1-auth/testlogin", json=body)

    assert (answer.status_code, answer.json()["status"]) == (status, str(status))


# Logging in before access control is on


def test_who_logs_in_first_becomes_the_administrator_and_owns_what_nobody_owns(rancher):
    rancher.post(CONFIG, config())

    token = log_in(rancher, "octocat").json()

    assert (token["accountId"], token["userType"], token["security"]) == ("1a1", "admin", False)
    assert (token["user"], token["userIdentity"]["externalId"]) == ("octocat", "583231")
    assert [(one["externalIdType"], one["login"]) for one in token["identities"]] == [
        ("github_user", "octocat"),
        ("github_org", "acme"),
        ("github_team", "ops"),
    ]
    assert token["identities"][2]["profileUrl"] == "https://github.com/orgs/acme/teams/ops"
    rancher.wait_for(lambda: _owners(rancher) == [("github_user", "583231")], "the new owner")
    assert setting(rancher, "api.auth.enabler") == "github_user:583231"
    assert rancher.get("/v2-beta/accounts/1a1").json()["externalId"] == "583231"


def test_all_pages_of_organisations_are_read(rancher):
    rancher.post(CONFIG, config())

    identities = log_in(rancher, "hubot").json()["identities"]

    logins = [one["login"] for one in identities if one["externalIdType"] == "github_org"]
    assert logins == ["acme", "initech"]


def test_a_code_is_good_once(rancher):
    rancher.post(CONFIG, config())
    code = code_of(rancher, "octocat")
    assert rancher.post("/v2-beta/token", {"code": code}).status_code == 201

    _is_refused(rancher.post("/v2-beta/token", {"code": code}), "bad_verification_code")


def test_an_expired_code_is_refused_as_a_wrong_one(rancher):
    rancher.post(CONFIG, config())

    answers = [
        rancher.post("/v2-beta/token", {"code": code})
        for code in ("nonsense", code_of(rancher, "octocat", expired=True))
    ]

    assert answers[0].json()["message"] == answers[1].json()["message"]
    for answer in answers:
        _is_refused(answer, "bad_verification_code", "The code passed is incorrect or expired.")


def test_a_wrong_secret_of_the_application_shows_when_a_code_is_exchanged(rancher):
    rancher.post(CONFIG, config(clientSecret="nonsense"))

    _is_refused(log_in(rancher, "octocat"), "incorrect_client_credentials")


@pytest.mark.parametrize(
    ("github", "complaint"),
    [
        ({"hostname": "github.nowhere.test"}, "no such host"),
        ({"hostname": ENTERPRISE_HOST, "scheme": "https"}, "unsupported protocol scheme"),
    ],
)
def test_a_github_that_is_not_there_shows_when_a_code_is_exchanged(rancher, github, complaint):
    rancher.post(CONFIG, config(**github))

    _is_refused(log_in(rancher, "octocat"), complaint)


def test_github_enterprise_is_asked_at_its_own_address(rancher):
    rancher.post(CONFIG, config(hostname=ENTERPRISE_HOST))

    assert log_in(rancher, "octocat").status_code == 201
    entry = rancher.get("/v2-beta/token").json()["data"][0]
    assert entry["redirectUrl"].startswith(f"https://{ENTERPRISE_HOST}/login/oauth/authorize?")


def _is_refused(answer, *words):
    error = answer.json()
    assert (answer.status_code, error["status"], error["code"]) == (500, 500, "AuthError")
    assert all(word in error["message"] for word in words)


def test_nobody_can_log_in_where_no_provider_is(rancher):
    answer = rancher.post("/v2-beta/token", {"code": "c"})

    assert (answer.status_code, answer.json()["code"]) == (500, "NoAuthProvider")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [({}, 422, "MissingRequired"), ({"code": None}, 400, "AuthError")],
)
def test_a_login_wants_a_code(rancher, body, status, code):
    rancher.post(CONFIG, config())

    answer = rancher.post("/v2-beta/token", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_strangers_are_told_where_one_logs_in(rancher):
    set_up(rancher)

    entry = rancher.get("/v2-beta/token").json()["data"][0]

    assert (entry["authProvider"], entry["security"]) == ("githubconfig", True)
    assert (entry["jwt"], entry["userIdentity"]) == (None, None)
    assert entry["redirectUrl"] == (
        f"https://github.com/login/oauth/authorize?client_id={CLIENT_ID}&scope=read%3Aorg"
    )


# Access control is on


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v2-beta/projects", CONFIG, "/v1-auth/identities?name=acme"]
)
def test_strangers_are_kept_out(rancher, path):
    set_up(rancher)

    assert rancher.get(path).status_code == 401
    assert rancher.get("/ping").status_code == 200


@pytest.mark.parametrize("mode", ["restricted", "required"])
def test_the_administrators_key_and_token_go_on(rancher, mode):
    key, token = set_up(rancher, mode)

    assert rancher.get("/v2-beta/hosts", auth=key).headers["X-API-Account-Kind"] == "admin"
    assert rancher.get("/v2-beta/hosts", headers=bearer(token)).status_code == 200
    assert rancher.get("/v2-beta/hosts", cookies={"token": token.json()["jwt"]}).status_code == 200
    assert rancher.client(key=key).list_project(all="true").data[0].name == "Default"


def test_who_is_not_allowed_is_turned_away_though_github_knows_them(rancher):
    set_up(rancher)

    answer = log_in(rancher, "stranger")

    error = answer.json()
    assert (answer.status_code, error["code"]) == (403, "AuthError")
    assert error["message"] == "Your account does not have access"


def test_who_is_allowed_gets_an_account_and_an_environment_of_their_own(rancher):
    set_up(rancher)

    token = log_in(rancher, "hubot")

    assert (token.status_code, token.json()["userType"]) == (201, "user")
    auth = bearer(token)
    rancher.wait_for(lambda: rancher.get("/v2-beta", headers=auth).status_code == 200)
    rancher.wait_for(lambda: _names(rancher, headers=auth) == ["hubot-Default"])
    assert rancher.get("/v2-beta/projects/1a5/hosts", headers=auth).status_code == 403
    refused = rancher.post(CONFIG, config(), headers=auth)
    assert (refused.status_code, refused.json()["status"]) == (403, 403)
    assert rancher.get(CONFIG, headers=auth).status_code == 200


def _names(rancher, **options):
    return [one["name"] for one in rancher.get("/v2-beta/projects", **options).json()["data"]]


def test_a_team_that_is_a_member_of_an_environment_lets_its_people_in(rancher):
    key, _ = set_up(rancher, allowed=())
    owner = {"externalId": "583231", "externalIdType": "github_user", "role": "owner"}
    team = {"externalId": "4102", "externalIdType": "github_team", "role": "readonly"}
    assert log_in(rancher, "hubot").status_code == 403

    members = {"members": [owner, team]}
    set_ = rancher.post("/v2-beta/projects/1a5?action=setmembers", members, auth=key)
    assert set_.status_code == 200
    rancher.wait_for(lambda: ("github_team", "4102") in _owners(rancher))

    auth = bearer(log_in(rancher, "hubot"))
    rancher.wait_for(lambda: rancher.get("/v2-beta", headers=auth).status_code == 200)
    assert rancher.get("/v2-beta/projects/1a5/hosts", headers=auth).status_code == 200
    # Who only reads does not even know of registration tokens.
    made = rancher.post("/v2-beta/projects/1a5/registrationtokens", headers=auth)
    assert made.status_code == 404


def test_whoever_requires_others_than_the_administrator_is_locked_out_with_every_key(rancher):
    environment = rancher.environment_key()
    key, token = set_up(rancher, "required", allowed=[INITECH])

    for options in ({"auth": key}, {"headers": bearer(token)}):
        answer = rancher.get("/v2-beta/settings", **options)
        assert (answer.status_code, answer.json()["code"]) == (403, "AuthError")
    assert rancher.get("/v2-beta/hosts", auth=environment).status_code == 200


def test_an_access_mode_that_nobody_knows_lets_nobody_in(rancher):
    key, _ = set_up(rancher, "nonsense")

    assert rancher.get("/v2-beta/hosts", auth=key).status_code == 403


def test_a_key_whose_owner_never_logged_in_does_not_depend_on_github(rancher):
    key = _make_key(rancher)
    rancher.post(CONFIG, config(enabled=True, mode="required", allowed=[ACME]), auth=key)

    assert rancher.get("/v2-beta/hosts", auth=key).status_code == 200
    # Nobody was tied to the administrator: who logs in now is a user like others.
    assert log_in(rancher, "octocat").json()["userType"] == "user"


def test_the_administrators_key_ends_with_the_token_at_github(rancher):
    key, _ = set_up(rancher)
    assert rancher.get("/v2-beta/hosts", auth=key).status_code == 200
    rancher.world.github.revoke("octocat")
    assert rancher.get("/v2-beta/hosts", auth=key).status_code == 200

    rancher.call(rancher.cluster.sessions.expire)

    answer = rancher.get("/v2-beta/hosts", auth=key)
    assert (answer.status_code, answer.json()["code"]) == (500, "AuthError")
    assert answer.json()["message"] == "Error communicating with authentication provider"


def test_once_access_control_is_on_strangers_do_not_hear_what_github_said(rancher):
    set_up(rancher)

    answer = rancher.post("/v2-beta/token", {"code": "nonsense"})

    assert (answer.status_code, answer.json()["code"]) == (500, "AuthError")
    assert answer.json()["message"] == "Error communicating with authentication provider"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", CONFIG, 200), ("POST", CONFIG, 403), ("POST", "/v1-auth/testlogin", 200)],
)
def test_an_environment_key_reads_how_access_is_controlled_and_changes_nothing(
    rancher, method, path, status
):
    environment = rancher.environment_key()
    set_up(rancher)

    body = config() | {"authConfig": config(), "code": "c"}
    assert rancher.request(method, path, json=body, auth=environment).status_code == status


def test_the_auth_service_never_sees_a_key(rancher):
    key, _ = set_up(rancher)

    passed_on = rancher.get(CONFIG, auth=key, headers={"X-API-AUTH-HEADER": "Basic a2V5"})

    assert rancher.get(CONFIG, auth=key).status_code == 200
    assert (passed_on.status_code, passed_on.json()["status"]) == (401, "401")


def test_a_user_logs_out_with_the_cookie(rancher):
    _, token = set_up(rancher)
    cookies = {"token": token.json()["jwt"]}

    answer = rancher.request("DELETE", "/v2-beta/token/current", cookies=cookies)

    assert (answer.status_code, answer.content) == (204, b"")
    assert rancher.get("/v2-beta", cookies=cookies).status_code == 401
    again = rancher.request("DELETE", "/v2-beta/token/current", cookies=cookies)
    assert (again.status_code, again.json()["code"]) == (500, "JWTNotProvided")


# Another provider


def test_nothing_keeps_one_from_changing_the_provider_but_tokens_end_with_the_old_one(rancher):
    key = _make_key(rancher)
    rancher.post("/v2-beta/localauthconfigs", LOCAL, auth=key)
    token = rancher.post("/v2-beta/token", {"code": "admin:pa55"})
    assert rancher.get("/v2-beta", headers=bearer(token)).status_code == 200

    switched = rancher.post(CONFIG, config(enabled=True), auth=key)

    assert (switched.status_code, switched.json()["provider"]) == (200, "githubconfig")
    answer = rancher.get("/v2-beta", headers=bearer(token))
    assert (answer.status_code, answer.json()["code"]) == (401, "AuthProviderChanged")
    assert rancher.get("/v2-beta", auth=key).status_code == 200


def test_a_password_login_wants_a_colon(rancher):
    rancher.post("/v2-beta/localauthconfigs", LOCAL)

    assert rancher.post("/v2-beta/token", {"code": "admin"}).status_code == 403


def test_a_new_name_takes_the_place_of_the_administrators_old_one(rancher):
    key = _make_key(rancher)
    rancher.post("/v2-beta/localauthconfigs", LOCAL, auth=key)

    rancher.post("/v2-beta/localauthconfigs", {**LOCAL, "username": "root"}, auth=key)

    assert rancher.post("/v2-beta/token", {"code": "admin:pa55"}).status_code == 401
    assert rancher.post("/v2-beta/token", {"code": "root:pa55"}).json()["accountId"] == "1a1"


@pytest.mark.parametrize("missing", ["username", "password"])
def test_local_access_control_wants_a_name_and_a_password(rancher, missing):
    body = {name: value for name, value in LOCAL.items() if name != missing}

    answer = rancher.post("/v2-beta/localauthconfigs", body)

    assert (answer.status_code, answer.json()["fieldName"]) == (422, missing)


# Identities


def test_people_find_themselves_and_others_by_login(rancher):
    key, token = set_up(rancher)

    for options in ({"auth": key}, {"headers": bearer(token)}):
        own = rancher.get("/v2-beta/identities", **options).json()["data"]
        assert {one["externalIdType"] for one in own} == {
            "rancher_id",
            "github_user",
            "github_org",
            "github_team",
        }
        (acme,) = rancher.get("/v2-beta/identities?name=acme", **options).json()["data"]
        assert (acme["id"], acme["externalId"]) == ("1i!github_org:9919", "9919")
        assert rancher.get("/v2-beta/identities?name=nobody", **options).json()["data"] == []
    assert rancher.client(key=key).by_id_identity("1i!github_team:4101").login == "ops"
    assert rancher.get("/v2-beta/identities/1i!github_org:1", auth=key).status_code == 404


def test_without_a_login_github_tells_nothing(rancher):
    key = _make_key(rancher)
    rancher.post(CONFIG, config(), auth=key)

    assert rancher.get("/v2-beta/identities?name=acme", auth=key).json()["data"] == []
    refused = rancher.get("/v1-auth/identities?name=acme", auth=key)
    assert (refused.status_code, refused.json()["status"]) == (401, "401")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("externalId=9919&externalIdType=github_org", 200),
        ("externalId=1&externalIdType=github_org", 500),
        ("externalId=4101&externalIdType=github_team", 200),
        ("externalId=4101&externalIdType=nonsense", 500),
        ("name=acme", 200),
        ("name=nobody", 200),
        ("externalId=9919", 400),
    ],
)
def test_the_auth_service_looks_identities_up_for_whoever_logged_in(rancher, query, status):
    key, _ = set_up(rancher)

    assert rancher.get(f"/v1-auth/identities?{query}", auth=key).status_code == status


def test_the_configuration_names_allowed_identities_to_whoever_logged_in(rancher):
    key, _ = set_up(rancher, allowed=[ACME, OPS])

    allowed = rancher.get(CONFIG, auth=key).json()["allowedIdentities"]

    assert [one["login"] for one in allowed] == ["acme", "ops"]


# The lab's own


def test_the_journal_tells_reading_from_writing(rancher):
    rancher.get(CONFIG)
    rancher.post(CONFIG, config())
    rancher.post("/v1-auth/testlogin", {"authConfig": config(), "code": "c"})
    log_in(rancher, "octocat")

    rows = rancher.world.journal.rows()
    assert [row["operation"] for row in rows if row["target"] == "rancher"] == [
        "GET /v1-auth/config",
        "POST /v1-auth/config",
        "POST /v1-auth/testlogin",
        "POST /v2-beta/token",
    ]
    assert {row["operation"] for row in rows if row["target"] == "github"} == {
        "POST /login/oauth/access_token",
        "GET /user",
        "GET /user/orgs",
        "GET /user/teams",
    }


def test_faults_reach_the_auth_service_as_well(rancher):
    operation = "POST /v1-auth/config"
    rancher.world.faults.add(
        {
            "target": "rancher",
            "match": {"operation": operation},
            "effect": {"status": 503},
            "times": 1,
        }
    )

    assert rancher.post(CONFIG, config()).status_code == 503
    assert rancher.post(CONFIG, config()).status_code == 200


@pytest.mark.parametrize("effect", [{"status": 502, "body": {}}, {"reset": True}])
def test_a_github_that_is_down_fails_a_login(rancher, effect):
    rancher.post(CONFIG, config())
    rancher.world.faults.add({"target": "github", "effect": effect, "times": 1})

    _is_refused(log_in(rancher, "octocat"))
    assert log_in(rancher, "octocat").status_code == 201


def test_every_server_knows_who_is_logged_in(rancher):
    _, token = set_up(rancher)
    rancher.start_server("10.77.0.2")

    assert rancher.get("/v2-beta", server=1, headers=bearer(token)).status_code == 200
    assert rancher.get("/v2-beta", server=1).status_code == 401


def test_a_token_ends_after_its_time(rancher):
    _, token = set_up(rancher)
    rancher.call(rancher.cluster.store.settings.update, {"api.auth.jwt.token.expiry": "1"})
    short = log_in(rancher, "octocat")
    until = time.monotonic() + 5
    while rancher.get("/v2-beta", headers=bearer(short)).status_code != 401:
        assert time.monotonic() < until

    assert rancher.get("/v2-beta", headers=bearer(token)).status_code == 200
