"""The next step towards a healthy stack, wherever an earlier run has left it."""

from dataclasses import replace

import pytest

from corral.cluster import CatalogStack, EcrRegistry, Environment, PasswordRegistry
from corral.domain.set_up.catalog import Question, TemplateVersion
from corral.domain.set_up.stack_requests import StackRequest, region_of, requests_of
from corral.domain.set_up.stacks import (
    KnownStack,
    StackMove,
    StackWish,
    describe,
    find_fault,
    find_stack,
    next_move,
)
from corral.errors import AmbiguousError

TEMPLATE = "library:infra*diagnostics"
VERSION = TemplateVersion(
    id=f"{TEMPLATE}:1", version="0.0.2", questions=(Question("debug", "false"), Question("key"))
)
WISH = StackWish.of("diagnostics", VERSION, {"key": "hunter2"}, infrastructure=True)
KNOWN = KnownStack(
    id="1st5",
    name="diagnostics",
    state="active",
    health="healthy",
    external_id=f"catalog://{TEMPLATE}:1",
    answers={"debug": "false", "key": "hunter2"},
    is_infrastructure=True,
)
OLD = replace(KNOWN, external_id=f"catalog://{TEMPLATE}:0")


@pytest.mark.parametrize(
    ("known", "move"),
    [
        pytest.param(None, StackMove.CREATE, id="none"),
        pytest.param(replace(KNOWN, state="requested"), StackMove.WAIT, id="requested"),
        pytest.param(replace(KNOWN, state="activating"), StackMove.WAIT, id="activating"),
        pytest.param(replace(KNOWN, state="removing"), StackMove.WAIT, id="removing"),
        pytest.param(replace(KNOWN, state="error"), StackMove.REMOVE, id="error"),
        pytest.param(replace(KNOWN, health="initializing"), StackMove.WAIT, id="starting"),
        pytest.param(replace(KNOWN, health="unhealthy"), StackMove.WAIT, id="unhealthy"),
        pytest.param(KNOWN, StackMove.KEPT, id="kept"),
        pytest.param(OLD, StackMove.UPGRADE, id="old"),
        pytest.param(replace(OLD, health="unhealthy"), StackMove.UPGRADE, id="old-unhealthy"),
        pytest.param(replace(OLD, state="upgrading"), StackMove.WAIT, id="upgrading"),
        pytest.param(
            replace(OLD, state="upgrading", message="no such image"), StackMove.CANCEL, id="stuck"
        ),
        pytest.param(replace(KNOWN, state="upgraded"), StackMove.FINISH, id="upgraded"),
        pytest.param(
            replace(KNOWN, state="upgraded", health="degraded"), StackMove.WAIT, id="upgraded-ill"
        ),
        pytest.param(replace(OLD, state="upgraded"), StackMove.FINISH, id="upgraded-elsewhere"),
        pytest.param(replace(KNOWN, state="finishing-upgrade"), StackMove.WAIT, id="finishing"),
        pytest.param(replace(OLD, state="canceled-upgrade"), StackMove.UPGRADE, id="canceled"),
        pytest.param(replace(OLD, state="rolling-back"), StackMove.WAIT, id="rolling-back"),
    ],
)
def test_the_next_step_follows_from_where_the_stack_is(known, move):
    assert next_move(WISH, known) is move


@pytest.mark.parametrize(
    ("answers", "move"),
    [
        pytest.param({"key": "hunter2"}, StackMove.KEPT, id="default-unsaid"),
        pytest.param(
            {"key": "hunter2", "debug": "false", "older": "x"}, StackMove.KEPT, id="no-question"
        ),
        pytest.param({"key": "hunter2", "debug": "true"}, StackMove.UPGRADE, id="not-default"),
        pytest.param({"key": "hunter3"}, StackMove.UPGRADE, id="another-answer"),
        pytest.param({}, StackMove.UPGRADE, id="no-answer"),
    ],
)
def test_a_stack_is_upgraded_when_an_answer_differs(answers, move):
    assert next_move(WISH, replace(KNOWN, answers=answers)) is move


def test_a_stack_is_found_by_name_and_one_that_is_gone_is_none():
    assert find_stack("lab", "diagnostics", [OLD]) is OLD
    assert find_stack("lab", "diagnostics", [replace(OLD, state="removed")]) is None
    assert find_stack("lab", "other", [OLD]) is None


def test_a_name_that_is_there_twice_is_an_error():
    with pytest.raises(AmbiguousError, match="stack diagnostics of environment lab"):
        find_stack("lab", "diagnostics", [OLD, replace(OLD, id="1st6")])


def test_a_stack_of_another_origin_is_a_fault():
    stranger = replace(KNOWN, external_id="catalog://community:diagnostics:4")

    assert find_fault(TEMPLATE, stranger, infrastructure=True) == (
        f"it is there already, from community:diagnostics:4 and not from {TEMPLATE}: remove it, or"
        " choose another name"
    )
    by_hand = replace(KNOWN, external_id="")
    assert "from no catalog" in find_fault(TEMPLATE, by_hand, infrastructure=True)
    assert find_fault(TEMPLATE, OLD, infrastructure=True) == ""
    assert find_fault(TEMPLATE, None, infrastructure=True) == ""


def test_whose_a_stack_is_never_changes():
    assert "write infrastructure: true" in find_fault(TEMPLATE, KNOWN, infrastructure=False)


def test_no_answer_is_in_a_representation():
    assert "hunter2" not in repr(WISH)
    assert "hunter2" not in repr(KNOWN)
    assert "hunter2" not in str(KNOWN)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        pytest.param("", "it is error and healthy", id="nothing"),
        pytest.param("no such image", "it is error and healthy (no such image)", id="harmless"),
        pytest.param("bad hunter22", "it is error and healthy (bad ***)", id="secret"),
        pytest.param("was hunter1", "it is error and healthy (was ***)", id="an earlier secret"),
        pytest.param("hunter22-b, hunter22", "it is error and healthy (***, ***)", id="one in one"),
        pytest.param("line 2: -----KEY", "it is error and healthy (line 2: ***)", id="one line"),
        pytest.param("key: abc", "it is error and healthy (key: abc)", id="too short to be one"),
        pytest.param("set true-ish", "it is error and healthy (set true-ish)", id="in the file"),
    ],
)
def test_what_rancher_says_of_a_stack_is_told_without_secret_answers(message, said):
    secret = {"key": "hunter22", "pem": "-----BEGIN\n-----KEY\n", "pin": "abc", "on": "true"}
    answers = {**secret, "more": "hunter22-b", "debug": "true"}
    wish = StackWish.of("it", VERSION, answers, infrastructure=True, secret={*secret, "more"})
    known = replace(KNOWN, state="error", message=message, answers={"key": "hunter1"})

    assert describe(wish, known) == said


def test_what_rancher_says_is_in_no_representation():
    known = replace(KNOWN, state="error", message="hunter2 is wrong")

    assert "hunter2" not in f"{known} {known!r}"


def test_an_environment_asks_for_ecrs_refresher_before_its_own_stacks():
    environment = Environment(
        name="lab",
        registries=(
            PasswordRegistry(kind="password", address="a.example.com", secret="lab/a"),
            EcrRegistry(
                kind="ecr",
                address="123456789012.dkr.ecr.eu-west-1.amazonaws.com",
                refresher="stack",
                secret="lab/ecr",
            ),
            EcrRegistry(
                kind="ecr",
                address="210987654321.dkr.ecr.eu-west-1.amazonaws.com",
                refresher="flow",
            ),
        ),
        stacks=(CatalogStack(name="x", template=TEMPLATE, version="0.0.2", secret="lab/x"),),
    )

    refresher, own = requests_of(environment)

    assert refresher == StackRequest(
        name="ecr",
        template="library:infra*ecr",
        version=None,
        answers={"aws_region": "eu-west-1", "auto_create": "true"},
        secret="lab/ecr",
        infrastructure=True,
    )
    assert (own.name, own.version, own.secret) == ("x", "0.0.2", "lab/x")


def test_the_region_of_ecr_is_in_its_address():
    assert region_of("123456789012.dkr.ecr.ap-southeast-2.amazonaws.com") == "ap-southeast-2"
