"""The story of an end: look, have the name typed, hosts, pools, servers, databases, the network."""

from collections.abc import Sequence

from prefect import flow
from prefect.client.schemas.objects import State

from tasks.clusters import read_consent
from tasks.crashes import settle_crashes
from tasks.ending_reports import (
    end_all_alerts,
    end_of_destroy,
    end_of_pool,
    find_leftovers,
    find_refusal,
    refused,
)
from tasks.endings import (
    end_logs,
    end_secrets,
    end_spare_databases,
    end_stacks,
    load_ending_cluster,
    look_at_end,
    say_farewell,
)
from tasks.turns import take_turn

NAME = "destroy-cluster"


@flow(name=NAME, flow_run_name="destroy-{cluster}")
def destroy_cluster(
    cluster: str,
    confirm: str = "",
    pool: str = "",
    approvals: Sequence[str] = (),
    ask: bool = True,  # noqa: FBT001, FBT002 - a parameter of a deployment
) -> State[str]:
    """Destroy a cluster for good, or one of its pools; or finish an end that died half-way.

    Args:
        cluster: Name of a file in deployments/clusters, without its ending.
        confirm: The name of the cluster, or of the pool that is destroyed alone; without it the run
            shows what would go, and pauses until somebody types it.
        pool: The one pool that goes; the rest of the cluster stays.
        approvals: Changes that still wait in the database's stack and are made on the way, each as
            a run that was refused named it; leave it empty otherwise.
        ask: Whether the run pauses with a form; without, it ends at once and says what it lacks.

    """
    spec = load_ending_cluster(cluster)
    take_turn(spec)
    consent = read_consent(spec, approvals, ask=ask)
    ending = look_at_end(spec, pool)
    if refusal := find_refusal(ending, confirm, ask=ask):
        return refused(ending, refusal)

    say_farewell(spec, ending.pools)
    end_stacks(ending.upper, consent)
    if pool:
        settle_crashes(spec, NAME)
        return end_of_pool(spec, ending)

    end_spare_databases(spec, ending.databases)
    end_stacks(ending.lower, consent)
    end_logs(spec)
    end_secrets(spec, ending.secrets)

    left = find_leftovers(spec)
    end_all_alerts(spec)
    return end_of_destroy(ending, left)
