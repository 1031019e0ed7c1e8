"""Packer, which bakes the machine image: `bake` is the door."""

from corral.clients.packer.build import CLEANING, Baking, bake
from corral.clients.packer.events import Event, EventKind, Listener
from corral.clients.packer.program import Program, find_ansible, find_packer
from corral.clients.packer.roles import read_variables, versions_in

__all__ = [
    "CLEANING",
    "Baking",
    "Event",
    "EventKind",
    "Listener",
    "Program",
    "bake",
    "find_ansible",
    "find_packer",
    "read_variables",
    "versions_in",
]
