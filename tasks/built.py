"""What is built of a cluster: the outputs of its stacks, as the last run left them."""

from corral.clients.terraform import read_stack
from corral.cluster import ClusterSpec
from corral.domain.stacks import (
    Database,
    DatabaseOutputs,
    SecurityGroups,
    SecurityGroupsOutputs,
    Stack,
    Vpc,
    VpcOutputs,
)
from corral.errors import PrerequisiteError
from tasks import connect
from tasks.databases import read_standing
from tasks.retries import patient_task
from tasks.stacks import Narrator, Out, job_of, outputs_of

Network = tuple[VpcOutputs, SecurityGroupsOutputs]
"""What all other stacks build on, in the order in which their models take it."""


def read_network(spec: ClusterSpec) -> Network:
    """Return the network and its security groups.

    Raises:
        PrerequisiteError: One of them is not built.
    """
    vpc = read_built_stack(Vpc.of(spec))
    return vpc, read_built_stack(SecurityGroups.of(spec, vpc))


def read_database(spec: ClusterSpec, below: Network) -> DatabaseOutputs:
    """Return the database on that network, whichever instance it is by now.

    Raises:
        PrerequisiteError: It is not built.
    """
    return read_built_stack(Database.of(spec, *below, read_standing(spec)))


def read_built_stack(stack: Stack[Out]) -> Out:
    """Return the outputs of a stack that is built.

    Raises:
        PrerequisiteError: It is not built.
    """
    if outputs := find_outputs(stack):
        return outputs
    raise PrerequisiteError(
        f"The state of {stack.key} has no outputs: build the cluster first, with"
        f" build-cluster/{stack.cluster}."
    )


@patient_task("read-{stack.key}", "terraform")
def find_outputs(stack: Stack[Out]) -> Out | None:
    """Return the outputs of a stack; None if it has none."""
    outputs = read_stack(job_of(stack), connect.settings(), listen=Narrator(stack.name))
    return outputs_of(stack, outputs) if outputs else None
