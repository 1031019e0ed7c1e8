"""Settings: which source counts, and who sees them."""

import pytest
from rancher_lab import RancherLab

VARIABLES = {
    "CATTLE_API_HOST": "https://above.corral.test",
    "DEFAULT_CATTLE_TELEMETRY_OPT": "out",
    "CATTLE_LB_INSTANCE_IMAGE": " ",
    "CATTLE_DB_CATTLE_PASSWORD": "hunter2",
}


@pytest.fixture(scope="module")
def rancher(tmp_path_factory):
    lab = RancherLab(tmp_path_factory.mktemp("rancher"))
    lab.start_server(environment=VARIABLES)
    lab.environment = lab.environment_key()
    yield lab
    lab.close()


def look_up(rancher, name):
    return rancher.get(f"/v2-beta/settings/{name}").json()


def write(rancher, name, value):
    answer = rancher.request("PUT", f"/v2-beta/settings/{name}", json={"value": value})
    assert answer.status_code == 200
    return answer.json()


def reset(rancher, name):
    return rancher.request("DELETE", f"/v2-beta/settings/{name}")


def test_a_variable_wins_over_the_database_and_stays_after_a_reset(rancher):
    written = write(rancher, "api.host", "https://database.corral.test")

    assert (written["value"], written["inDb"]) == ("https://database.corral.test", True)
    assert written["activeValue"] == "https://above.corral.test"
    assert written["source"] == "Environment Variables"

    assert reset(rancher, "api.host").json()["value"] == "https://above.corral.test"
    assert look_up(rancher, "api.host")["inDb"] is False


def test_the_database_wins_over_a_default_variable_until_it_is_reset(rancher):
    assert look_up(rancher, "telemetry.opt")["source"] == "Default Environment Variables"

    written = write(rancher, "telemetry.opt", "in")
    assert (written["activeValue"], written["source"]) == ("in", "Database")

    assert reset(rancher, "telemetry.opt").json()["activeValue"] == "out"


def test_a_blank_variable_does_not_count(rancher):
    found = look_up(rancher, "lb.instance.image")

    assert found["source"] == "Code Packaged Defaults"
    assert found["value"].startswith("rancher/lb-service-haproxy")


def test_what_is_not_in_the_database_cannot_be_reset(rancher):
    assert reset(rancher, "cattle.version").status_code == 404


def test_a_setting_is_overwritten_by_making_it_again(rancher):
    for value in ("one", "two"):
        made = rancher.post("/v2-beta/settings", {"name": "some.name", "value": value})
        assert (made.status_code, made.json()["value"]) == (201, value)


def test_admins_see_what_the_environment_says_in_the_list_too(rancher):
    listed = {one["name"]: one for one in rancher.get("/v2-beta/settings").json()["data"]}

    assert listed["db.cattle.password"]["source"] == "Environment Variables"


def test_admins_may_ask_for_the_public_ones_alone(rancher):
    names = {one["name"] for one in rancher.get("/v2-beta/settings?all=false").json()["data"]}

    assert "api.host" in names
    assert "api.security.enabled" not in names


def test_nobody_reads_the_secrets_among_them(rancher):
    write(rancher, "api.auth.github.client.secret", "hunter2")

    found = look_up(rancher, "api.auth.github.client.secret")

    assert (found["value"], found["activeValue"], found["inDb"]) == (None, None, True)


def test_others_than_admins_see_the_public_ones_without_their_source(rancher):
    data = rancher.get("/v2-beta/settings", auth=rancher.environment).json()["data"]

    assert {"api.host", "rancher.server.version"} <= {one["name"] for one in data}
    assert not {"db.cattle.password", "api.security.enabled"} & {one["name"] for one in data}
    assert all("source" not in one and "inDb" not in one for one in data)
