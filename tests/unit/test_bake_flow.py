"""The order of a bake's steps: what keeps a roll-out from ending is told before the bake begins."""

from typing import Any
from unittest.mock import Mock

import pytest

from corral.cluster import ClusterSpec
from corral.domain.set_up.environments import KnownProject
from corral.errors import PrerequisiteError
from corral.settings import Settings, load_cluster_spec
from flows import bake_image as story
from tasks import roll_outs

SPEC = load_cluster_spec("lab", Settings())
STEPS = [
    "load_bake", "check_bake", "remove_leftovers", "bake", "publish_image", "remove_old_images",
    "publish_images", "apply_side_by_side", "roll_pool", "settle_crashes", "end_of_bake",
    "end_of_roll_out",
]  # fmt: skip


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that were taken, each a stand-in."""
    taken: list[str] = []

    def stand_in(name: str) -> Any:
        def step(*_: Any, **__: Any) -> Any:
            taken.append(name)
            return SPEC if name == "load_bake" else Mock()

        return step

    for name in STEPS:
        monkeypatch.setattr(story, name, stand_in(name))
    return taken


def test_a_roll_out_that_cannot_be_done_is_refused_before_anything_is_made(told, monkeypatch):
    def refuse(_: ClusterSpec) -> None:
        raise PrerequisiteError("build the cluster first")

    monkeypatch.setattr(story, "check_roll_out", refuse)

    with pytest.raises(PrerequisiteError, match="build the cluster first"):
        story.bake_image.fn("lab", roll_out=True)

    assert told == ["load_bake", "check_bake"]


def test_a_bake_alone_asks_nothing_of_a_cluster(told, monkeypatch):
    monkeypatch.setattr(story, "check_roll_out", lambda _: pytest.fail("the cluster was asked"))

    story.bake_image.fn("lab")

    assert told[-1] == "end_of_bake"
    assert "roll_pool" not in told


class Rancher:
    def __init__(self, *environments: str) -> None:
        self._environments = environments

    def projects(self) -> list[KnownProject]:
        return [KnownProject(f"1a{name}", name, "active") for name in self._environments]


def look(monkeypatch: pytest.MonkeyPatch, rancher: Rancher) -> None:
    monkeypatch.setattr(roll_outs.connect, "aws", lambda _: None)
    monkeypatch.setattr(roll_outs, "administrator", lambda *_: rancher)
    roll_outs.find_environments.fn(SPEC)


def test_every_pools_environment_has_to_be_in_rancher(monkeypatch):
    look(monkeypatch, Rancher(*{pool.environment for pool in SPEC.pools}))

    with pytest.raises(PrerequisiteError, match="Rancher has no environment"):
        look(monkeypatch, Rancher())
