"""Thousands of instances are answered in a moment.

moto: takes 3 ms for each instance it writes into an answer, a hundred attributes with several
guesses at the name of each; answers a hundred instances at once; compares each of them with each id
that was asked for, and its attributes with each id that a filter names; copies all reservations of
the account for each page, and to find one instance; and draws the digits of new ids one by one.
AWS: answers up to a thousand instances at once, within a second or two.
Why it matters: herds of thousands are read again and again.

The instances of a seeded herd differ in their ids and addresses only. So moto writes one of those
that are in the same state and subnet with the same tags, and the others are copies of its text with
the values of their own. Everything else is written by moto as ever.

Source: measured; moto 5.2.5, `moto/core/serialize.py` and `moto/ec2/models/instances.py`. For the
size of an answer: EC2 API reference, DescribeInstances, MaxResults.
"""

import copy
import random
import re
from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

from moto.core.responses import ActionResult
from moto.ec2 import utils
from moto.ec2.exceptions import InvalidInstanceIdError
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.utils import filter_reservations, passes_filter_dict

from lab.aws.moto_edge import patch

_PAGE = 1000
_ID = "instance-id"
_SET = "reservationSet"
_OPEN, _CLOSE, _EMPTY = f"<{_SET}>", f"</{_SET}>", f"<{_SET}/>"

Pattern = tuple[Sequence[str], Mapping[str, int]]
"""The text of a reservation in pieces, and which of them is which of the reservation's values."""


def close() -> None:
    """Let moto find what is asked for; write it in our way."""

    def describe(self: InstanceResponse) -> ActionResult:
        self.params.setdefault("MaxResults", _PAGE)
        answer = original(self)
        answer.execute_result = partial(_answer, answer.result)
        return answer

    original = patch(InstanceResponse, "describe_instances", describe)
    patch(InstanceBackend, "all_reservations", _reservations)
    patch(InstanceBackend, "get_reservations_by_instance_ids", _by_ids)
    patch(InstanceBackend, "all_instances", _all)
    patch(InstanceBackend, "get_instance", _known)
    patch(InstanceBackend, "get_instance_by_id", _find)
    patch(utils, "random_resource_id", _random_digits)


def _random_digits(size: int = 8) -> str:
    """Return what comes after the dash in an id."""
    return f"{random.getrandbits(4 * size):0{size}x}"


def _reservations(self: InstanceBackend, filters: Any = None) -> list[Any]:  # noqa: ANN401
    """Return the reservations with the instances that pass; copies of those that lose some."""
    reservations = list(self.reservations.values())
    if not filters:
        return reservations
    if _ID in filters:
        wanted = frozenset(filters[_ID])
        reservations = [each for each in reservations if _has_any(each, wanted)]
    passing = ((each, _passing(each.instances, filters)) for each in reservations)
    return [_with(each, instances) for each, instances in passing if instances]


def _has_any(reservation: Any, ids: frozenset[str]) -> bool:  # noqa: ANN401
    return any(one.id in ids for one in reservation.instances)


def _passing(instances: list[Instance], filters: Any) -> list[Instance]:  # noqa: ANN401
    return [one for one in instances if passes_filter_dict(one, filters)]


def _with(reservation: Any, instances: list[Instance]) -> Any:  # noqa: ANN401
    if len(instances) == len(reservation.instances):
        return reservation
    part = copy.copy(reservation)
    part.instances = instances
    return part


def _all(self: InstanceBackend, filters: Any = None) -> list[Instance]:  # noqa: ANN401
    """Return every instance that passes the filters."""
    known = [one for each in list(self.reservations.values()) for one in each.instances]
    return [one for one in known if one.applies(filters)] if filters else known


def _find(self: InstanceBackend, instance_id: str) -> Instance | None:
    return next((one for one in self.all_instances() if one.id == instance_id), None)


def _known(self: InstanceBackend, instance_id: str) -> Instance:
    """Return an instance that has to be there."""
    instance = _find(self, instance_id)
    if instance is None:
        raise InvalidInstanceIdError(instance_id)
    return instance


def _by_ids(self: InstanceBackend, instance_ids: list[str], filters: Any = None) -> list[Any]:  # noqa: ANN401
    """Return copies of the reservations that have any of these instances, with no others."""
    wanted = set(instance_ids)
    chosen = (
        (each, [one for one in each.instances if one.id in wanted])
        for each in self.all_reservations()
    )
    found = [copy.copy(_with(each, instances)) for each, instances in chosen if instances]
    missing = wanted - {one.id for reservation in found for one in reservation.instances}
    if missing:
        raise InvalidInstanceIdError(sorted(missing))
    return found if filters is None else filter_reservations(found, filters)


def _answer(result: Mapping[str, Any], context: Any) -> Any:  # noqa: ANN401
    """Write an answer without its instances, and put their texts in."""
    patterns: dict[Hashable, Pattern] = {}
    texts = [_text(one, context, patterns) for one in result["Reservations"]]
    frame = ActionResult({**result, "Reservations": []})
    status, headers, body = frame.execute_result(context)
    return status, headers, body.replace(_EMPTY, f"{_OPEN}{''.join(texts)}{_CLOSE}", 1)


def _text(
    reservation: Any,  # noqa: ANN401
    context: Any,  # noqa: ANN401
    patterns: dict[Hashable, Pattern],
) -> str:
    """Return a reservation as the answer has it: by its pattern if it is a herd's."""
    instance = reservation.instances[0]
    if not hasattr(instance, "lab_seeded"):
        return _written(reservation, context)
    own = _own_values(reservation, instance)
    kind = _kind(instance)
    if kind not in patterns:
        patterns[kind] = _pattern(_written(reservation, context), own)
    pieces, places = patterns[kind]
    return "".join(own[places[piece]] if piece in places else piece for piece in pieces)


def _pattern(text: str, values: Sequence[str]) -> Pattern:
    """Cut a text at each value that is the whole of an element."""
    places = {value: place for place, value in enumerate(values) if value}
    either = "|".join(re.escape(value) for value in places)
    return re.split(f"(?<=>)({either})(?=<)", text), places


def _written(reservation: Any, context: Any) -> str:  # noqa: ANN401
    """Return one reservation as moto writes it."""
    _, _, body = ActionResult({"Reservations": [reservation]}).execute_result(context)
    written: str = body.partition(_OPEN)[2].rpartition(_CLOSE)[0]
    return written


def _kind(instance: Any) -> Hashable:  # noqa: ANN401
    """Return what instances of one pattern have in common, of all that may change in a herd."""
    tags = tuple((tag["key"], tag["value"]) for tag in instance.get_tags())
    state = instance.state, instance.state_transition_reason
    return *state, instance.launch_time, instance.subnet_id, tags


def _own_values(reservation: Any, instance: Any) -> list[str]:  # noqa: ANN401
    """Return the values that no two instances of a herd share, always in the same order."""
    own = [reservation.id, instance.id]
    for interface in instance.network_interfaces:
        own += [interface.id, interface.attachment_id, interface.mac_address]
        own += [instance.private_dns_name, instance.private_ip]
    return [escape(value) for value in own]
