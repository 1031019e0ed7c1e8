"""A flow that does nothing but apply stacks, side by side, as far as people allow."""

from collections.abc import Sequence
from typing import Self

from prefect import flow

from corral.cluster import ClusterSpec
from corral.domain.stacks import Outputs, Stack
from tasks.clusters import load_cluster
from tasks.terraform import Consent, apply_side_by_side, apply_stack, destroy_stack


class PlotOutputs(Outputs):
    """What the stand-in for Terraform says of every stack."""

    vpc_id: str


class Plot(Stack[PlotOutputs]):
    """A stack of which there may be many."""

    folder = "vpc"
    outputs = PlotOutputs

    plot: str

    @property
    def name(self) -> str:
        """Each has a state of its own."""
        return f"plot/{self.plot}"

    @classmethod
    def of(cls, spec: ClusterSpec, plot: str) -> Self:
        """Return one plot of a cluster."""
        return cls._from(spec, plot=plot)


@flow(name="approved-flow")
def approved_flow(
    plots: Sequence[str],
    ask: bool = True,  # noqa: FBT001, FBT002 - a parameter of a flow
    destroy: bool = False,  # noqa: FBT001, FBT002
) -> list[str]:
    """Apply all plots, or destroy the first, and return what was done to each."""
    spec = load_cluster("lab")
    consent = Consent(ask=ask)
    stacks = [Plot.of(spec, plot) for plot in plots]
    if destroy:
        return [str(destroy_stack(stacks[0], consent))]
    if len(stacks) == 1:
        return [str(apply_stack(stacks[0], consent).changes)]
    return [str(applied.changes) for applied in apply_side_by_side(stacks, consent)]
