"""What a bake leaves for people: tables in the UI, and a named end."""

from collections.abc import Sequence

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed

from corral.cluster import ClusterSpec
from corral.domain.images import REVISION_TAG, VERSIONS_TAG, Fate, write_versions
from tasks.baking import Baked
from tasks.rolling import Rolled

CONTROL_NODES = "Control nodes were not replaced: roll-control-plane gives them the new image."


@task(task_run_name="publish-image-of-{spec.name}", cache_policy=NO_CACHE)
def publish_image(spec: ClusterSpec, baked: Baked) -> None:
    """Leave what was baked in the UI."""
    recipe = baked.recipe
    rows = {
        "image": baked.id,
        "name": recipe.name,
        "source": recipe.origin,
        "revision": recipe.revision,
        "versions": write_versions(recipe.versions),
        "volume": f"{spec.bake.volume_gib} GiB",
    }
    create_table_artifact(
        [{"what": what, "is": value} for what, value in rows.items()], key=f"image-{spec.name}"
    )


@task(task_run_name="publish-images-of-{spec.name}", cache_policy=NO_CACHE)
def publish_images(spec: ClusterSpec, fates: Sequence[Fate]) -> None:
    """Leave in the UI which images were kept, which removed, and why."""
    rows = [
        {
            "image": fate.image.id,
            "name": fate.image.name,
            "revision": fate.image.tags.get(REVISION_TAG, ""),
            "versions": fate.image.tags.get(VERSIONS_TAG, ""),
            "became": "kept" if fate.is_kept else "removed",
            "why": fate.reason,
        }
        for fate in fates
    ]
    create_table_artifact(rows, key=f"images-{spec.name}")


def end_of_bake(baked: Baked, fates: Sequence[Fate]) -> State[str]:
    """Return `Baked` with the image, and how to bring it onto machines."""
    message = f"{_image(baked, fates)} New machines start from it after the next build or roll-out."
    return Completed(name="Baked", message=message, data=baked.id)


def end_of_roll_out(baked: Baked, fates: Sequence[Fate], rolled: Sequence[Rolled]) -> State[str]:
    """Return `RolledOut` with the image and what was replaced."""
    pools = "; ".join(str(one) for one in rolled)
    message = f"{_image(baked, fates)} {pools}. {CONTROL_NODES}"
    return Completed(name="RolledOut", message=message, data=baked.id)


def _image(baked: Baked, fates: Sequence[Fate]) -> str:
    removed = sum(not fate.is_kept for fate in fates)
    return f"{baked.recipe.name} is {baked.id}; {removed or 'no'} old images were removed."
