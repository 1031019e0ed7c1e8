"""The story of a bake: check, clean up, bake, keep a few; on request pools take the new image."""

from prefect import flow
from prefect.client.schemas.objects import State

from tasks.bake_reports import end_of_bake, end_of_roll_out, publish_image, publish_images
from tasks.baking import bake, check_bake, load_bake
from tasks.crashes import settle_crashes
from tasks.leftovers import remove_leftovers, remove_old_images
from tasks.roll_outs import check_roll_out
from tasks.rolling import roll_pool
from tasks.terraform import Consent, apply_side_by_side
from tasks.turns import take_turn

NAME = "bake-image"


@flow(name=NAME, flow_run_name="bake-{cluster}")
def bake_image(cluster: str, roll_out: bool = False) -> State[str]:  # noqa: FBT001, FBT002 - a parameter of a deployment
    """Bake the image that control nodes and hosts start from, and remove old ones.

    Args:
        cluster: Name of a file in deployments/clusters, without its ending.
        roll_out: Replace the hosts of all pools by such that start from the new image.

    """
    spec = load_bake(cluster, roll_out=roll_out)
    if roll_out:
        take_turn(spec)
    recipe = check_bake(spec)
    pools = check_roll_out(spec) if roll_out else []
    remove_leftovers(spec, recipe.run)

    baked = bake(spec, recipe)
    publish_image(spec, baked)
    fates = remove_old_images(spec)
    publish_images(spec, fates)
    if not roll_out:
        settle_crashes(spec, NAME)
        return end_of_bake(baked, fates)

    apply_side_by_side(pools, Consent())
    rolled = [roll_pool(spec, pool) for pool in spec.pools]
    settle_crashes(spec, NAME)
    return end_of_roll_out(baked, fates, rolled)
