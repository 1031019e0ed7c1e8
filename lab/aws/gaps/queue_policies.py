"""A queue's policies are answered as they were written, and stay until they are written anew.

moto: reads a redrive policy and writes it out again with other spaces, does not know redrive allow
policies, and forgets the access policy whenever another attribute is set.
AWS: keeps each of the three as the text it was given.
Why it matters: Terraform compares the texts, and waits for an unknown one until it gives up.

Source: SQS API reference, SetQueueAttributes and GetQueueAttributes.
"""

from collections.abc import Mapping
from typing import Any

from moto.sqs.models import Queue

from lab.aws.moto_edge import patch

_POLICIES = ("Policy", "RedrivePolicy", "RedriveAllowPolicy")
_ALLOW = "RedriveAllowPolicy"


def close() -> None:
    """Keep the texts beside what moto makes of them."""

    def set_attributes(self: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
        texts = self.__dict__.setdefault("lab_policies", {})
        texts.update({name: attributes[name] for name in _POLICIES if name in attributes})
        known = {name: value for name, value in attributes.items() if name != _ALLOW}
        original_set(self, {**known, "Policy": texts.get("Policy")}, now)

    def answer(self: Queue) -> dict[str, Any]:
        texts: Mapping[str, str | None] = self.lab_policies
        return {**original_answer(self), **{name: text for name, text in texts.items() if text}}

    original_set = patch(Queue, "_set_attributes", set_attributes)
    original_answer = patch(Queue, "attributes", property(answer)).fget
    if _ALLOW not in Queue.BASE_ATTRIBUTES:
        Queue.BASE_ATTRIBUTES.append(_ALLOW)
        Queue.redrive_allow_policy = None
