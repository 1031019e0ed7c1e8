"""What AWS's services put on the account's default event bus, from where rules take it.

Source: EventBridge user guide, "AWS service event metadata".
"""

import time
import uuid
from collections.abc import Mapping, Sequence

from lab.aws.moto_edge import ACCOUNT_ID, REGION, Backends


def announce(
    backends: Backends,
    source: str,
    kind: str,
    resources: Sequence[str],
    detail: Mapping[str, str],
) -> None:
    """Put an event on the default bus.

    Args:
        backends: moto's memory, with its lock held.
        source: the service, as `aws.ec2`.
        kind: the event's detail-type.
        resources: ARNs of what it is about.
        detail: what the service says of it.

    """
    now = time.time()
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind,
        "source": source,
        "account": ACCOUNT_ID,
        "time": now,
        # moto wants to know it for input transformers; targets do not see it
        "ingestion-time": now,
        "region": REGION,
        "resources": list(resources),
        "detail": dict(detail),
    }
    for rule in backends.events.describe_event_bus("default").rules.values():
        if rule.state == "ENABLED":
            rule.send_to_targets(dict(event))
