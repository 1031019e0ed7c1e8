"""Fixtures of the lab's own tests."""

from collections.abc import Iterator

import pytest
from aws_lab import AwsLab
from furnished import Furnished, new_vault
from moto import mock_aws
from ranchers import Rancher, Ranchers


@pytest.fixture(scope="module")
def aws_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsLab]:
    """One AWS for the tests of a module; each test uses names of its own in it."""
    lab = AwsLab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    """One secured Rancher for the tests of a module; each test uses environments of its own."""
    lab = Ranchers(tmp_path_factory.mktemp("lab"))
    with mock_aws():
        opened = Furnished(lab, lab.open(), new_vault())
        opened.secure()
        yield opened
    lab.stop()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ranchers]:
    """Ranchers for the tests of a module, as many as they open."""
    started = Ranchers(tmp_path_factory.mktemp("lab"))
    yield started
    started.stop()


@pytest.fixture
def rancher(lab: Ranchers) -> Iterator[Rancher]:
    """One new Rancher for a test."""
    opened = lab.open()
    yield opened
    lab.close(opened)
