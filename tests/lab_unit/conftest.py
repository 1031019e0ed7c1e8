"""Fixtures of the lab's own tests."""

from collections.abc import Iterator

import pytest
from aws_lab import AwsLab


@pytest.fixture(scope="module")
def aws_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsLab]:
    """One AWS for the tests of a module; each test uses names of its own in it."""
    lab = AwsLab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()
