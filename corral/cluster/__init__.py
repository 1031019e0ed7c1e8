"""What a cluster is: the model of one file in `deployments/clusters/`.

It says what there shall be, never what a run may do, and holds no secret. Every fault that can be
seen without asking anybody is found here, all at once, before the first call to anyone.
"""

from corral.cluster.furnishing import (
    CatalogStack,
    EcrRegistry,
    Environment,
    GithubAccess,
    LocalAccess,
    Member,
    PasswordRegistry,
)
from corral.cluster.pools import Pool, Scaling
from corral.cluster.spec import AwsPlace, Bake, ClusterSpec
from corral.cluster.values import EVERYWHERE

__all__ = [
    "EVERYWHERE",
    "AwsPlace",
    "Bake",
    "CatalogStack",
    "ClusterSpec",
    "EcrRegistry",
    "Environment",
    "GithubAccess",
    "LocalAccess",
    "Member",
    "PasswordRegistry",
    "Pool",
    "Scaling",
]
