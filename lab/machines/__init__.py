"""Machines that boot in the lab: the body of each EC2 instance, on loopback."""

from lab.machines.fleet import Machines, NoMachineError
from lab.machines.names import Names
from lab.machines.workloads import RancherImages

__all__ = ["Machines", "Names", "NoMachineError", "RancherImages"]
