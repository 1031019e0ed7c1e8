"""Prints the policy of a role of corral's, filled with what the cluster file says.

Usage: python scripts/iam_policy.py CLUSTER --zone-id ID > policy.json
       python scripts/iam_policy.py CLUSTER --for drift --zone-id ID > policy.json
       python scripts/iam_policy.py CLUSTER --for herd|bake|change|destroy > policy.json
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from corral.cluster import ClusterSpec  # noqa: E402 - found by the line above
from corral.errors import ClusterFileError  # noqa: E402
from corral.settings import Settings, load_cluster_spec  # noqa: E402

JOBS = ("build", "herd", "bake", "change", "destroy", "drift")
"""`build` for build-cluster, `herd` for reconcile-hosts and drain-hosts, `bake` for bake-image,
`drift` for detect-drift, which only reads; `change`, besides a build's, for whatever replaces
machines of a cluster that lives; `destroy`, besides a build's, for destroy-cluster.
"""

IN_A_ZONE = ("build", "drift")
"""Jobs whose policy names the hosted zone."""


def policy_of(spec: ClusterSpec, job: str, zone_id: str) -> dict[str, Any]:
    """Return the policy for one job on one cluster.

    Args:
        spec: Names the account, the region and the bucket of the states.
        job: One of JOBS.
        zone_id: Id of the hosted zone in Route 53, as `Z0123456789ABC`; those of IN_A_ZONE need it.
    """
    template = PROJECT / "docs" / "iam" / f"corral-{job}-policy.json"
    text = template.read_text(encoding="utf-8")
    for place, value in {
        "ACCOUNT": spec.aws.account_id,
        "REGION": spec.aws.region,
        "CLUSTER": spec.name,
        "STATE-BUCKET": spec.aws.state_bucket,
        "ZONE": zone_id,
    }.items():
        text = text.replace(f"<{place}>", value)
    policy: dict[str, Any] = json.loads(text)
    return policy


def main() -> int:
    """Print the policy without white space, since AWS counts its length."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("cluster", help="name of a cluster file, without its ending")
    parser.add_argument("--for", dest="job", choices=JOBS, default="build", help="what it may do")
    parser.add_argument("--zone-id", default="", help="id of the hosted zone in Route 53")
    arguments = parser.parse_args()
    if arguments.job in IN_A_ZONE and not arguments.zone_id:
        parser.error(f"the policy for {arguments.job} needs --zone-id, the hosted zone's id")
    try:
        spec = load_cluster_spec(arguments.cluster, Settings())
    except ClusterFileError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(policy_of(spec, arguments.job, arguments.zone_id), separators=(",", ":")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
