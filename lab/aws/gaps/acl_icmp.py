"""Network ACL entries for ICMP keep their type and code.

moto: looks for them under a name that no client sends and answers 0 and 0.
AWS: takes `Icmp.Type` and `Icmp.Code` of the call and answers them.
Why it matters: Terraform plans to put the rule for "fragmentation needed" back with every plan.

Source: EC2 API reference, CreateNetworkAclEntry.
"""

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.responses.network_acls import NetworkACLs

from lab.aws.moto_edge import patch


def _remember(response: NetworkACLs) -> None:
    """Write type and code of the call into the entry that moto has just made of it."""
    given: dict[str, Any] = response._get_param("IcmpTypeCode") or {}  # noqa: SLF001
    if not given:
        return
    acl = response.ec2_backend.get_network_acl(response._get_param("NetworkAclId"))  # noqa: SLF001
    entry = acl.network_acl_entries[-1]
    entry.icmp_type, entry.icmp_code = given.get("Type"), given.get("Code")


def close() -> None:
    """Complete each entry after moto made it."""

    def create(self: NetworkACLs) -> ActionResult:
        answer = original_create(self)
        _remember(self)
        return answer

    def replace(self: NetworkACLs) -> ActionResult:
        answer = original_replace(self)
        _remember(self)
        return answer

    original_create = patch(NetworkACLs, "create_network_acl_entry", create)
    original_replace = patch(NetworkACLs, "replace_network_acl_entry", replace)
