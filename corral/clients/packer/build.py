"""One bake from variables to the id of an image: Packer is started, followed, ended well."""

import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from corral.clients.packer.events import Event, EventKind, Listener, read_event
from corral.clients.packer.faults import explain
from corral.clients.packer.program import Program
from corral.clients.process import ENGINES, DeadlineError, Order, without_other_identities
from corral.errors import PackerDeadlineError, PackerError

log = logging.getLogger(__name__)

CLEANING = timedelta(minutes=5)
"""How long Packer may remove its builder after the deadline; EC2 ends a machine within two."""

_MEANING = ("PKR_VAR_", "PACKER_LOG", "PACKER_CONFIG")
"""Beginnings of variables that would change what our command line means, or print secrets."""
_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_SHORTEST = 8
"""Characters of a secret; what is shorter is a stand-in's, and may be part of any word."""
_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Baking:
    """One image to bake."""

    template: Path
    """Folder of the template."""
    variables: Mapping[str, Any]
    """Of the template; none of them is a secret."""
    environment: Mapping[str, str]
    """Added to ours: credentials, where they are not in ours; these then stand alone."""
    folder: Path
    """Where the variables and Packer's words are kept, from one bake to the next."""
    deadline: timedelta
    way_in: str
    """How the builder is reached: where to look if it never answers."""

    def surroundings(self) -> dict[str, str]:
        """Return the variables that Packer sees."""
        found = without_other_identities(self.environment)
        kept = {name: value for name, value in found.items() if not name.startswith(_MEANING)}
        return kept | {"CHECKPOINT_DISABLE": "1"}


def bake(program: Program, baking: Baking, listen: Listener) -> str:
    """Bake an image and return its id.

    Args:
        program: Packer.
        baking: What to bake.
        listen: Hears every event as it happens.

    Raises:
        PackerDeadlineError: It took too long; Packer was told to stop and to clean up.
        CredentialsError: AWS does not know who is asking.
        AccessDeniedError: AWS refuses something that Packer needs.
        PackerError: Anything else that went wrong; Packer has removed its builder.

    """
    order = _order(program, baking)
    hearing = _Hearing(listen, _secrets(order.environment))
    started = time.monotonic()
    try:
        code = ENGINES.run(order, hearing.hear)
    except DeadlineError as error:
        raise PackerDeadlineError(baking.deadline, hearing.last_step) from error
    log.info("packer build: exit code %d, %.1f s", code, time.monotonic() - started)
    if code == 0 and hearing.image:
        return hearing.image
    stderr = order.stderr.read_text(encoding="utf-8", errors="replace")
    faults = hearing.faults or hearing.troubles or [hearing.clean(stderr)]
    raise explain(faults, hearing.details, baking.way_in)


class _Hearing:
    """What was heard of one bake."""

    def __init__(self, listen: Listener, secrets: list[str]) -> None:
        self._listen = listen
        self._secrets = secrets
        self._heard: list[Event] = []

    def hear(self, line: str) -> None:
        """Take one line; what is a fault was heard before, as trouble, and is told to nobody."""
        event = read_event(self.clean(line))
        if event is None:
            return
        self._heard.append(event)
        if event.kind not in (EventKind.FAULT, EventKind.IMAGE):
            self._listen(event)

    def clean(self, words: str) -> str:
        for secret in self._secrets:
            words = words.replace(secret, "***")
        return words

    @property
    def image(self) -> str:
        """Id of the image; empty if there is none."""
        return next(iter(self._all(EventKind.IMAGE)), "")

    @property
    def last_step(self) -> str:
        return next(iter(reversed(self._all(EventKind.STEP))), "it had said nothing yet")

    @property
    def faults(self) -> list[str]:
        return self._all(EventKind.FAULT)

    @property
    def troubles(self) -> list[str]:
        return self._all(EventKind.TROUBLE)

    @property
    def details(self) -> list[str]:
        return self._all(EventKind.DETAIL)

    def _all(self, kind: EventKind) -> list[str]:
        return [event.text for event in self._heard if event.kind is kind]


def _order(program: Program, baking: Baking) -> Order:
    baking.folder.mkdir(parents=True, exist_ok=True)
    variables = baking.folder / "variables.pkrvars.json"
    _write(variables, json.dumps(dict(baking.variables), indent=2, sort_keys=True))
    options = ["-color=false", "-machine-readable", f"-var-file={variables}"]
    return Order(
        name="packer",
        argv=[str(program.path), "build", *options, str(baking.template)],
        folder=baking.template,
        environment=baking.surroundings(),
        stdout=baking.folder / "packer.out",
        stderr=baking.folder / "packer.err",
        deadline=baking.deadline,
        fault=PackerError,
        to_all=True,
        overtime=CLEANING,
    )


def _secrets(environment: Mapping[str, str]) -> list[str]:
    found = (environment.get(name, "") for name in _SECRETS)
    return [secret for secret in found if len(secret) >= _SHORTEST]


def _write(path: Path, content: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE), "w") as file:
        file.write(content)
