"""What a run that died may have left in AWS, and how the plan takes it into the state."""

import re

import pytest

from corral.clients.aws.lost import FINDERS, OVERWRITTEN
from corral.domain.adoption import find_recorded, find_wanted, import_blocks
from corral.domain.judging import judge
from corral.domain.plan_files import read_plan
from corral.domain.plans import Action, Ruling
from corral.settings import PROJECT
from tests.engine.terraform_bench import TODAY

DOCUMENT = {
    "format_version": "1.2",
    "prior_state": {
        "values": {
            "root_module": {
                "resources": [
                    {"mode": "managed", "type": "aws_vpc", "values": {"id": "vpc-1"}},
                    {"mode": "data", "type": "aws_ami", "values": {"id": "ami-1"}},
                ]
            }
        }
    },
    "resource_changes": [
        {
            "address": 'aws_subnet.private["a"]',
            "mode": "managed",
            "type": "aws_subnet",
            "change": {
                "actions": ["create"],
                "before": None,
                "after": {"tags_all": {"Cluster": "lab", "Stack": "vpc", "Name": "lab-a"}},
            },
        },
        {
            "address": "aws_vpc.this",
            "mode": "managed",
            "type": "aws_vpc",
            "change": {"actions": ["no-op"], "before": {"id": "vpc-1"}, "after": {"id": "vpc-1"}},
        },
    ],
}


def imported(type_: str, actions: list[str], **after: object) -> dict[str, object]:
    change = {
        "actions": actions,
        "before": {"id": "x", "instance_class": "db.m5.large", "tags": {}},
        "after": {"id": "x", "instance_class": "db.m5.large", "tags": {}} | after,
        "importing": {"id": "x"},
    }
    entry = {"address": f"{type_}.this", "type": type_, "mode": "managed", "change": change}
    return {"format_version": "1.2", "resource_changes": [entry]}


def test_what_would_be_created_is_looked_for_by_what_marks_it():
    (wanted,) = find_wanted(DOCUMENT)

    assert (wanted.address, wanted.type) == ('aws_subnet.private["a"]', "aws_subnet")
    assert wanted.marks == {"Cluster": "lab", "Stack": "vpc"}
    assert "lab-a" not in repr(wanted)


def test_what_is_in_the_state_is_not_adopted_again():
    assert find_recorded(DOCUMENT) == {("aws_vpc", "vpc-1")}


def test_ids_are_written_so_that_terraform_reads_them_as_they_are():
    code = import_blocks({'aws_subnet.private["a"]': "subnet-1", "aws_x.y": 'a"${b}%{c}'})

    assert 'to = aws_subnet.private["a"]\n  id = "subnet-1"' in code
    assert 'id = "a\\"$${b}%%{c}"' in code


@pytest.mark.parametrize(
    ("actions", "after", "action", "ruling"),
    [
        (["no-op"], {}, Action.ADOPT, Ruling.SAFE),
        (["update"], {"tags": {"Name": "x"}}, Action.ADOPT, Ruling.SAFE),
        (["update"], {"instance_class": "db.m5.xlarge"}, Action.ADOPT, Ruling.SAFE),
        (["delete", "create"], {}, Action.REPLACE, Ruling.FORBIDDEN),
    ],
)
def test_an_adoption_is_shown_and_judged_like_any_other_change(actions, after, action, ruling):
    plan = read_plan(imported("aws_db_instance", actions, **after))

    (verdict,) = judge(plan, stack="database", approvals=(), today=TODAY)

    assert (verdict.change.action, verdict.ruling) == (action, ruling)


def test_every_type_of_the_stacks_is_found_or_written_over():
    files = (PROJECT / "terraform").glob("*/*.tf")
    types = {
        type_
        for file in files
        for type_ in re.findall(r'^resource "(\w+)"', file.read_text(), re.MULTILINE)
    }

    assert types - FINDERS.keys() - OVERWRITTEN == set()
    assert not FINDERS.keys() & OVERWRITTEN
