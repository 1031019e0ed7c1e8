"""Machines that boot in the lab: the body of each EC2 instance, on loopback.

The node program is the real one, as a process with the real unit files' order, Restart and
time-outs; its surroundings are stand-ins. A machine that is stopped or terminated shuts down and
says farewell, one that crashes does not. Not played, so a fault there stays unseen: security groups
and network ACLs, rights of roles, the balancer's certificate and TLS policy, SQL, unit files'
hardening, Docker's networks and volumes, images other than Rancher's two.
"""

from lab.machines.fleet import Machines, NoMachineError
from lab.machines.names import Names
from lab.machines.workloads import RancherImages

__all__ = ["Machines", "Names", "NoMachineError", "RancherImages"]
