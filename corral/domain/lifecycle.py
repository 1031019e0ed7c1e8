"""What the messages in a pool's queue say about its machines."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
INSTANCE_ID = r"^i-(?:[0-9a-f]{8}|[0-9a-f]{17})$"


@dataclass(frozen=True, slots=True)
class Termination:
    """A group holds an instance that shall go, until somebody completes the hook."""

    group: str
    hook: str
    instance_id: str
    token: str
    time: datetime


@dataclass(frozen=True, slots=True)
class SpotWarning:
    """EC2 takes an instance back in two minutes; `action` is terminate, stop or hibernate."""

    instance_id: str
    action: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Foreign:
    """A message that is not for this flow; the sentence says why."""

    reason: str


Message = Termination | SpotWarning | Foreign


class _Content(BaseModel):
    """JSON from outside; AWS sends more than is read here, and adds to it."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Event(_Content):
    """The envelope that EventBridge puts around everything."""

    source: str
    detail_type: str = Field(alias="detail-type")
    time: AwareDatetime
    detail: dict[str, Any]


class _LifecycleDetail(_Content):
    """Source: Amazon EC2 Auto Scaling user guide, EventBridge event reference."""

    group: str = Field(alias="AutoScalingGroupName")
    hook: str = Field(alias="LifecycleHookName")
    instance_id: str = Field(alias="EC2InstanceId", pattern=INSTANCE_ID)
    token: str = Field(alias="LifecycleActionToken")
    transition: str = Field(alias="LifecycleTransition")


class _SpotDetail(_Content):
    """Source: Amazon EC2 user guide, spot instance interruption notices."""

    instance_id: str = Field(alias="instance-id", pattern=INSTANCE_ID)
    action: str = Field(alias="instance-action")


def read_message(body: str, groups: Collection[str]) -> Message:
    """Return what a message says.

    Args:
        body: As it lay in the queue.
        groups: The auto scaling groups whose terminations this queue is for. A spot warning names
            no group, so whoever gets it has to look its instance up.
    """
    try:
        event = _Event.model_validate_json(body)
        read = _READERS.get((event.source, event.detail_type))
        if read is None:
            return Foreign(f"It is of another kind: {event.detail_type} from {event.source}.")
        return read(event, groups)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(step) for step in fault["loc"])
        return Foreign(f"It is no event of a machine: {where or 'the body'}: {fault['msg']}.")


def _read_termination(event: _Event, groups: Collection[str]) -> Message:
    detail = _LifecycleDetail.model_validate(event.detail)
    if detail.transition != TERMINATING:
        return Foreign(f"It is of another transition: {detail.transition}.")
    if detail.group not in groups:
        return Foreign(f"It is of another group: {detail.group}.")
    return Termination(detail.group, detail.hook, detail.instance_id, detail.token, event.time)


def _read_spot_warning(event: _Event, _groups: Collection[str]) -> Message:
    detail = _SpotDetail.model_validate(event.detail)
    return SpotWarning(detail.instance_id, detail.action, event.time)


_READERS: Mapping[tuple[str, str], Callable[[_Event, Collection[str]], Message]] = {
    ("aws.autoscaling", "EC2 Instance-terminate Lifecycle Action"): _read_termination,
    ("aws.ec2", "EC2 Spot Instance Interruption Warning"): _read_spot_warning,
}
