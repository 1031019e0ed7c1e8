"""Takes into the state what is in AWS already: a run that died had made it and could not write it
down, or a restore made it, which Terraform cannot.
"""

import logging
from collections.abc import Container

from corral.clients.terraform.run import Question, Run
from corral.domain.adoption import Finder, Wanted, find_recorded, find_wanted, import_blocks
from corral.domain.plans import Action, Change, Plan
from corral.errors import TerraformError

log = logging.getLogger(__name__)

FILE = "corral_adopted.tf"
"""Lies in the working copy until it is filled anew."""


def adopt(run: Run, plan: Plan, find: Finder, is_whole: Question) -> Plan:
    """Return a plan that adopts, instead of creating, what AWS has already.

    What is found may tell where to look for more: a route is found once its table is. So it goes
    on until a plan creates nothing that is there.

    Args:
        run: The stack, with the plan saved.
        plan: What would be done.
        find: Looks for one resource in AWS.
        is_whole: Asked about what AWS may still be making.

    Raises:
        TerraformError: Somebody else has something of the same name.

    """
    ids: dict[str, str] = {}
    while any(change.action is Action.CREATE for change in plan.changes):
        if not (found := _look(run, ids, find, is_whole)):
            break
        ids |= found
        run.write(FILE, import_blocks(ids))
        plan = run.terraform.plan_changes()
    return plan


def _look(run: Run, known: Container[str], find: Finder, is_whole: Question) -> dict[str, str]:
    document = run.document()
    recorded = find_recorded(document)
    ids = {}
    for wanted in find_wanted(document):
        found = find(wanted) if wanted.address not in known else None
        if found is None or (wanted.type, found.id) in recorded:
            continue
        if not found.is_ours:
            raise _not_ours(wanted, found.id)
        change = Change(wanted.address, wanted.type, Action.ADOPT, identity=found.identity)
        if run.becomes_whole(change, is_whole):
            log.info("%s is in AWS as %s, and in no state: it is adopted", wanted.address, found.id)
            ids[wanted.address] = found.id
    return ids


def _not_ours(wanted: Wanted, id_: str) -> TerraformError:
    marks = ", ".join(f"{name}={value}" for name, value in wanted.marks.items())
    return TerraformError(
        f"{wanted.address}: AWS has {id_} already, and it lacks the tags {marks}: if it is this"
        " cluster's, tag it so and run again; if not, rename or remove it. Nothing was changed."
    )
