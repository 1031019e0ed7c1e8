"""Flow logs find their log group by its ARN.

moto: looks for the group by name only, so that a flow log with a destination ARN has failed.
AWS: takes either; delivery is `SUCCESS` once the group exists.
Why it matters: flow logs that cannot be delivered are what a look at them is for.

Source: EC2 API reference, CreateFlowLogs (LogDestination) and FlowLog (DeliverLogsStatus).
"""

from typing import Any

from moto.ec2.models.flow_logs import FlowLogs, FlowLogsBackend
from moto.logs.models import logs_backends

from lab.aws.moto_edge import patch

_GROUP = ":log-group:"


def _has_group(backend: FlowLogsBackend, arn: str) -> bool:
    """Say whether the log group of an ARN exists; `:*` may stand at its end."""
    name = arn.partition(_GROUP)[2].removesuffix(":*")
    return name in logs_backends[backend.account_id][backend.region_name].groups


def close() -> None:
    """Set right what moto says about the delivery to a group that is given as ARN."""

    def create(
        self: FlowLogsBackend,
        **given: Any,  # noqa: ANN401
    ) -> tuple[list[FlowLogs], list[Any]]:
        made, failed = original(self, **given)
        for log in made:
            if _GROUP in (log.log_destination or "") and _has_group(self, log.log_destination):
                log.deliver_logs_status, log.deliver_logs_error_message = "SUCCESS", None
        return made, failed

    original = patch(FlowLogsBackend, "create_flow_logs", create)
