"""When a target counts as healthy; pure.

Source: Elastic Load Balancing user guide, "Health checks for Application Load Balancer target
groups": a new target is healthy after one good check, an unhealthy one after the healthy threshold,
and any target is unhealthy after the unhealthy threshold of bad ones.
"""

from dataclasses import dataclass, replace

from lab.aws.views import HealthCheck

HEALTHY, UNHEALTHY, INITIAL = "healthy", "unhealthy", "initial"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; without a reason it was good."""

    reason: str | None = None
    description: str | None = None

    @property
    def is_good(self) -> bool:
        """Say whether the target answered as it should."""
        return self.reason is None


GOOD = Finding()
TIMED_OUT = Finding("Target.Timeout", "Request timed out")
FAILED = Finding("Target.FailedHealthChecks", "Health checks failed")


def mismatch(status: int) -> Finding:
    """Return the finding for a status outside the matcher."""
    return Finding(
        "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{status}]"
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """A target's state, and how many checks in a row went the same way."""

    state: str = INITIAL
    good: int = 0
    bad: int = 0
    last_bad: Finding = FAILED

    def after(self, finding: Finding, check: HealthCheck) -> "Standing":
        """Return the standing after one more check."""
        if finding.is_good:
            counted = replace(self, good=self.good + 1, bad=0)
            needed = 1 if self.state == INITIAL else check.healthy_after
            return replace(counted, state=HEALTHY) if counted.good >= needed else counted
        counted = replace(self, good=0, bad=self.bad + 1, last_bad=finding)
        is_over = counted.bad >= check.unhealthy_after
        return replace(counted, state=UNHEALTHY) if is_over else counted


def matches(codes: str, status: int) -> bool:
    """Say whether a status is one of a matcher such as `200` or `200-299,301`."""
    for part in codes.split(","):
        low, _, high = part.strip().partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False
