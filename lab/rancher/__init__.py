"""A double of Rancher 1.6: servers on demand, agents, and the herd they serve.

It names the sources of what it does as Rancher does: `cattle` is the API server (v0.183.83 is in
Rancher 1.6.30), `gdapi` the framework in it, `rancher` the image and its issues.
"""

from lab.rancher.cluster import RancherCluster
from lab.rancher.containers import AgentContainer, ServerContainer
from lab.rancher.herd import SeededHost
from lab.rancher.machine import MachineFacts, Network
from lab.rancher.server import RancherServer

__all__ = [
    "AgentContainer",
    "MachineFacts",
    "Network",
    "RancherCluster",
    "RancherServer",
    "SeededHost",
    "ServerContainer",
]
