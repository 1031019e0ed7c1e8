"""Examines the targets of the load balancers and writes their health back."""

import asyncio
import time
from dataclasses import dataclass, field

import aiohttp

from lab.aws import Aws, HealthCheck, TargetGroupView, TargetView
from lab.balancer.health import (
    FAILED,
    GOOD,
    INITIAL,
    TIMED_OUT,
    UNHEALTHY,
    Finding,
    Standing,
    matches,
    mismatch,
)
from lab.world import World

SHORTEST_TIMEOUT_S = 2.0
"""A time-out is not scaled below this: a busy machine's pause is no fault of the target."""


@dataclass(slots=True)
class _Patient:
    standing: Standing = field(default_factory=Standing)
    due: float = 0.0
    examination: asyncio.Task[None] | None = None


class Checker:
    """Keeps a standing for every target of every target group in use."""

    def __init__(self, world: World, aws: Aws, session: aiohttp.ClientSession) -> None:
        self._world = world
        self._aws = aws
        self._session = session
        self._patients: dict[tuple[str, str], _Patient] = {}

    def examine(self, groups: list[TargetGroupView]) -> None:
        """Start the checks that are due, and forget targets that are gone."""
        present = {(group.arn, target.id) for group in groups for target in group.targets}
        for key in self._patients.keys() - present:
            patient = self._patients.pop(key)
            if patient.examination is not None:
                patient.examination.cancel()
        now = time.monotonic()
        for group in groups:
            for target in group.targets:
                patient = self._patients.setdefault((group.arn, target.id), _Patient())
                is_busy = patient.examination is not None and not patient.examination.done()
                if patient.due <= now and not is_busy:
                    patient.due = now + self._world.seconds(group.check.interval_s)
                    patient.examination = asyncio.create_task(self._examine(group, target, patient))

    def stop(self) -> None:
        """End what is under way."""
        for patient in self._patients.values():
            if patient.examination is not None:
                patient.examination.cancel()

    async def _examine(self, group: TargetGroupView, target: TargetView, patient: _Patient) -> None:
        finding = await self._check(group.check, target)
        patient.standing = patient.standing.after(finding, group.check)
        state = patient.standing.state
        if state == INITIAL:
            return
        worst = patient.standing.last_bad if state == UNHEALTHY else GOOD
        self._aws.set_target_health(group.arn, target.id, state, worst.reason, worst.description)

    async def _check(self, check: HealthCheck, target: TargetView) -> Finding:
        host, port = self._world.addresses.of(target.private_ip, check.port or target.port)
        seconds = max(self._world.seconds(check.timeout_s), SHORTEST_TIMEOUT_S)
        try:
            async with self._session.get(
                f"http://{host}:{port}{check.path}",
                headers={"User-Agent": "ELB-HealthChecker/2.0"},
                timeout=aiohttp.ClientTimeout(total=seconds),
                allow_redirects=False,
            ) as answer:
                return GOOD if matches(check.codes, answer.status) else mismatch(answer.status)
        except TimeoutError:
            return TIMED_OUT
        except (aiohttp.ClientError, OSError):
            return FAILED
