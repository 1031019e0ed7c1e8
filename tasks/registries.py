"""Prefect's view of the passwords of ECR that corral renews: which, and what became of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from corral.clients.rancher.set_up import ensure_registry
from corral.cluster import ClusterSpec, EcrRegistry, Environment
from corral.domain.alerts import Problem, Severity
from corral.domain.set_up.stack_requests import is_renewed_by_flow
from corral.domain.set_up.steps import Did
from corral.errors import CorralError
from tasks.entrance import enter, say_unbuilt
from tasks.furnishing import ecr_login_of
from tasks.rancher import rancher_site
from tasks.retries import patient_task

KIND = "registry"
"""Of the alerts about registries whose password could not be renewed."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """What became of the password of one registry; `fault` is "" if all is well."""

    environment: str
    address: str
    did: Did = Did.KEPT
    fault: str = ""

    def __str__(self) -> str:
        """Say it as a sentence."""
        what = f"registry {self.address} of environment {self.environment}"
        return f"{what}: {self.fault or self.did}"

    @property
    def problem(self) -> Problem:
        """What people are to be told if it could not be renewed."""
        return Problem(
            kind=KIND,
            scope=self.environment,
            subject=self.address,
            severity=Severity.ERROR,
            title="the password of a registry is not renewed",
            text=f"{self}. Hosts cannot pull from there once the last one ends, twelve hours after"
            " it was made.",
        )


@patient_task("find-{spec.name}", "aws")
def find_reason_to_rest(spec: ClusterSpec) -> str:
    """Return why there is nothing to renew, as a sentence for people; "" if there is something."""
    if not _registries(spec):
        return f"No registry of {spec.name} asks for it: none has refresher: flow."
    return "" if enter(spec).rancher else say_unbuilt(spec)


def renew_logins(spec: ClusterSpec) -> list[Renewal]:
    """Renew the passwords that end before the next run; one that fails stops no other."""
    return [_renew(spec, *one) for one in _registries(spec)]


@patient_task("renew-{registry.address}-of-{environment.name}", "aws", "rancher")
def renew_login(spec: ClusterSpec, environment: Environment, registry: EcrRegistry) -> Renewal:
    """Renew one password if it ends before the next run, in its place."""
    step = ensure_registry(rancher_site(spec), environment, registry, ecr_login_of(spec))
    get_run_logger().info("%s", step)
    return Renewal(environment.name, registry.address, step.did)


def find_problems(renewals: Sequence[Renewal]) -> list[Problem]:
    """Return what people are to be told."""
    return [renewal.problem for renewal in renewals if renewal.fault]


def end_of_renewal(
    spec: ClusterSpec, renewals: Sequence[Renewal], untold: Sequence[str]
) -> State[str]:
    """Return `Renewed`, `InStep` if nothing was due, or `Partial` if something was not done."""
    message = " ".join([f"{spec.name}: {'; '.join(map(str, renewals))}.", *untold])
    if untold or find_problems(renewals):
        return Failed(name="Partial", message=message, data=spec.name)
    is_renewed = any(renewal.did is not Did.KEPT for renewal in renewals)
    return Completed(name="Renewed" if is_renewed else "InStep", message=message, data=spec.name)


def _renew(spec: ClusterSpec, environment: Environment, registry: EcrRegistry) -> Renewal:
    try:
        return renew_login(spec, environment, registry)
    except CorralError as error:
        words = " ".join(str(error).split()).rstrip(".")
        return Renewal(environment.name, registry.address, fault=words)


def _registries(spec: ClusterSpec) -> list[tuple[Environment, EcrRegistry]]:
    return [
        (environment, registry)
        for environment in spec.rancher.environments
        for registry in environment.registries
        if isinstance(registry, EcrRegistry) and is_renewed_by_flow(registry)
    ]
