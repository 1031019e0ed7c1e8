"""RDS instances' bodies: each speaks MySQL's protocol on loopback, over Rancher's tables."""

from lab.machines.databases.databases import Databases

__all__ = ["Databases"]
