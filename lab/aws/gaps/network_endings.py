"""What AWS has made by itself goes with what it belongs to.

moto: keeps the interfaces of terminated instances and of NAT gateways, and the network ACL that a
VPC was made with.
AWS: deletes an interface that it made with its instance or gateway, and an ACL with its VPC.
Why it matters: after the end of a network nothing of it may be left, and that is looked for.

Source: EC2 user guide, "Elastic network interfaces" (termination behavior); VPC user guide, "NAT
gateways" and "Delete your VPC".
"""

from typing import Any

from moto.ec2.models import EC2Backend

from lab.aws.moto_edge import patch


def close() -> None:
    """Let interfaces and ACLs go along; those of instances go when these have shut down."""
    _with_gateways()
    _with_networks()


def end_interfaces(instance: Any) -> None:  # noqa: ANN401
    """Delete the interfaces that an instance was launched with."""
    for interface in instance.nics.values():
        instance.ec2_backend.enis.pop(interface.id, None)


def _with_gateways() -> None:
    def delete(self: EC2Backend, nat_gateway_id: str) -> Any:  # noqa: ANN401
        gateway = original(self, nat_gateway_id)
        self.enis.pop(gateway._eni.id, None)  # noqa: SLF001 - moto has no other way
        return gateway

    original = patch(EC2Backend, "delete_nat_gateway", delete)


def _with_networks() -> None:
    def delete(self: EC2Backend, vpc_id: str) -> Any:  # noqa: ANN401
        gone = original(self, vpc_id)
        for acl_id, acl in list(self.network_acls.items()):
            if acl.vpc_id == vpc_id:
                del self.network_acls[acl_id]
        return gone

    original = patch(EC2Backend, "delete_vpc", delete)
