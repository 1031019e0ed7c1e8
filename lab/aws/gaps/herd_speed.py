"""Thousands of instances are answered in a moment.

moto: takes 3 ms for each instance it writes into an answer, a hundred attributes with several
guesses at the name of each; answers a hundred instances at once; compares each of them with each id
that was asked for; and copies all reservations of the account to find one instance.
AWS: answers up to a thousand instances at once, within a second or two.
Why it matters: herds of thousands are read again and again.

The instances of a seeded herd differ in their ids and addresses only. So moto writes one of those
that are in the same state with the same tags, and the others are copies of its text with the
values of their own. Everything else is written by moto as ever.

Source: measured; moto 5.2.5, `moto/core/serialize.py` and `moto/ec2/models/instances.py`. For the
size of an answer: EC2 API reference, DescribeInstances, MaxResults.
"""

from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidInstanceIdError
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.utils import filter_reservations

from lab.aws.moto_edge import patch

_PAGE = 1000
_SET = "reservationSet"
_OPEN, _CLOSE, _EMPTY = f"<{_SET}>", f"</{_SET}>", f"<{_SET}/>"


def close() -> None:
    """Let moto find what is asked for; write it in our way."""

    def describe(self: InstanceResponse) -> ActionResult:
        self.params.setdefault("MaxResults", _PAGE)
        answer = original(self)
        answer.execute_result = partial(_answer, answer.result)
        return answer

    original = patch(InstanceResponse, "describe_instances", describe)
    patch(InstanceBackend, "get_reservations_by_instance_ids", _by_ids)
    patch(InstanceBackend, "all_instances", _all)
    patch(InstanceBackend, "get_instance", _known)
    patch(InstanceBackend, "get_instance_by_id", _find)


def _all(self: InstanceBackend, filters: Any = None) -> list[Instance]:  # noqa: ANN401
    """Return every instance that passes the filters."""
    reservations = list(self.reservations.values())
    return [one for each in reservations for one in each.instances if one.applies(filters)]


def _find(self: InstanceBackend, instance_id: str) -> Instance | None:
    reservations = list(self.reservations.values())
    return next(
        (one for each in reservations for one in each.instances if one.id == instance_id), None
    )


def _known(self: InstanceBackend, instance_id: str) -> Instance:
    """Return an instance that has to be there."""
    instance = _find(self, instance_id)
    if instance is None:
        raise InvalidInstanceIdError(instance_id)
    return instance


def _by_ids(self: InstanceBackend, instance_ids: list[str], filters: Any = None) -> list[Any]:  # noqa: ANN401
    """Return copies of the reservations that have any of these instances, with no others."""
    wanted = set(instance_ids)
    found = []
    for reservation in self.all_reservations():
        reservation.instances = [one for one in reservation.instances if one.id in wanted]
        if reservation.instances:
            found.append(reservation)
    missing = wanted - {one.id for reservation in found for one in reservation.instances}
    if missing:
        raise InvalidInstanceIdError(sorted(missing))
    return found if filters is None else filter_reservations(found, filters)


def _answer(result: Mapping[str, Any], context: Any) -> Any:  # noqa: ANN401
    """Write an answer without its instances, and put their texts in."""
    patterns: dict[Hashable, tuple[str, list[str]]] = {}
    texts = [_text(one, context, patterns) for one in result["Reservations"]]
    frame = ActionResult({**result, "Reservations": []})
    status, headers, body = frame.execute_result(context)
    return status, headers, body.replace(_EMPTY, f"{_OPEN}{''.join(texts)}{_CLOSE}", 1)


def _text(
    reservation: Any,  # noqa: ANN401
    context: Any,  # noqa: ANN401
    patterns: dict[Hashable, tuple[str, list[str]]],
) -> str:
    """Return a reservation as the answer has it: by its pattern if it is a herd's."""
    instance = reservation.instances[0]
    if not hasattr(instance, "lab_seeded"):
        return _written(reservation, context)
    own = _own_values(reservation, instance)
    kind = _kind(instance)
    if kind not in patterns:
        patterns[kind] = (_written(reservation, context), own)
    text, values = patterns[kind]
    for old, new in zip(values, own, strict=True):
        text = text.replace(f">{old}<", f">{new}<")
    return text


def _written(reservation: Any, context: Any) -> str:  # noqa: ANN401
    """Return one reservation as moto writes it."""
    _, _, body = ActionResult({"Reservations": [reservation]}).execute_result(context)
    written: str = body.partition(_OPEN)[2].rpartition(_CLOSE)[0]
    return written


def _kind(instance: Any) -> Hashable:  # noqa: ANN401
    """Return what instances of one pattern have in common, of all that may change in a herd."""
    tags = tuple((tag["key"], tag["value"]) for tag in instance.get_tags())
    return instance.state, instance.state_transition_reason, instance.launch_time, tags


def _own_values(reservation: Any, instance: Any) -> list[str]:  # noqa: ANN401
    """Return the values that no two instances of a herd share, always in the same order."""
    own = [reservation.id, instance.id]
    for interface in instance.network_interfaces:
        own += [interface.id, interface.attachment_id, interface.mac_address]
        own += [instance.private_dns_name, instance.private_ip]
    return [escape(value) for value in own]
