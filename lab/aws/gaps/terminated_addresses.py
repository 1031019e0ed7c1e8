"""A terminated instance has no address any more.

moto: shows the private address and name, and the interfaces, of the living one.
AWS: shows neither; the address may be another instance's by then.
Why it matters: whoever matches hosts with instances by address would find the dead one, too.

Source: EC2 user guide, "Terminate Amazon EC2 instances" (the network interface is deleted), and
DescribeInstances of any terminated instance.
"""

from typing import Any

from moto.ec2.models.instances import Instance

from lab.aws.moto_edge import patch


def _hide(name: str, instead: str | list[Any] | None) -> None:
    """Answer something else for a property once the instance is terminated."""

    def look(self: Instance) -> Any:  # noqa: ANN401
        return instead if self.state == "terminated" else original(self)

    original = patch(Instance, name, property(look)).fget


def close() -> None:
    """Hide what the instance had."""
    _hide("private_ip_address", None)
    _hide("private_dns_name", "")
    _hide("network_interfaces", [])
