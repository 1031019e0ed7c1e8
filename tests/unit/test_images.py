"""Which images are kept, what new ones are called, and which builders nobody waits for."""

from datetime import UTC, datetime, timedelta

import pytest

from corral.domain.images import (
    FAMILY_TAG,
    LONGEST_NAME,
    VERSIONS_TAG,
    BakedImage,
    Builder,
    find_faults,
    find_leftovers,
    image_tags,
    judge_images,
    new_name,
)
from corral.settings import Settings, load_cluster_spec

NOW = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)
SPEC = load_cluster_spec("lab", Settings())


def image(number: int, days: float) -> BakedImage:
    return BakedImage(f"ami-{number}", f"corral-node-{number}", NOW - timedelta(days=days), (), {})


def judge(*ages: float, keep: int = 2, keep_days: int = 30, **in_use: str) -> list[str]:
    """Return what becomes of images of these ages in days, numbered from 1."""
    images = [image(number, days) for number, days in enumerate(ages, start=1)]
    users = {name.replace("_", "-"): user for name, user in in_use.items()}
    fates = judge_images(images, users, keep=keep, keep_days=keep_days, now=NOW)
    return [f"{fate.image.id} {'kept' if fate.is_kept else 'removed'}" for fate in fates]


@pytest.mark.parametrize(
    ("ages", "fates"),
    [
        pytest.param([], [], id="none"),
        pytest.param([400], ["ami-1 kept"], id="the only one is the newest"),
        pytest.param(
            [400, 300, 200],
            ["ami-3 kept", "ami-2 kept", "ami-1 removed"],
            id="the newest are kept whatever their age",
        ),
        pytest.param(
            [1, 2, 29, 30],
            ["ami-1 kept", "ami-2 kept", "ami-3 kept", "ami-4 removed"],
            id="the young are kept whatever their number",
        ),
    ],
)
def test_the_newest_and_the_young_are_kept(ages, fates):
    assert judge(*ages) == fates


def test_an_image_in_use_is_kept_whatever_its_age_and_says_by_whom():
    images = [image(1, 400), image(2, 1)]

    old = judge_images(images, {"ami-1": "instance i-1"}, keep=1, keep_days=0, now=NOW)[1]

    assert (old.is_kept, old.reason) == (True, "in use: instance i-1")


def test_an_image_in_use_takes_no_other_ones_place():
    assert judge(1, 2, 3, keep=2, keep_days=0, ami_3="group") == [
        "ami-1 kept",
        "ami-2 kept",
        "ami-3 kept",
    ]


def test_without_days_the_number_alone_counts():
    assert judge(0, 0.5, keep=1, keep_days=0) == ["ami-1 kept", "ami-2 removed"]


def test_a_removal_says_why():
    fate = judge_images([image(1, 1), image(2, 40)], {}, keep=1, keep_days=30, now=NOW)[1]

    assert fate.reason == "40 days old, not one of the 1 newest, used by nobody"


def test_a_name_has_the_time_and_the_revision_in_the_place_of_the_star():
    assert new_name("corral-node-*", NOW, "abc123") == "corral-node-20261123-150405-abc123"


def test_a_name_is_never_longer_than_ec2_allows():
    assert len(new_name("n" * 120 + "*", NOW, "abc123-dirty")) == LONGEST_NAME


def test_the_tags_say_family_and_versions():
    tags = image_tags(
        family="corral-node-",
        name="corral-node-1",
        source="ami-0 debian",
        revision="abc",
        versions={"node": "0.1.0", "docker": "19.03.15"},
        run="r",
    )

    assert tags[FAMILY_TAG] == "corral-node-"
    assert tags[VERSIONS_TAG] == "docker=19.03.15 node=0.1.0"


@pytest.mark.parametrize("name", ["corral-node", "corral-*-node", "corral-node-?*", "corral-node?"])
def test_a_pattern_without_a_star_at_its_end_is_refused(name):
    (fault,) = find_faults(SPEC.model_copy(update={"image_name": name}))

    assert fault.startswith(f"image_name is {name}: bake-image puts date, time and revision")


def test_a_machine_with_a_smaller_disk_than_the_image_is_refused():
    small = SPEC.model_copy(
        update={"control": SPEC.control.model_copy(update={"volume_gib": SPEC.bake.volume_gib - 1})}
    )

    (fault,) = find_faults(small)

    assert (
        fault
        == "control has volumes of 15 GiB, less than the 16 GiB of the image (bake.volume_gib)"
    )


def test_the_labs_cluster_file_can_be_baked_for():
    assert find_faults(SPEC) == []


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("over", "age", "is_left"),
    [
        pytest.param({"r": True}, timedelta(minutes=1), True, id="its run is over"),
        pytest.param({"r": False}, timedelta(minutes=61), False, id="its run is at work"),
        pytest.param({}, timedelta(minutes=59), False, id="nobody knows its run, and it is young"),
        pytest.param({"other": True}, timedelta(minutes=59), False, id="another run is over"),
        pytest.param({}, timedelta(minutes=61), True, id="nobody knows its run, and it is old"),
    ],
)
def test_a_builder_is_left_behind_if_its_run_is_over_or_unknown_and_too_old(over, age, is_left):
    builder = Builder("i-1", "r", NOW - age, "", ())

    assert (find_leftovers([builder], over, now=NOW, longest=HOUR) == [builder]) is is_left
