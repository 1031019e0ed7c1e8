"""Templates of environments, and what environments get from them."""

import pytest
from rancher_lab import RancherLab

STACKS = ["healthcheck", "ipsec", "network-services", "scheduler"]


@pytest.fixture(scope="module")
def rancher(tmp_path_factory):
    lab = RancherLab(tmp_path_factory.mktemp("rancher"))
    lab.start_server()
    client = lab.client()
    lab.wait_for(
        lambda: len(client.list_projectTemplate(state="active").data) == 5, "the templates"
    )
    yield lab
    lab.close()


@pytest.fixture
def admin(rancher):
    return rancher.client()


def template_of(admin, name):
    return admin.list_projectTemplate(name=name, isPublic=True).data[0]


def create(admin, name, template):
    project = admin.create_project(name=name, projectTemplateId=template_of(admin, template).id)
    return admin.wait_success(project)


@pytest.mark.parametrize(
    ("name", "external_id"),
    [
        ("Cattle", "catalog://library:project*cattle:0"),
        ("Kubernetes", "catalog://library:project*kubernetes:0"),
        ("Mesos", "catalog://library:project*mesos:0"),
        ("Swarm", "catalog://library:project*swarm:0"),
        ("Windows", "catalog://library:project*windows:1"),
    ],
)
def test_the_catalogs_templates_are_public(admin, name, external_id):
    template = template_of(admin, name)

    assert (template.externalId, template.isPublic) == (external_id, True)
    assert template.accountId is None


def test_a_template_names_its_stacks(rancher, admin):
    path = f"/v2-beta/projecttemplates/{template_of(admin, 'Cattle').id}"

    stacks = rancher.get(path).json()["stacks"]

    assert sorted(one["name"] for one in stacks) == STACKS
    assert {"name": "ipsec", "templateId": "library:infra*ipsec"} in stacks


@pytest.mark.parametrize("body", [{"projectTemplateId": "1pt99"}, {"projectTemplateId": "x"}])
def test_a_template_that_is_not_there_is_refused(rancher, body):
    answer = rancher.post("/v2-beta/projects", {"name": "nowhere", **body})

    assert (answer.status_code, answer.json()["code"]) == (422, "InvalidReference")


@pytest.mark.parametrize(
    ("template", "orchestration"),
    [("Cattle", "cattle"), ("Kubernetes", "kubernetes"), ("Swarm", "swarm"), ("Mesos", "mesos")],
)
def test_an_environment_is_run_by_what_its_template_says(admin, template, orchestration):
    assert create(admin, f"by-{template}", template).orchestration == orchestration


def test_an_environment_gets_the_stacks_of_its_template_as_infrastructure(rancher, admin):
    project = create(admin, "furnished", "Cattle")
    client = rancher.project_client(project.id)

    stacks = rancher.wait_for(
        lambda: len(found := client.list_stack(state="active", sort="name").data) == 4 and found,
        "the stacks",
    )

    assert [one.name for one in stacks] == STACKS
    assert {one.system for one in stacks} == {True}
    assert stacks[1].externalId == "catalog://library:infra*ipsec:18"
    assert {one.healthState for one in stacks} == {"unhealthy"}


def test_the_default_environment_is_furnished_once_the_templates_are_there(rancher, admin):
    default = admin.by_id_project("1a5")
    client = rancher.project_client()

    assert default.projectTemplateId == template_of(admin, "Cattle").id
    rancher.wait_for(lambda: len(client.list_stack(state="active").data) == 4, "the stacks")


def test_infrastructure_is_healthy_once_the_environment_has_a_host(rancher, admin):
    project = create(admin, "hosted", "Cattle")
    client = rancher.project_client(project.id)
    rancher.call(rancher.cluster.seed_herd, 1, 0, "hosted")

    rancher.wait_for(
        lambda: [one.healthState for one in client.list_stack().data] == ["healthy"] * 4, "health"
    )


def test_an_environment_without_a_template_has_no_stacks(rancher, admin):
    project = admin.wait_success(admin.create_project(name="bare"))

    assert rancher.project_client(project.id).list_stack().data == []
    assert project.orchestration == "cattle"


def test_infrastructure_starts_on_hosts_that_were_there_before_the_catalog(tmp_path):
    lab = RancherLab(tmp_path)
    try:
        lab.start_server()
        lab.call(lab.cluster.seed_herd, 1)
        client = lab.project_client()
        lab.wait_for(
            lambda: [one.healthState for one in client.list_stack().data] == ["healthy"] * 4,
            "health",
        )
    finally:
        lab.close()
