"""DB parameters that were set are answered as set.

moto: keeps what ModifyDBParameterGroup sent and answers just that, without a `Source`; has no
ResetDBParameterGroup.
AWS: each parameter has a `Source` (`user` for what was set, `engine-default` or `system` for the
rest) and `DescribeDBParameters` filters by it; a reset takes the parameter back to its default.
Why it matters: the Terraform provider looks for `Source` = `user` and otherwise plans to set every
parameter again.

Source: RDS API reference, DescribeDBParameters, ResetDBParameterGroup.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.rds.models import DBParameterGroup
from moto.rds.responses import RDSResponse

from lab.aws.moto_edge import patch

_AS_SET_BY_A_USER = {
    "Source": "user",
    "IsModifiable": True,
    "ApplyType": "dynamic",
    "DataType": "string",
}


def close() -> None:
    """Mark what is set as set by a user, filter by source, and serve the reset."""

    def update(self: DBParameterGroup, parameters: Iterable[Mapping[str, Any]]) -> None:
        original(self, [{**_AS_SET_BY_A_USER, **parameter} for parameter in parameters])

    def describe(self: RDSResponse) -> ActionResult:
        answer = original_describe(self)
        if self.params.get("Source", "user") != "user":
            return ActionResult({"Parameters": []})
        return answer

    def reset(self: RDSResponse) -> ActionResult:
        name = self.params["DBParameterGroupName"]
        known = self.backend.describe_db_parameter_groups({"db_parameter_group_name": name})
        parameters = known[0].parameters
        for parameter in self.params.get("Parameters", []):
            parameters.pop(parameter.original_dict()["ParameterName"], None)
        if self.params.get("ResetAllParameters"):
            parameters.clear()
        return ActionResult({"DBParameterGroupName": name})

    original = patch(DBParameterGroup, "update_parameters", update)
    original_describe = patch(RDSResponse, "describe_db_parameters", describe)
    patch(RDSResponse, "reset_db_parameter_group", reset)
