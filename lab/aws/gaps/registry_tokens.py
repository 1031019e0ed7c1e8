"""A log-in at ECR ends twelve hours after it was given.

moto: says that every one of them ended in 2015.
AWS: gives the time at which it ends.
Why it matters: whoever renews log-ins in time would renew one that is new with every look.

Source: ECR API reference, AuthorizationData.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.ecr.responses import ECRResponse

from lab.aws.moto_edge import patch

LIFETIME = timedelta(hours=12)


def close() -> None:
    """Let log-ins end when they do."""

    def give(self: ECRResponse) -> ActionResult:
        answer: Any = original(self)
        end = datetime.now(UTC) + LIFETIME
        rows = answer.result["authorizationData"]
        return ActionResult({"authorizationData": [{**row, "expiresAt": end} for row in rows]})

    original = patch(ECRResponse, "get_authorization_token", give)
