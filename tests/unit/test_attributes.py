import json
from pathlib import Path
from typing import Any

import pytest

from corral.domain.attributes import attribute_changes

DATA = Path(__file__).parent.parent / "data" / "terraform"


def told(before: object, after: object, **marks: Any) -> list[str]:
    return [str(one) for one in attribute_changes({"before": before, "after": after, **marks})]


def test_a_real_change_is_told_by_attribute():
    document = json.loads((DATA / "plan.json").read_text())
    changes = {entry["address"]: entry["change"] for entry in document["resource_changes"]}

    found = [str(one) for one in attribute_changes(changes["aws_ssm_parameter.word"])]

    assert found == [
        "insecure_value: (none) -> (known after apply)",
        "tags.Owner: ann -> bob",
        "value: (sensitive) -> (sensitive)",
        "version: 1 -> (known after apply)",
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(None, "", id="no-text"),
        pytest.param(None, [], id="no-elements"),
        pytest.param(0, None, id="no-number"),
        pytest.param(None, [{"inner": None}], id="an-empty-block"),
        pytest.param([{"protocol": "6", "icmp": 0}], [{"protocol": "tcp"}], id="a-protocol"),
        pytest.param([{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}], id="the-order-of-a-set"),
        pytest.param('{"a":1,"b":[2]}', '{"b": [2], "a": 1}', id="the-spelling-of-a-policy"),
    ],
)
def test_what_the_provider_does_not_tell_apart_is_no_difference(before, after):
    assert told({"it": before}, {"it": after}) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(True, False, "it: true -> false", id="a-flag"),
        pytest.param(6, 0, "it: 6 -> 0", id="a-number-that-becomes-none"),
        pytest.param("", "word", 'it: "" -> word', id="a-text"),
        pytest.param({"A": "1"}, {"B": "1"}, "it.A: 1 -> (none)|it.B: (none) -> 1", id="keys"),
        pytest.param([{"max": 1}], [{"max": 2}], "it.0.max: 1 -> 2", id="a-single-block"),
        pytest.param(["a", "b"], ["b"], "it: a -> (none)", id="an-element-less"),
        pytest.param(
            [{"n": "x", "v": 1}, {"n": "y"}],
            [{"n": "y"}, {"n": "x", "v": 2}],
            'it: {"n": "x", "v": 1} -> {"n": "x", "v": 2}',
            id="one-element-of-several",
        ),
        pytest.param(
            '{"Statement":[{"Action":"ec2:Get"}]}',
            '{"Statement":[{"Action":"ec2:*"}]}',
            "it.Statement.0.Action: ec2:Get -> ec2:*",
            id="inside-a-policy",
        ),
    ],
)
def test_a_difference_is_told_where_it_is(before, after, expected):
    assert "|".join(told({"it": before}, {"it": after})) == expected


def test_what_all_tags_repeat_is_told_once():
    before = {"tags": {"Name": "a"}, "tags_all": {"Name": "a", "Stack": "vpc"}}
    after = {"tags": {"Name": "b"}, "tags_all": {"Name": "b", "Stack": "other"}}

    assert told(before, after) == ["tags.Name: a -> b", "tags_all.Stack: vpc -> other"]


@pytest.mark.parametrize(
    ("marks_before", "marks_after"),
    [({"it": True}, {}), ({}, {"it": True}), ({"it": True}, {"it": True}), (True, False)],
)
def test_a_value_that_is_sensitive_on_either_side_is_shown_on_neither(marks_before, marks_after):
    changes = attribute_changes(
        {
            "before": {"it": "hunter2"},
            "after": {"it": "hunter3"},
            "before_sensitive": marks_before,
            "after_sensitive": marks_after,
        }
    )

    assert changes
    assert "hunter" not in repr(changes)
    assert "(sensitive)" in str(changes[0])


def test_a_sensitive_tag_is_not_shown_among_all_tags_either():
    shown = told(
        {"tags": {"Word": "hunter2"}, "tags_all": {"Word": "hunter2"}},
        {"tags": {"Word": "hunter3"}, "tags_all": {"Word": "hunter3"}},
        before_sensitive={"tags": {"Word": True}, "tags_all": {}},
        after_sensitive={"tags": {"Word": True}, "tags_all": {}},
    )

    assert shown == ["tags.Word: (sensitive) -> (sensitive)"]


def test_a_set_with_a_sensitive_element_is_shown_nowhere():
    shown = told(
        {"it": [{"key": "a", "value": "hunter2"}, {"key": "b", "value": "c"}]},
        {"it": [{"key": "b", "value": "c"}]},
        before_sensitive={"it": [{"value": True}, {}]},
        after_sensitive={"it": [{}]},
    )

    assert shown == ["it: (sensitive) -> (sensitive)"]


def test_a_sensitive_part_of_a_block_hides_that_part_alone():
    shown = told(
        {"it": [{"name": "a", "word": "hunter2"}]},
        {"it": [{"name": "b", "word": "hunter3"}]},
        before_sensitive={"it": [{"word": True}]},
    )

    assert shown == ["it.0.name: a -> b", "it.0.word: (sensitive) -> (sensitive)"]


def test_what_only_the_apply_will_tell_is_said_so():
    shown = told({"id": "sg-1", "it": [{"a": "1"}]}, {}, after_unknown={"id": True, "it": [{}]})

    assert shown == [
        "id: sg-1 -> (known after apply)",
        'it: [{"a": "1"}] -> (none)',
    ]


def test_long_values_are_cut():
    (shown,) = told({"it": "a" * 500}, {"it": "b"})

    assert len(shown) < 150
    assert "... -> b" in shown
