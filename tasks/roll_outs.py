"""What a roll-out needs of a cluster, looked at before anything is baked for it."""

from corral.cluster import ClusterSpec
from corral.domain.set_up.environments import project_ids
from corral.domain.stacks import ControlPlane, HostPool
from tasks import connect
from tasks.built import read_built_stack, read_database, read_network
from tasks.probes import administrator
from tasks.retries import patient_task


def check_roll_out(spec: ClusterSpec) -> list[HostPool]:
    """Return the pools of a cluster that is built and that lets us in.

    Raises:
        PrerequisiteError: It is not built, has no administrator's key, or lacks an environment.
    """
    below = read_network(spec)
    database = read_database(spec, below)
    control = read_built_stack(ControlPlane.of(spec, *below, database))
    find_environments(spec)
    return [HostPool.of(spec, *below, control, pool) for pool in spec.pools]


@patient_task("find-environments-of-{spec.name}", "aws", "rancher")
def find_environments(spec: ClusterSpec) -> None:
    """See that Rancher knows us as its administrator, and has the environments of all pools.

    Raises:
        PrerequisiteError: There is no administrator's key, or an environment is missing.
    """
    rancher = administrator(spec, connect.aws(spec.aws))
    project_ids(sorted({pool.environment for pool in spec.pools}), rancher.projects())
