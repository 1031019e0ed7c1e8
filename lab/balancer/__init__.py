"""Application load balancers on loopback, as moto describes them."""

from lab.balancer.balancer import Balancer

__all__ = ["Balancer"]
