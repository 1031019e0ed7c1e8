"""Prefect's view of a new password: how far the last change came, and each step of this one."""

from dataclasses import replace
from datetime import UTC, datetime

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from corral.clients import aws
from corral.cluster import ClusterSpec
from corral.domain.passwords import Rotation, Step, Stored, next_step
from corral.domain.plans import Approval
from corral.domain.servers import Renewal
from corral.domain.stacks import ControlPlaneOutputs, Database
from corral.domain.standing import STORED, Standing
from corral.errors import PrerequisiteError
from tasks import connect
from tasks.databases import look_into, read_password, secret_of, state_of
from tasks.probes import vault
from tasks.progress import progress
from tasks.retries import patient_task
from tasks.servers import RolledServers
from tasks.terraform import Consent
from tasks.waiting import Teller, wait_for

PASSWORD_STAGE = "password"  # noqa: S105 - the name of a stage

STEADY = 2
"""Looks in a row at a database that settles: RDS begins with a change some seconds later."""


@patient_task("look-at-password-of-{spec.name}", "aws")
def look_at_password(spec: ClusterSpec, control: ControlPlaneOutputs) -> Rotation:
    """Return what comes next: another password, or the end of a rotation that died.

    Raises:
        PrerequisiteError: The secret is not there.
    """
    session = connect.aws(spec.aws)
    secrets, name = vault(spec, session), secret_of(spec)
    made = secrets.made(name)
    if made is None:
        raise PrerequisiteError(f"AWS Secrets Manager has no secret {name}: build the cluster.")
    servers = aws.read_servers(session, control.group_name, control.target_group_arn).staying
    stored = Stored(secrets.version(name), made)
    rotation = next_step(state_of(spec).attributes, stored, [server.launched for server in servers])
    get_run_logger().info("%s comes first: %s", rotation.step, name)
    return rotation


def standing_with(standing: Standing, rotation: Rotation) -> Standing:
    """Return how the database stands once it has the password."""
    return replace(standing, password_version=rotation.version)


def consent_to_change(consent: Consent) -> Consent:
    """Return the leave to store another password in the place of the one before.

    Secrets Manager keeps the version before; Terraform calls that a replacement.
    """
    stored = Approval(Database.folder, STORED, until=datetime.now(UTC).date())
    return replace(consent, approvals=(*consent.approvals, stored))


@patient_task("await-password-of-{stack.identifier}", "aws")
def await_password(spec: ClusterSpec, stack: Database) -> None:
    """Wait until the database has taken its password, so that servers that start come in.

    Where it cannot be reached from here, RDS's word is taken.

    Raises:
        GateTimeoutError: It has not taken it.
    """
    session, password = connect.aws(spec.aws), read_password(spec)

    def look() -> list[str]:
        instance = aws.read_instance(session, stack.identifier)
        if instance is None or not instance.is_ready:
            return [f"{stack.identifier} is {instance.status if instance else 'not there'}"]
        try:
            look_into(instance, password)
        except PrerequisiteError as error:
            get_run_logger().warning("Nobody tries the password beforehand: %s", error)
        return []

    with progress().stage(PASSWORD_STAGE):
        wait_for(
            f"{stack.identifier} takes its password",
            look,
            connect.settings().gate_deadline_s,
            Teller(PASSWORD_STAGE),
            passes=STEADY,
        )


@patient_task("find-old-servers-of-{spec.name}", "aws")
def servers_before(spec: ClusterSpec) -> Renewal:
    """Return which servers came with another password: those from before it was stored."""
    return Renewal(launched_before=vault(spec, connect.aws(spec.aws)).made(secret_of(spec)))


def end_of_change(spec: ClusterSpec, rotation: Rotation, rolled: RolledServers) -> State[str]:
    """Return `Rotated`, with what was done."""
    finished = "" if rotation.step is Step.CHANGE else " This finished a rotation that had died."
    message = (
        f"The database of {spec.name} has its password number {rotation.version}, and every server"
        f" came with it; {rolled}.{finished}"
    )
    return Completed(name="Rotated", message=message, data=spec.url)
