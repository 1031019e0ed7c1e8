"""The one place where the lab reaches into moto, which has no types: its backends and its seams.

moto's backends are not safe to change from two threads at once, and the lab adds a keeper of its
own beside moto's request threads. So there is one lock for all of moto: a request holds it while it
is answered (`middleware.py`), the keeper and the facade while they change something. Who only looks
takes a copy of the list first (`look.py`) and needs no lock: an answer of thousands of instances
takes a second, and the event loop must not stand still for it.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto import settings
from moto.autoscaling.models import autoscaling_backends
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends
from moto.events.models import events_backends
from moto.rds.models import rds_backends
from moto.route53.models import route53_backends
from moto.secretsmanager.models import secretsmanager_backends

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"

LOCK = threading.RLock()

_ORIGINALS: dict[tuple[Any, str], Any] = {}


@dataclass(frozen=True, slots=True)
class Backends:
    """moto's memory of the lab's account and region, one backend a service."""

    autoscaling: Any
    ec2: Any
    elbv2: Any
    events: Any
    rds: Any
    route53: Any
    secretsmanager: Any


def fresh_backends() -> Backends:
    """Forget everything moto knows and return its empty backends.

    moto brings 1300 public images along; making them costs more than all the rest of the start, and
    every question about images looks at each of them.
    """
    patch(settings, "ec2_load_default_amis", lambda: False)
    with LOCK:
        BackendDict.reset()
        reset_model_data()
        return Backends(
            autoscaling=autoscaling_backends[ACCOUNT_ID][REGION],
            ec2=ec2_backends[ACCOUNT_ID][REGION],
            elbv2=elbv2_backends[ACCOUNT_ID][REGION],
            events=events_backends[ACCOUNT_ID][REGION],
            rds=rds_backends[ACCOUNT_ID][REGION],
            route53=route53_backends[ACCOUNT_ID]["aws"],
            secretsmanager=secretsmanager_backends[ACCOUNT_ID][REGION],
        )


def patch(owner: Any, name: str, replacement: Callable[..., Any] | property | float) -> Any:  # noqa: ANN401
    """Put something in the place of moto's and return moto's own, however often this is done.

    Returns:
        The method or setting as moto wrote it, or None where moto has none of that name.

    """
    if (owner, name) not in _ORIGINALS:
        _ORIGINALS[owner, name] = getattr(owner, name, None)
    setattr(owner, name, replacement)
    return _ORIGINALS[owner, name]


def restore() -> None:
    """Put all of moto back, for whoever uses it without the lab in this process."""
    for (owner, name), original in _ORIGINALS.items():
        if original is not None:
            setattr(owner, name, original)
        elif name in vars(owner):
            delattr(owner, name)
