"""Terraform stacks, run by python-terraform: `run_stack` is the door."""

from corral.clients.terraform.engine import Engine, find_engine
from corral.clients.terraform.events import Diagnostic, Event, EventKind, Listener
from corral.clients.terraform.job import Backend, StackJob
from corral.clients.terraform.process import engines_end_with_us
from corral.clients.terraform.provider import check_provider
from corral.clients.terraform.stack import Question, StackResult, run_stack

__all__ = [
    "Backend",
    "Diagnostic",
    "Engine",
    "Event",
    "EventKind",
    "Listener",
    "Question",
    "StackJob",
    "StackResult",
    "check_provider",
    "engines_end_with_us",
    "find_engine",
    "run_stack",
]
