"""A change of the database is shown, approved and applied; what would lose more is forbidden."""

from typing import Any

import pytest

from tests.lab.paused import Desk
from tests.lab.stage import BUILD, FLOW_S, Stage

pytestmark = [
    pytest.mark.lab,
    pytest.mark.usefixtures("built"),
    pytest.mark.xdist_group("stage"),
    pytest.mark.timeout(2700),
]

CLASS, LARGER = "db.m5.large", "db.m5.xlarge"
ADDRESS = "database:aws_db_instance.this"


def give_class(name: str) -> Any:
    return lambda content: content["database"].update(instance_class=name)


def give_network(content: dict[str, Any]) -> None:
    """Put the cluster's network elsewhere, which would replace all that is in it."""
    content["network"]["cidr"] = "10.99.0.0/16"


def database(stage: Stage) -> dict[str, Any]:
    (instance,) = stage.client("rds").describe_db_instances()["DBInstances"]
    found: dict[str, Any] = instance
    return found


def test_a_change_of_the_database_s_class_is_shown_approved_and_applied(stage: Stage):
    before = database(stage)
    stage.edit(give_class(LARGER))
    desk = Desk(stage.environment["PREFECT_API_URL"], FLOW_S)
    build = stage.run_flow(BUILD, "class", cluster="lab")

    run = desk.find_run("build-cluster")
    form = desk.form_of(run)
    assert f"- instance_class: `{CLASS}` -> `{LARGER}`" in form.text
    assert f"approve `{ADDRESS}`" in form.text
    assert database(stage)["DBInstanceClass"] == CLASS, "nothing is changed before"
    assert desk.fill_in(run.id, approve=True) == "ACCEPT"

    assert build.wait(FLOW_S) == 0, build.tail
    after = database(stage)
    assert after["DBInstanceClass"] == LARGER
    assert after["DbiResourceId"] == before["DbiResourceId"]


def test_without_a_person_a_change_of_the_class_takes_an_approval_by_name(stage: Stage):
    stage.edit(give_class(CLASS))

    refused = stage.refuse(BUILD, "class-back-refused", ask=False)
    assert f"approve `{ADDRESS}`" in refused.text
    assert database(stage)["DBInstanceClass"] == LARGER

    stage.build("class-back", ask=False, approvals=[ADDRESS])
    assert database(stage)["DBInstanceClass"] == CLASS


def test_a_change_that_would_replace_what_is_protected_takes_an_approval_with_a_date(
    stage: Stage,
):
    before = stage.client("ec2").describe_vpcs()["Vpcs"]

    with stage.edited(give_network):
        refused = stage.refuse(BUILD, "replaced", approvals=["vpc:aws_vpc.this"])

    assert "aws_vpc.this: would replace the network" in refused.text
    assert "(its approval has no date); if that is wanted, approve `vpc:aws_vpc.this until" in (
        refused.text
    )
    assert stage.client("ec2").describe_vpcs()["Vpcs"] == before
