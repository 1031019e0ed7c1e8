"""What the keys of a cluster file must be together.

The rules read the file as it was written, and are silent about whatever is missing or of another
kind: the model refuses that itself. So no fault hides behind another, whichever they are.
"""

import re
from ipaddress import IPv4Network
from string import ascii_lowercase

from corral.cluster.furnishing_rules import find_faults_of_furnishing
from corral.cluster.raw import (
    HOSTNAME,
    NETWORK,
    NUMBER,
    REGION,
    TEXT,
    Fault,
    Faults,
    Location,
    at,
    entries,
    items,
    names,
    read,
    repeated,
    texts,
)
from corral.cluster.values import EVERYWHERE
from corral.cluster.windows import (
    BACKUP_WINDOW,
    MAINTENANCE_WINDOW,
    read_backup_window,
    read_maintenance_window,
)

# Rancher's managed network and Docker's bridge live here on every host: a machine inside either
# range would be unreachable from containers. Source: Rancher 1.6 docs, "IPsec" (10.42.0.0/16).
TAKEN_NETWORKS = {
    "Rancher's overlay network": IPv4Network("10.42.0.0/16"),
    "Docker's bridge": IPv4Network("172.17.0.0/16"),
}
# Source: RFC 1918, and RFC 6598 for the last.
PRIVATE_NETWORKS = tuple(
    map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
)
WIDEST_PREFIX, NARROWEST_PREFIX = 16, 22
FEWEST_ZONES, MOST_ZONES = 2, 4
MOST_VISITORS = 8

# What the other stacks call `<cluster>-<name>`; a contract test holds it.
TAKEN_POOL_NAMES = ("control", "database", "flow-logs", "hosts", "load-balancer", "rancher")
TAKEN_LABELS = re.compile(r"role|env|aws\..*|io\.rancher\..*", re.DOTALL)


def find_faults(file: object) -> list[Fault]:
    """Return every fault between the keys of a file."""
    pools = [(("pools", number), pool) for number, pool in enumerate(items(at(file, "pools")))]
    return [
        *(fault for rule in RULES_OF_A_FILE for fault in rule(file)),
        *(fault for path, pool in pools for rule in RULES_OF_A_POOL for fault in rule(path, pool)),
    ]


def _range_fits(file: object) -> Faults:
    path, cidr = ("network", "cidr"), read(NETWORK, at(file, "network", "cidr"))
    if cidr is None:
        return
    if not WIDEST_PREFIX <= cidr.prefixlen <= NARROWEST_PREFIX:
        yield Fault(
            path,
            f"{cidr} does not fit: a VPC takes /{WIDEST_PREFIX} at most, and three tiers of"
            f" subnets need /{NARROWEST_PREFIX} at least",
        )
    if not any(cidr.subnet_of(private) for private in PRIVATE_NETWORKS):
        yield Fault(path, f"{cidr} is not in {' or '.join(map(str, PRIVATE_NETWORKS))}")
    for owner, network in TAKEN_NETWORKS.items():
        if cidr.overlaps(network):
            yield Fault(path, f"{cidr} overlaps {owner} ({network}), which is on every host")


def _zones_survive_one(file: object) -> Faults:
    path, zones = ("network", "zones"), at(file, "network", "zones")
    if isinstance(zones, list | tuple) and not FEWEST_ZONES <= len(zones) <= MOST_ZONES:
        yield Fault(path, f"{len(zones)} zone(s) named: two to four are needed to survive one")
    yield from repeated(path, texts(items(zones)))


def _zones_lie_in_the_region(file: object) -> Faults:
    region = read(REGION, at(file, "aws", "region"))
    zones = texts(items(at(file, "network", "zones")))
    known = {f"{region}{letter}" for letter in ascii_lowercase}
    if region and (strangers := [zone for zone in zones if zone not in known]):
        yield Fault(
            ("network", "zones"),
            f"{', '.join(strangers)}: not in region {region}, whose zones are its name and one"
            f" letter, such as {region}a",
        )


def _visitors_fit(file: object) -> Faults:
    network = at(file, "network")
    gateways = len(items(at(network, "zones"))) if at(network, "nat") == "per_zone" else 1
    named = len(entries(at(network, "admin_networks"))) + len(
        items(at(network, "open_to_internet"))
    )
    if named + gateways > MOST_VISITORS:
        yield Fault(
            ("network", "admin_networks"),
            f"{named + gateways} networks and NAT gateways may come in: a network ACL has room for"
            f" the rules of {MOST_VISITORS}",
        )


def _somebody_may_come_in(file: object) -> Faults:
    nobody = at(file, "network", "admin_networks") == {}
    if nobody and not at(file, "network", "open_to_internet"):
        yield Fault(
            ("network", "admin_networks"),
            "nobody may come in, so nobody could ask Rancher whether it answers: name the network"
            " that corral runs in, or write open_to_internet: [load_balancer]",
        )


def _visitors_stay_outside(file: object) -> Faults:
    own = read(NETWORK, at(file, "network", "cidr"))
    for name, written in entries(at(file, "network", "admin_networks")).items():
        path, network = ("network", "admin_networks", str(name)), read(NETWORK, written)
        if network == EVERYWHERE:
            yield Fault(
                path,
                f"{name} is {EVERYWHERE}: to open the load balancer to everybody, write"
                " open_to_internet: [load_balancer]",
            )
        elif network and own and network.overlaps(own):
            yield Fault(path, f"{name} ({network}) overlaps the cluster's own range {own}")


def _names_lie_in_the_zone(file: object) -> Faults:
    zone = read(HOSTNAME, at(file, "dns", "zone"))
    for key in ("name", "database_name"):
        name = read(TEXT, at(file, "dns", key))
        if zone and name and not name.endswith(f".{zone}"):
            yield Fault(("dns", key), f"{name} is outside the DNS zone {zone}")


def _names_of_rancher_and_database_differ(file: object) -> Faults:
    name = read(TEXT, at(file, "dns", "name"))
    if name and name == at(file, "dns", "database_name"):
        yield Fault(
            ("dns", "database_name"), f"{name} is Rancher's name; the database needs its own"
        )


def _windows_do_not_meet(file: object) -> Faults:
    database = entries(at(file, "database"))
    backup = str(database.get("backup_window", BACKUP_WINDOW))
    maintenance = str(database.get("maintenance_window", MAINTENANCE_WINDOW))
    try:
        backups, restarts = read_backup_window(backup), read_maintenance_window(maintenance)
    except ValueError:
        return
    if any(daily.meets(restarts) for daily in backups):
        yield Fault(
            ("database", "maintenance_window"),
            f"{maintenance} overlaps the backup window {backup}: AWS wants them apart",
        )


def _names_are_told_apart(file: object) -> Faults:
    for path in (("rancher", "environments"), ("pools",), ("alerts",)):
        yield from repeated(path, names(at(file, *path)))


def _pools_join_known_environments(file: object) -> Faults:
    known = names(at(file, "rancher", "environments"))
    for number, pool in enumerate(items(at(file, "pools"))):
        environment = read(TEXT, at(pool, "environment"))
        if known and environment and environment not in known:
            yield Fault(
                ("pools", number, "environment"),
                f"{at(pool, 'name')} joins {environment}, which is no environment",
            )


def _name_is_free(path: Location, pool: object) -> Faults:
    if (name := at(pool, "name")) in TAKEN_POOL_NAMES:
        yield Fault((*path, "name"), f"{name} is taken by another stack; choose another name")


def _labels_are_free(path: Location, pool: object) -> Faults:
    for label in texts(list(entries(at(pool, "labels")))):
        if TAKEN_LABELS.fullmatch(label):
            yield Fault(
                (*path, "labels", label),
                f"{label} is set by corral or by Rancher; choose another label",
            )


def _minimum_is_under_maximum(path: Location, pool: object) -> Faults:
    low, high = (read(NUMBER, at(pool, key)) for key in ("minimum", "maximum"))
    if low is not None and high is not None and low > high:
        yield Fault((*path, "maximum"), f"minimum {low} is over maximum {high}")


def _scheduled_sizes_fit(path: Location, pool: object) -> Faults:
    low, high = (read(NUMBER, at(pool, key)) for key in ("minimum", "maximum"))
    for number, action in enumerate(items(at(pool, "scaling", "actions"))):
        size = read(NUMBER, at(action, "desired"))
        if low is None or high is None or size is None or low <= size <= high:
            continue
        yield Fault(
            (*path, "scaling", "actions", number, "desired"),
            f"{at(action, 'name')} asks for {size}, outside {low} to {high}",
        )


def _actions_are_told_apart(path: Location, pool: object) -> Faults:
    return repeated((*path, "scaling", "actions"), names(at(pool, "scaling", "actions")))


def _volumes_hold_the_image(file: object) -> Faults:
    image = read(NUMBER, at(file, "bake", "volume_gib"))
    machines: list[tuple[Location, object]] = [(("control",), at(file, "control"))]
    machines += [(("pools", n), pool) for n, pool in enumerate(items(at(file, "pools")))]
    for path, machine in machines:
        volume = read(NUMBER, at(machine, "volume_gib"))
        if image is not None and volume is not None and volume < image:
            yield Fault((*path, "volume_gib"), f"{volume} is less than the image's {image} GiB")


RULES_OF_A_FILE = (
    _range_fits,
    _zones_survive_one,
    _zones_lie_in_the_region,
    _visitors_fit,
    _somebody_may_come_in,
    _visitors_stay_outside,
    _names_lie_in_the_zone,
    _names_of_rancher_and_database_differ,
    _windows_do_not_meet,
    _names_are_told_apart,
    _pools_join_known_environments,
    _volumes_hold_the_image,
    find_faults_of_furnishing,
)
RULES_OF_A_POOL = (
    _name_is_free,
    _labels_are_free,
    _minimum_is_under_maximum,
    _scheduled_sizes_fit,
    _actions_are_told_apart,
)
