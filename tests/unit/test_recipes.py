"""What Packer's template is told, and where people are told to look."""

import re
from pathlib import Path

import pytest

from corral.clients.aws import Image
from corral.settings import PROJECT, Settings, load_cluster_spec
from tasks.recipes import Recipe, template_variables, way_in

SPEC = load_cluster_spec("lab", Settings())
RECIPE = Recipe(
    name="corral-node-1",
    source=Image("ami-0", "debian-12"),
    revision="abc",
    versions={"docker": "19.03.15"},
    variables=Path("/operators.yml"),
    ansible=Path("/bin/ansible-playbook"),
    run="run-1",
)


@pytest.fixture(autouse=True)
def _no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_EC2", raising=False)


def test_every_variable_that_is_told_is_one_of_the_template_and_none_that_it_needs_is_missing():
    text = (PROJECT / "images" / "variables.pkr.hcl").read_text()
    blocks = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
    told = template_variables(SPEC, RECIPE)

    assert set(told) <= {name for name, _ in blocks}
    assert {name for name, block in blocks if " default " not in block} <= set(told)


def test_ssh_comes_from_the_admin_networks_only():
    assert template_variables(SPEC, RECIPE)["source_cidrs"] == ["203.0.113.0/24", "198.51.100.7/32"]


def test_ec2_is_where_boto3_looks_for_it(monkeypatch):
    assert template_variables(SPEC, RECIPE)["custom_endpoint_ec2"] == ""

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://all")
    assert template_variables(SPEC, RECIPE)["custom_endpoint_ec2"] == "http://all"

    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "http://ec2")
    assert template_variables(SPEC, RECIPE)["custom_endpoint_ec2"] == "http://ec2"


def test_a_builder_says_whose_it_is():
    tags = template_variables(SPEC, RECIPE)["run_tags"]

    assert (tags["corral:builder"], tags["corral:run"]) == ("lab", "run-1")


def test_the_way_in_names_the_subnet_if_there_is_one():
    bake = SPEC.bake.model_copy(update={"subnet": "subnet-1"})

    assert "default VPC's subnet" in way_in(SPEC, "debian-12")
    assert "its subnet subnet-1 (" in way_in(SPEC.model_copy(update={"bake": bake}), "debian-12")
