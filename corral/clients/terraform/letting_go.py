"""Lets go of resources in a state, so that others can take their places; in AWS they stay."""

import logging
from collections.abc import Collection
from datetime import timedelta

from corral.clients.terraform.events import Listener
from corral.clients.terraform.holders import Watch, held
from corral.clients.terraform.job import StackJob
from corral.clients.terraform.run import opened
from corral.settings import Settings

log = logging.getLogger(__name__)


def let_go(
    job: StackJob,
    settings: Settings,
    watch: Watch,
    *,
    addresses: Collection[str],
    listen: Listener,
) -> None:
    """Look no longer after these resources of a stack, all of which are in its state.

    The record beside the state says from now on that AWS has something that the state does not
    know: whoever applies the stack next, be it another run, adopts what is there under the names
    that it wants, instead of making it.

    Args:
        job: Whose state.
        settings: Where things are, and how patient to be.
        watch: On whose behalf.
        addresses: As the state has them.
        listen: Hears every event as it happens.

    Raises:
        PrerequisiteError: No engine, too old an engine, or no provider.
        CopyBusyError: A Terraform of another run does not come to its end.
        StateLockedError: Somebody else holds the state.
        TerraformError: Anything else that went wrong.

    """
    longest = timedelta(seconds=settings.terraform_deadline_s)
    with opened(job, settings, listen) as run, held(job, run.copy, watch, longest) as work:
        work.unsettled = True
        run.initialise()
        run.terraform.forget(sorted(addresses))
    log.info("%s no longer looks after %s", job.key, ", ".join(sorted(addresses)))
