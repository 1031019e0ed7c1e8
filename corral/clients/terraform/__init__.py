"""Terraform stacks, run by python-terraform: `run_stack` is the door."""

from corral.clients.terraform.engine import Engine, find_engine
from corral.clients.terraform.events import Diagnostic, Event, EventKind, Listener
from corral.clients.terraform.holders import Watch
from corral.clients.terraform.job import Backend, StackJob
from corral.clients.terraform.look import find_drift
from corral.clients.terraform.provider import check_provider
from corral.clients.terraform.run import Question, Run, opened
from corral.clients.terraform.stack import (
    Mandate,
    StackResult,
    Unapproved,
    read_stack,
    run_stack,
)

__all__ = [
    "Backend",
    "Diagnostic",
    "Engine",
    "Event",
    "EventKind",
    "Listener",
    "Mandate",
    "Question",
    "Run",
    "StackJob",
    "StackResult",
    "Unapproved",
    "Watch",
    "check_provider",
    "find_drift",
    "find_engine",
    "opened",
    "read_stack",
    "run_stack",
]
