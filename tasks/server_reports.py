"""What a roll or a change of the servers' number leaves for people: a table, and a named end."""

from collections.abc import Sequence
from typing import Any

from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from corral.clients.aws import read_servers
from corral.cluster import ClusterSpec
from corral.domain.servers import Server
from corral.domain.set_up.steps import Did, Step
from corral.domain.stacks import ControlPlaneOutputs
from tasks import connect
from tasks.retries import patient_task
from tasks.servers import RolledServers
from tasks.terraform import Applied


@patient_task("publish-servers-of-{spec.name}", "aws")
def publish_servers(spec: ClusterSpec, control: ControlPlaneOutputs) -> None:
    """Leave in the UI which servers there are now, and what each was started from."""
    session = connect.aws(spec.aws)
    group = read_servers(session, control.group_name, control.target_group_arn)
    create_table_artifact([_row(one) for one in group.servers], key=f"servers-{spec.name}")


def end_of_roll(
    spec: ClusterSpec, stacks: Sequence[Applied[Any]], rolled: RolledServers
) -> State[str]:
    """Return `InStep` if no server had to be replaced, else `Rolled` with those that were."""
    message = "; ".join([f"{spec.url}: {rolled}", *_changes(stacks)])
    name = "Rolled" if rolled.replaced else "InStep"
    return Completed(name=name, message=message, data=spec.url)


def end_of_scale(
    spec: ClusterSpec, stacks: Sequence[Applied[Any]], steps: Sequence[Step]
) -> State[str]:
    """Return `InStep` if there are as many servers as before, else `Scaled` with what was done."""
    made = [str(step) for step in steps if step.did is not Did.KEPT]
    said = f"{spec.url}: {spec.control.count} servers"
    message = "; ".join([said, *made, *_changes(stacks)])
    return Completed(name="Scaled" if made else "InStep", message=message, data=spec.url)


def _changes(stacks: Sequence[Applied[Any]]) -> list[str]:
    return [f"{stack.name}: {stack.changes}" for stack in stacks if not stack.changes.is_empty]


def _row(server: Server) -> dict[str, str]:
    return {
        "server": server.instance_id,
        "zone": server.zone,
        "launched": f"{server.launched:%Y-%m-%d %H:%M:%S} UTC" if server.launched else "",
        "launch template": server.version,
        "in its group": server.lifecycle,
        "in the load balancer": server.target or "not registered",
    }
