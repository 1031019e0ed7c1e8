"""Prefect's view of the database: how the last run left it, and what is in it."""

import json
from collections.abc import Mapping
from pathlib import Path

from corral.clients.aws import Instance, read_state
from corral.clients.database import Login, look_at_database
from corral.cluster import ClusterSpec
from corral.domain.restores import DatabaseFacts
from corral.domain.stacks import RANCHER_DATABASE, Database
from corral.domain.standing import Standing, standing_in
from corral.domain.states import StackState
from corral.errors import PrerequisiteError
from tasks import connect
from tasks.probes import vault
from tasks.retries import patient_task


@patient_task("read-standing-of-{spec.name}", "aws")
def read_standing(spec: ClusterSpec) -> Standing:
    """Return which instance the database is and which password it has, as its state knows them."""
    return standing_in(state_of(spec).attributes, spec.name)


def state_of(spec: ClusterSpec) -> StackState:
    """Return the state of the database's stack."""
    place = spec.aws
    key = f"{spec.name}/{Database.folder}"
    return read_state(connect.aws(place), place.state_bucket, place.account_id, key)


def secret_of(spec: ClusterSpec) -> str:
    """Return the name of the secret with the database's user and password."""
    return f"{spec.name}/database"


def read_password(spec: ClusterSpec) -> str:
    """Return the password that servers come with.

    Raises:
        PrerequisiteError: The secret with it is not there.
    """
    held = vault(spec, connect.aws(spec.aws)).read(secret_of(spec))
    if held is None or "password" not in held:
        raise PrerequisiteError(
            f"AWS Secrets Manager has no secret {secret_of(spec)} with a password: bring it back,"
            " then run again."
        )
    return held["password"]


def look_into(instance: Instance, password: str) -> DatabaseFacts:
    """Return what there is to see in Rancher's database on an instance.

    Raises:
        PrerequisiteError: It cannot be reached from here.
        DatabaseRefusedError: The password is another.
    """
    settings = connect.settings()
    login = Login(
        instance.address, instance.port, RANCHER_DATABASE, password, database=RANCHER_DATABASE
    )
    places = _places(settings.database_names)
    return look_at_database(login, ca=settings.database_ca, places=places)


def _places(path: Path | None) -> Mapping[str, tuple[str, int]]:
    """Return where databases answer that do not answer at their own names.

    Raises:
        PrerequisiteError: The file that says so cannot be read.
    """
    if path is None:
        return {}
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
        pairs = {name: place.rsplit(":", 1) for name, place in names.items()}
        return {name: (host, int(port)) for name, (host, port) in pairs.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise PrerequisiteError(
            f"{path}, which CORRAL_DATABASE_NAMES names, is no JSON of names and HOST:PORT."
        ) from error
