"""A flow that does nothing but control who may come into a Rancher."""

from prefect import flow

from tasks.access import secure_rancher
from tasks.clusters import load_cluster


@flow(name="secured-flow")
def secured_flow(cluster: str) -> list[str]:
    """Let in whom the cluster file names, and return what was done."""
    return [str(step) for step in secure_rancher(load_cluster(cluster))]
