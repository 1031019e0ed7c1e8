"""What must hold of a living cluster's servers before anything about them is changed."""

from prefect import get_run_logger

from corral.clients.aws import check_account, find_group, newest_image
from corral.clients.rancher import RancherClient
from corral.clients.terraform import check_provider, find_engine
from corral.cluster import ClusterSpec
from corral.domain.gate import find_obstacles
from corral.domain.servers import find_other_size
from corral.errors import PrerequisiteError
from tasks import connect
from tasks.probes import rancher_url
from tasks.retries import patient_task


@patient_task("check-servers-of-{spec.name}", "aws")
def check_servers(spec: ClusterSpec, *, any_number: bool = False) -> None:
    """Make sure that this is the cluster's account, and that its servers are what its file says.

    Args:
        spec: The cluster.
        any_number: Whether there may be more or fewer of them than the file says.

    Raises:
        PrerequisiteError: There are none, another number, or they run another version; or a tool is
            missing here.
    """
    log, settings = get_run_logger(), connect.settings()
    engine = find_engine(settings.terraform, settings.work_dir)
    check_provider(engine, settings)
    session = connect.aws(spec.aws)
    check_account(session, spec.aws.account_id)
    image = newest_image(session, spec.image_name)
    group = find_group(session, f"{spec.name}-control")
    if group is None or group.desired == 0:
        raise PrerequisiteError(
            f"{spec.name} has no servers of Rancher: build it, with build-cluster/{spec.name}."
        )
    obstacles = (
        [] if any_number else list(find_other_size(group.name, group.desired, spec.control.count))
    )
    obstacles += find_obstacles(
        group.name,
        size=spec.control.count,
        wanted=spec.control.count,
        running=RancherClient(rancher_url(spec), attempts=1).version(),
        version=spec.rancher.version,
    )
    if found := " ".join(obstacles):
        raise PrerequisiteError(found)
    log.info("%s has %d servers; image %s", group.name, group.desired, image.name)
