"""The catalog service, as it is reached through Rancher."""

import pytest
from rancher_lab import RancherLab

from lab.rancher.catalog.versions import is_between, is_greater

ROOT = "/v1-catalog"
ECR = f"{ROOT}/templates/library:infra*ecr"


@pytest.fixture(scope="module")
def rancher(tmp_path_factory):
    lab = RancherLab(tmp_path_factory.mktemp("rancher"))
    lab.start_server()
    lab.wait_for(lambda: lab.cluster.catalog_loaded, "the catalog")
    yield lab
    lab.close()


def test_the_catalogs_are_listed(rancher):
    catalogs = rancher.get(f"{ROOT}/catalogs").json()["data"]

    assert {one["id"]: one["branch"] for one in catalogs} == {
        "community": "master",
        "library": "v1.6-release",
    }


def test_a_template_links_to_its_versions(rancher):
    template = rancher.get(ECR).json()

    assert (template["id"], template["type"]) == ("library:infra*ecr", "template")
    assert template["versionLinks"] == {
        "v0.1.0": rancher.url(f"{ECR}:0"),
        "v2.0.1": rancher.url(f"{ECR}:1"),
    }
    assert template["defaultVersion"] == "v2.0.1"
    assert template["defaultTemplateVersionId"] == "library:infra*ecr:1"


@pytest.mark.parametrize(
    ("version", "links"),
    [
        ("v1.6.12", {"v0.1.0"}),
        ("v1.6.30", {"v2.0.1"}),
        ("v1.4.0", set()),
        ("", {"v0.1.0", "v2.0.1"}),
    ],
)
def test_a_template_links_only_to_versions_that_fit_a_rancher(rancher, version, links):
    template = rancher.get(ECR, params={"rancherVersion": version}).json()

    assert set(template["versionLinks"]) == links


def test_templates_without_a_version_that_fits_are_not_listed(rancher):
    asked = {"catalog": "library", "templateBase_eq": "infra", "rancherVersion": "v1.6.12"}
    listed = rancher.get(f"{ROOT}/templates", params=asked).json()

    assert {one["id"] for one in listed["data"]} == {
        "library:infra*container-crontab",
        "library:infra*ecr",
        "library:infra*network-diagnostics",
        "library:infra*route53",
    }


def test_a_list_of_no_templates_has_no_data_at_all(rancher):
    listed = rancher.get(f"{ROOT}/templates", params={"catalog": "mine"}).json()

    assert listed["type"] == "collection"
    assert "data" not in listed


@pytest.mark.parametrize("version", ["1", "v2.0.1"])
def test_a_version_is_found_by_revision_and_by_name(rancher, version):
    found = rancher.get(f"{ECR}:{version}").json()

    assert (found["id"], found["type"]) == ("library:infra*ecr:1", "templateVersion")
    assert (found["version"], found["revision"]) == ("v2.0.1", 1)
    assert found["minimumRancherVersion"] == "v1.6.13-rc1"
    assert found["maximumRancherVersion"] == ""
    assert set(found["files"]) == {"docker-compose.yml.tpl", "rancher-compose.yml"}
    assert found["links"]["template"] == rancher.url(ECR)
    assert found["templateId"] == "library:infra*ecr"


def test_a_version_that_does_not_fit_is_answered_nevertheless(rancher):
    answer = rancher.get(f"{ECR}:0", params={"rancherVersion": "v1.6.30"})

    assert answer.status_code == 200
    assert answer.json()["maximumRancherVersion"] == "v1.6.12"
    assert set(answer.json()["upgradeVersionLinks"]) == {"v2.0.1"}


def test_questions_have_all_their_fields(rancher):
    questions = {one["variable"]: one for one in rancher.get(f"{ECR}:1").json()["questions"]}

    assert questions["auto_create"]["default"] == "false"
    assert questions["aws_region"]["required"] is True
    assert questions["aws_access_key_id"]["options"] is None
    assert questions["registry_in_which_environment"]["options"] == ["current", "other"]


def test_a_default_that_is_a_number_or_a_truth_is_a_text(rancher):
    path = f"{ROOT}/templates/community:janitor:v1.7.1"
    questions = {one["variable"]: one for one in rancher.get(path).json()["questions"]}

    assert (questions["FREQUENCY"]["default"], questions["LOOP"]["default"]) == ("3600", "true")


def test_a_template_without_a_base_has_newer_versions_to_upgrade_to(rancher):
    found = rancher.get(f"{ROOT}/templates/community:janitor:v1.7").json()

    newer = rancher.url(f"{ROOT}/templates/community:janitor:4")
    assert found["upgradeVersionLinks"] == {"v1.7.1": newer}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("templates/library:infra*none", "Template not found"),
        ("templates/library:infra*none:1", "Template not found"),
        ("templates/library:ecr", "Template not found"),
        ("templates/nonsense", "Template not found"),
        ("templates/library:infra*ecr:9", "Version not found"),
        ("templates/library:infra*ecr:v9.9.9", "Version not found"),
        ("catalogs/mine", "Catalog not found"),
    ],
)
def test_what_is_not_there_is_refused_with_a_status_that_is_a_text(rancher, path, message):
    answer = rancher.get(f"{ROOT}/{path}")

    assert answer.status_code == 404
    assert answer.json() == {
        "type": "error",
        "links": {},
        "actions": {},
        "status": "404",
        "message": message,
    }


def test_the_catalog_can_be_refreshed(rancher):
    assert rancher.post(f"{ROOT}/templates?action=refresh").status_code == 204


def test_no_template_is_known_before_the_catalog_is_loaded(rancher, monkeypatch):
    monkeypatch.setattr(rancher.cluster, "catalog_loaded", False)

    assert rancher.get(ECR).status_code == 404
    assert "data" not in rancher.get(f"{ROOT}/templates").json()


def test_a_fault_makes_the_catalog_unreachable(rancher):
    rancher.world.faults.add(
        {
            "target": "rancher",
            "match": {"operation": "GET /v1-catalog/templates/{id}", "id": "library:infra*ecr:1"},
            "effect": {"status": 503},
            "times": 1,
        }
    )

    statuses = [rancher.get(f"{ECR}:{version}").status_code for version in (0, 1, 1)]

    assert statuses == [200, 503, 200]
    calls = {(row["operation"], row["status"]) for row in rancher.world.journal.rows()}
    assert ("GET /v1-catalog/templates/{id}", 503) in calls


def test_strangers_are_kept_out_when_access_control_is_on(tmp_path):
    lab = RancherLab(tmp_path)
    try:
        lab.start_server()
        key = lab.environment_key()
        lab.client().create_localAuthConfig(
            username="admin", password="secret", accessMode="unrestricted", enabled=True
        )
        assert lab.get(f"{ROOT}/catalogs").status_code == 401
        assert lab.get(f"{ROOT}/catalogs").json()["code"] == "Unauthorized"
        assert lab.get(f"{ROOT}/catalogs", auth=key).status_code == 200
    finally:
        lab.close()


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("v1.6.30", "v1.6.13-rc1"),
        ("v1.6.13", "v1.6.13-rc1"),
        ("v1.6.12", "v1.6.9"),
        ("v1.6.13-rc2", "v1.6.13-rc1"),
        ("v1.6.1.1", "v1.6.1"),
        ("2.0", "v1.9"),
    ],
)
def test_versions_are_compared_by_their_parts(newer, older):
    assert is_greater(newer, older)
    assert not is_greater(older, newer)
    assert not is_greater(newer, newer)


def test_limits_of_versions_count_as_within():
    assert is_between("v1.6.12", "v1.6.12", "v1.6.12")
    assert is_between("", "v1.6.30", "")
    assert is_between("v9", "", "v1")
    assert not is_between("", "v1.6.13-rc1", "v1.6.12")
