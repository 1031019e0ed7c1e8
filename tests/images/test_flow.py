"""A bake keeps the disk that the roles filled as an image, or says why it could not."""

import pytest

from corral.domain.images import FAMILY_TAG, RUN_TAG, SOURCE_TAG, VERSIONS_TAG
from tests.images.conftest import Bakes
from tests.images.root import Root

pytestmark = [
    pytest.mark.images,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("images"),
]


def test_a_variable_that_a_role_lacks_is_told_in_ansibles_words_and_nothing_is_left(bakes: Bakes):
    refused = bakes.refused

    assert refused.end.name == "Failed"
    assert (
        "Ansible could not fill the image. The task `base_server : Validating arg"
        in refused.end.message
    )
    assert "missing required arguments: base_server_operators" in refused.end.message
    assert refused.left == []
    assert refused.images == bakes.before


def test_a_bake_ends_with_a_tagged_image_of_what_the_roles_made(bakes: Bakes, image: Root):
    done = bakes.done

    assert done.end.name == "Baked", done.end.message
    made = next(row for row in done.images.values() if row["ImageId"] == done.end.result())
    tags = {tag["Key"]: tag["Value"] for tag in made["Tags"]}
    assert made["Name"].startswith("corral-node-20")
    assert tags["Name"] == made["Name"]
    assert tags[FAMILY_TAG] == "corral-node-"
    assert tags[SOURCE_TAG].endswith(" debian-12-amd64-20261019-2271")
    assert tags[VERSIONS_TAG] == "docker=19.03.15 node=0.1.0"
    assert tags[RUN_TAG]
    assert "serve" in image.run("/opt/corral-node/bin/corral-node", "--help")
    assert done.left == []


def test_packer_ends_every_builder_that_it_started(bakes: Bakes):
    assert bakes.refused.ended
    assert bakes.done.ended - bakes.refused.ended
