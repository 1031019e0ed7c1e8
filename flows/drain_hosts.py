"""The story of a drain: listen to the queues of all pools, take out the hosts that leave, tell."""

from prefect import flow
from prefect.client.schemas.objects import State


@flow(name="drain-hosts", flow_run_name="drain-{cluster}")
def drain_hosts(cluster: str, listen_s: float = 0) -> State[str]:
    """Take out of Rancher the hosts whose machines their groups are about to end.

    Args:
        cluster: Name of a file in deployments/clusters, without its ending.
        listen_s: Seconds to listen; what is in the queues then is worked off in any case.

    """
    raise NotImplementedError(cluster, listen_s)
