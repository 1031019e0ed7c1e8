"""The story of a set-up: shut the door, look at what is asked for, furnish, deploy, report."""

from prefect import flow
from prefect.client.schemas.objects import State

from tasks.access import secure_rancher
from tasks.clusters import check_built, load_built_cluster
from tasks.crashes import settle_crashes
from tasks.furnishing import check_furnishing, deploy_stacks, furnish_rancher
from tasks.reports import end_of_set_up, publish_set_up
from tasks.turns import take_turn

NAME = "configure-rancher"


@flow(name=NAME, flow_run_name="configure-{cluster}")
def configure_rancher(cluster: str) -> State[str]:
    """Set up what is inside Rancher as the cluster file says; what is as it says is left alone.

    With GitHub's log-in a first run pauses until a person has given it a code.

    Args:
        cluster: Name of a file in deployments/clusters, without its ending.

    """
    spec = load_built_cluster(cluster)
    take_turn(spec)
    check_built(spec)

    steps = secure_rancher(spec)
    check_furnishing(spec)
    steps += furnish_rancher(spec)
    steps += deploy_stacks(spec)

    publish_set_up(spec, steps)
    settle_crashes(spec, NAME)
    return end_of_set_up(spec, steps)
