"""The order of versions, and whom they fit."""

import itertools

import pytest

from corral.domain.set_up.versions import fits, sort_key

IN_ORDER = [
    "v0.7.17-rancher1",
    "0.7.17",
    "v1.6.9",
    "v1.6.13-rc1",
    "v1.6.13-rc2",
    "v1.6.13-rc10",
    "v1.6.13",
    "v1.6.13.1",
    "v1.6.14",
    "v1.6.30",
    "v1.10.0",
]


@pytest.mark.parametrize(("older", "newer"), [*itertools.pairwise(IN_ORDER)])
def test_versions_are_sorted_by_number_and_candidates_come_first(older, newer):
    assert sort_key(older) < sort_key(newer)


@pytest.mark.parametrize("spelling", ["1.6.13", "v1.6.13", "v1.6.13+build5"])
def test_a_version_is_the_same_however_it_is_spelled(spelling):
    assert sort_key(spelling) == sort_key("v1.6.13")


@pytest.mark.parametrize(
    ("server", "minimum", "maximum", "expected"),
    [
        pytest.param("v1.6.30", "", "", True, id="no-limits"),
        pytest.param("v1.6.30", "v1.6.13-rc1", "", True, id="above"),
        pytest.param("v1.6.13", "v1.6.13-rc1", "", True, id="candidate-is-older"),
        pytest.param("v1.6.13", "v1.6.13", "v1.6.13", True, id="limits-count"),
        pytest.param("v1.6.12", "v1.6.13-rc1", "", False, id="too-old"),
        pytest.param("v1.6.30", "v1.5.0", "v1.6.12", False, id="too-new"),
        pytest.param("v1.6.2", "", "v1.6.14", True, id="by-number-not-by-letter"),
    ],
)
def test_a_server_fits_between_the_limits(server, minimum, maximum, expected):
    assert fits(server, minimum=minimum, maximum=maximum) is expected
