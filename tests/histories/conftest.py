"""How many histories are played: 500 by default, 10,000 with --nightly."""

import pytest
from hypothesis import HealthCheck, settings

SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much]
settings.register_profile("default", max_examples=500, deadline=None, suppress_health_check=SLOW)
settings.register_profile("nightly", max_examples=10_000, deadline=None, suppress_health_check=SLOW)


def pytest_configure(config: pytest.Config) -> None:
    """Choose the number."""
    settings.load_profile("nightly" if config.getoption("nightly") else "default")
