"""What corral does until it knows which hosts are phantoms: enter, read both sides, judge."""

from benchmarks.herd.measured import CLUSTER, Measured
from corral.clients.aws import Ec2, Groups
from corral.cluster import ClusterSpec
from corral.domain.herd import Assessment, Rule, Watch, counts
from corral.settings import load_cluster_spec
from tasks import connect
from tasks.entrance import enter, removal_patience
from tasks.reconciliation import Reconciliation


def open_reconciliation(spec: ClusterSpec, rule: Rule) -> Reconciliation:
    """Return a reconciliation of the cluster that the environment points to, as a run makes it."""
    entrance = enter(spec)
    if entrance.rancher is None:
        raise RuntimeError(f"{spec.name} has no administrator's key")
    return Reconciliation(
        rancher=entrance.rancher,
        ec2=Ec2(entrance.session),
        groups=Groups(entrance.session),
        rule=rule,
        group_names=[f"{spec.name}-{pool.name}" for pool in spec.pools],
        patience=removal_patience(),
        workers=spec.reconcile.parallel_removals,
    )


def survey(reconciliation: Reconciliation) -> Assessment:
    """Read and judge, as a first run does, which remembers nothing."""
    return reconciliation.assess(reconciliation.read(), Watch())


def main() -> None:
    """Survey the herd that the environment points to."""
    spec = load_cluster_spec(CLUSTER, connect.settings())
    reconciliation = open_reconciliation(spec, Rule.of(spec, connect.settings()))
    measured = Measured()
    with measured.timed():
        assessment = survey(reconciliation)
    measured.counts = {str(verdict): n for verdict, n in counts(assessment.findings).items()}
    measured.report()


if __name__ == "__main__":
    main()
