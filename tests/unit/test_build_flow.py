"""The order of a build's first steps: what keeps it from going on is told before any stack."""

from typing import Any
from unittest.mock import Mock

import pytest

from corral.cluster import ClusterSpec
from corral.errors import PrerequisiteError
from corral.settings import Settings, load_cluster_spec
from flows import build_cluster as story

SPEC = load_cluster_spec("lab", Settings())
FIRST = ["load_cluster", "take_turn", "read_consent", "check_prerequisites", "ensure_state_bucket"]


def test_what_nobody_finished_is_told_before_any_stack_is_applied(monkeypatch: pytest.MonkeyPatch):
    taken: list[str] = []

    def stand_in(name: str) -> Any:
        def step(*_: Any, **__: Any) -> Any:
            taken.append(name)
            return SPEC if name == "load_cluster" else Mock()

        return step

    def refuse(_: ClusterSpec) -> None:
        raise PrerequisiteError("go on with the upgrade")

    for name in [*FIRST, "apply_stack"]:
        monkeypatch.setattr(story, name, stand_in(name))
    monkeypatch.setattr(story, "check_finished", refuse)

    with pytest.raises(PrerequisiteError, match="go on with the upgrade"):
        story.build_cluster.fn("lab")

    assert taken == FIRST
