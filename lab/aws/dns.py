"""Names in the account's Route 53 zones. Read without moto's lock: from copies of its lists."""

from lab.aws.moto_edge import Backends

_MOST_ALIASES = 8


def alias_of(backends: Backends, name: str) -> str | None:
    """Return what a name in the account's zones points to, one step on; none if nothing."""
    wanted = name.rstrip(".").lower()
    for zone in list(backends.route53.zones.values()):
        for record in list(zone.rrsets):
            if record.name.rstrip(".").lower() != wanted:
                continue
            if record.alias_target:
                return str(record.alias_target["DNSName"]).rstrip(".")
            if record.type in ("A", "CNAME") and record.records:
                return str(record.records[0]).rstrip(".")
    return None


def resolve(backends: Backends, name: str) -> str | None:
    """Follow CNAMEs and aliases to the last name or address; none for a name nobody knows."""
    target = alias_of(backends, name)
    for _ in range(_MOST_ALIASES):
        further = alias_of(backends, target) if target else None
        if further is None:
            return target.removeprefix("dualstack.") if target else None
        target = further
    return None


def names_of(backends: Backends, address: str) -> list[str]:
    """Return the names that lead to an address, sorted."""
    names = {
        str(record.name).rstrip(".").lower()
        for zone in list(backends.route53.zones.values())
        for record in list(zone.rrsets)
        if record.type in ("A", "CNAME")
    }
    return sorted(name for name in names if resolve(backends, name) == address)
