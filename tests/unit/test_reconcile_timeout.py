"""How long a run of reconcile-hosts may take."""

import pytest

from corral.errors import PrerequisiteError
from corral.settings import load_settings
from flows.reconcile_hosts import LONGEST, reconcile_hosts
from tasks.herd import longest_run


def test_a_run_that_hangs_ends_itself_before_another_takes_it_for_dead():
    assert reconcile_hosts.timeout_seconds == LONGEST.total_seconds()
    assert longest_run() > LONGEST


def test_removals_may_not_be_waited_for_until_the_run_is_ended(monkeypatch):
    monkeypatch.setenv("CORRAL_REMOVAL_DEADLINE_S", str(LONGEST.total_seconds()))

    with pytest.raises(PrerequisiteError, match="CORRAL_REMOVAL_DEADLINE_S is '900"):
        load_settings()
