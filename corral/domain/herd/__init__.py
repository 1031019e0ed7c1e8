"""Which hosts are phantoms: what Rancher and EC2 say in, verdicts, removals and problems out."""

from corral.domain.herd.assessment import assess, may_still_be_removed
from corral.domain.herd.instances import Instance
from corral.domain.herd.missing import find_absent, find_missing
from corral.domain.herd.rows import counts, rows
from corral.domain.herd.verdicts import (
    Assessment,
    Evidence,
    Finding,
    Refusal,
    Removal,
    Verdict,
)
from corral.domain.herd.view import Rule, View
from corral.domain.herd.watch import Watch

__all__ = [
    "Assessment",
    "Evidence",
    "Finding",
    "Instance",
    "Refusal",
    "Removal",
    "Rule",
    "Verdict",
    "View",
    "Watch",
    "assess",
    "counts",
    "find_absent",
    "find_missing",
    "may_still_be_removed",
    "rows",
]
