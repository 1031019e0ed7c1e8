"""What a build leaves for people: tables, a picture and a link in the UI, and a named end."""

import base64
from collections.abc import Sequence
from typing import Any

from prefect import task
from prefect.artifacts import create_image_artifact, create_link_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed

from corral.cluster import ClusterSpec
from corral.domain.hosts import Host
from corral.domain.set_up.steps import Did, Step
from corral.pictures import draw_timeline
from tasks import connect
from tasks.progress import progress
from tasks.terraform import Applied


@task(task_run_name="publish-{spec.name}", cache_policy=NO_CACHE)
def publish_build(spec: ClusterSpec, stacks: Sequence[Applied[Any]], hosts: Sequence[Host]) -> None:
    """Leave the outputs, the hosts and the timeline in the UI."""
    create_table_artifact(_outputs(stacks), key=f"outputs-{spec.name}")
    create_table_artifact(_hosts(hosts), key=f"hosts-{spec.name}")
    picture = draw_timeline(f"build-cluster of {spec.name}", progress().spans)
    settings = connect.settings()
    path = settings.work_dir / spec.name / "timeline.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture)
    create_image_artifact(
        f"data:image/png;base64,{base64.b64encode(picture).decode()}",
        key=f"timeline-{spec.name}",
        description=f"When each stage ran; also in {path}",
    )


def end_of_build(
    spec: ClusterSpec, stacks: Sequence[Applied[Any]], steps: Sequence[Step]
) -> State[str]:
    """Return `InStep` if everything was as it should be, else `Built` with what was done."""
    changed = [f"{stack.name}: {stack.changes}" for stack in stacks if not stack.changes.is_empty]
    made = _made(steps)
    if not changed and not made:
        message = f"{spec.url}: every plan is empty, nothing was made in Rancher."
        return Completed(name="InStep", message=message, data=spec.url)
    return Completed(
        name="Built", message=f"{spec.url}: {'; '.join([*changed, *made])}", data=spec.url
    )


@task(task_run_name="publish-set-up-of-{spec.name}", cache_policy=NO_CACHE)
def publish_set_up(spec: ClusterSpec, steps: Sequence[Step]) -> None:
    """Leave what each step of Rancher's set-up came to, and a link to it, in the UI."""
    rows = [{"what": step.what, "outcome": step.did.value} for step in steps]
    create_table_artifact(rows, key=f"set-up-{spec.name}")
    address = connect.settings().rancher_url or spec.url
    create_link_artifact(address, link_text=spec.url, key=f"cluster-{spec.name}")


def end_of_set_up(spec: ClusterSpec, steps: Sequence[Step]) -> State[str]:
    """Return `InStep` if everything was as the cluster file says, else `Configured`."""
    if made := _made(steps):
        return Completed(name="Configured", message=f"{spec.url}: {'; '.join(made)}", data=spec.url)
    message = f"{spec.url}: Rancher is as the cluster file says, nothing was written."
    return Completed(name="InStep", message=message, data=spec.url)


def _made(steps: Sequence[Step]) -> list[str]:
    return [str(step) for step in steps if step.did is not Did.KEPT]


def _outputs(stacks: Sequence[Applied[Any]]) -> list[dict[str, str]]:
    return [
        {"stack": stack.name, "output": name, "value": str(value)}
        for stack in stacks
        for name, value in stack.outputs.model_dump(mode="json").items()
    ]


def _hosts(hosts: Sequence[Host]) -> list[dict[str, str]]:
    return [
        {
            "host": host.id,
            "name": host.name,
            "address": host.address,
            "instance": host.instance_id,
            "role": host.labels.get("role", ""),
            "state": host.state,
        }
        for host in hosts
    ]
