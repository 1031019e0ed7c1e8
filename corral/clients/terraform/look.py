"""A look at one stack that changes nothing: neither in AWS, nor in its state, nor beside it."""

from corral.clients.terraform.events import Listener
from corral.clients.terraform.job import StackJob
from corral.clients.terraform.run import opened
from corral.domain.drift import Deviation, find_deviations
from corral.settings import Settings


def find_drift(job: StackJob, settings: Settings, *, listen: Listener) -> tuple[Deviation, ...]:
    """Return how a stack differs from its files and variables, by a plan that nobody applies.

    The plan takes no lock, since a lock is an object in the bucket: whoever calls makes sure that
    nobody changes the stack meanwhile, or it finds what was only half done.

    Args:
        job: What to look at.
        settings: Where things are, and how patient to be.
        listen: Hears every event as it happens.

    Raises:
        PrerequisiteError: No engine, too old an engine, or no provider.
        CopyBusyError: A Terraform of another run does not come to its end.
        TerraformError: Anything else that went wrong.

    """
    with opened(job, settings, listen) as run:
        run.plan(lock=False)
        # Also of a plan without changes: what was added by hand shows in what was read only.
        return find_deviations(run.document())
