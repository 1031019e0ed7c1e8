"""Prefect's view of a rotation of keys: is there a Rancher, whose keys are due, what was done."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from prefect import get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from corral.clients.rancher import Site
from corral.clients.rancher.set_up import rotate_admin_key, rotate_environment_key
from corral.cluster import ClusterSpec, Environment
from corral.domain.alerts import Problem, Severity
from corral.domain.set_up.rotation import (
    ADMINISTRATOR,
    MAKING,
    Fate,
    KeyFate,
    RotationRule,
    whose_key,
)
from corral.errors import CorralError
from tasks.entrance import enter, say_unbuilt
from tasks.rancher import rancher_site
from tasks.retries import patient_task

KIND = "key"
"""Of the alerts about keys that could not be rotated."""
WRITTEN = frozenset({Fate.MADE, Fate.REMOVED})


def rule_of(max_age_days: int) -> RotationRule:
    """Return when a key is too old for a run that begins now."""
    return RotationRule(now=datetime.now(UTC), max_age=timedelta(days=max_age_days))


@patient_task("find-{spec.name}", "aws")
def find_reason_without_keys(spec: ClusterSpec) -> str:
    """Return why there are no keys to rotate, as a sentence for people; "" if there are some."""
    return "" if enter(spec).rancher else say_unbuilt(spec)


@patient_task("rotate-administrator-of-{spec.name}", "rancher")
def rotate_administrator(spec: ClusterSpec, rule: RotationRule) -> tuple[KeyFate, ...]:
    """Replace the administrator's key if it is due; whatever comes after goes on with the new."""
    return _told(rotate_admin_key(_site(spec), rule))


@patient_task("rotate-{environment.name}-of-{spec.name}", "rancher")
def rotate_environment(
    spec: ClusterSpec, environment: Environment, rule: RotationRule
) -> tuple[KeyFate, ...]:
    """Replace the key with which hosts join an environment, if it is due."""
    return _told(rotate_environment_key(_site(spec), environment, rule))


def rotate_all(spec: ClusterSpec, rule: RotationRule) -> list[KeyFate]:
    """Replace every key that is due, the administrator's first; one that fails stops no other."""
    fates = _tried(ADMINISTRATOR, partial(rotate_administrator, spec, rule))
    for one in spec.rancher.environments:
        fates += _tried(whose_key(one.name), partial(rotate_environment, spec, one, rule))
    return fates


@task(task_run_name="publish-{spec.name}", cache_policy=NO_CACHE)
def publish_keys(spec: ClusterSpec, fates: Sequence[KeyFate], rule: RotationRule) -> None:
    """Leave a table of every key: whose it is, how old, what was done, how long it works on."""
    create_table_artifact([_row(fate, rule.now) for fate in fates], key=f"keys-{spec.name}")


def find_problems(fates: Sequence[KeyFate]) -> list[Problem]:
    """Return what people are to be told: the keys that could not be rotated."""
    return [_problem(fate) for fate in fates if fate.fate is Fate.FAILED]


def end_of_rotation(
    spec: ClusterSpec, fates: Sequence[KeyFate], untold: Sequence[str] = ()
) -> State[str]:
    """Return `Rotated` if a key was made or removed, else `InStep`; `Partial` if one failed."""
    failed = [str(fate) for fate in fates if fate.fate is Fate.FAILED]
    written = [str(fate) for fate in fates if fate.fate in WRITTEN]
    rest = [str(fate) for fate in fates if fate.fate in (Fate.LEAVING, Fate.MISSING)]
    done = [*failed, *written] or ["no key is due, nothing was written"]
    message = " ".join([f"{spec.name}: {'; '.join([*done, *rest])}.", *untold])
    if failed or untold:
        return Failed(name="Partial", message=message, data=spec.name)
    return Completed(name="Rotated" if written else "InStep", message=message, data=spec.name)


def _tried(whose: str, rotate: Callable[[], Sequence[KeyFate]]) -> list[KeyFate]:
    try:
        return [*rotate()]
    except CorralError as error:
        words = " ".join(str(error).split()).rstrip(".")
        return [KeyFate(whose, Fate.FAILED, fault=words)]


def _problem(fate: KeyFate) -> Problem:
    return Problem(
        kind=KIND,
        scope="",
        subject=fate.whose,
        severity=Severity.ERROR,
        title="an API key of Rancher could not be rotated",
        text=f"{fate}. No key was removed that somebody may work with; the next run goes on.",
    )


def _site(spec: ClusterSpec) -> Site:
    """Return the cluster's Rancher; what takes too long is given up for the next run.

    A key is waited for twice between its birth and its being stored.
    """
    site = rancher_site(spec)
    deadline = min(site.patience.deadline, MAKING / 2)
    return replace(site, patience=replace(site.patience, deadline=deadline))


def _told(fates: tuple[KeyFate, ...]) -> tuple[KeyFate, ...]:
    for fate in fates:
        get_run_logger().info("%s", fate)
    return fates


def _row(fate: KeyFate, now: datetime) -> dict[str, str]:
    key = fate.key
    return {
        "key of": fate.whose,
        "key": key.id if key else "",
        "made": f"{key.created:%Y-%m-%d %H:%M} UTC" if key else "",
        "age in days": str(max(now - key.created, timedelta()).days) if key else "",
        "what was done": fate.fate.value,
        "until": f"{fate.until:%Y-%m-%d %H:%M} UTC" if fate.until else "",
    }
