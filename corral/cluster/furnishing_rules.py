"""What the keys about Rancher's furnishing must be together."""

from corral.cluster.raw import (
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

# What corral writes itself, or keeps off; somebody's value would be overwritten by the next run.
OWN_SETTINGS = {
    "api.host": "it is always the cluster's own address",
    "api.security.enabled": "access control is always on",
    "api.auth.provider.configured": "rancher.access says which it is",
    "api.auth.access.mode": "rancher.access.mode says what it is",
    "api.auth.allowed.identities": "rancher.access says who they are",
    "host.remove.delay.seconds": "Rancher would remove hosts without asking EC2 whether they are"
    " dead; reconcile-hosts asks",
}
REFRESHER = "ecr"


def find_faults_of_furnishing(file: object) -> Faults:
    """Find what is wrong between the keys about access, settings and environments."""
    yield from _somebody_may_log_in(file)
    yield from _members_can_be_known(file)
    yield from _settings_are_free(file)
    yield from _secrets_can_be_read(file)
    for number, environment in enumerate(items(at(file, "rancher", "environments"))):
        path = ("rancher", "environments", number)
        yield from _things_are_told_apart(path, environment)
        yield from _refreshers_reach_their_registry(path, environment, file)
        yield from _stacks_have_hosts(path, environment, file)


def _somebody_may_log_in(file: object) -> Faults:
    path, access = ("rancher", "access"), at(file, "rancher", "access")
    if at(access, "kind") != "github":
        return
    if not items(at(access, "organizations")) and not items(at(access, "teams")):
        yield Fault(
            path, "nobody could log in: name organizations, teams or both that GitHub lets in"
        )
    yield from repeated((*path, "organizations"), texts(items(at(access, "organizations"))))
    yield from repeated((*path, "teams"), texts(items(at(access, "teams"))))


def _members_can_be_known(file: object) -> Faults:
    by_github = at(file, "rancher", "access", "kind") == "github"
    for number, environment in enumerate(items(at(file, "rancher", "environments"))):
        for place, member in enumerate(items(at(environment, "members"))):
            kind = read(TEXT, at(member, "kind")) or ""
            if kind.startswith("github_") and not by_github:
                yield Fault(
                    ("rancher", "environments", number, "members", place, "kind"),
                    f"{kind} is somebody of GitHub, and rancher.access is not github",
                )


def _settings_are_free(file: object) -> Faults:
    for name in texts(list(entries(at(file, "rancher", "settings")))):
        if reason := OWN_SETTINGS.get(name):
            yield Fault(("rancher", "settings", name), f"corral sets it itself: {reason}")


def _secrets_can_be_read(file: object) -> Faults:
    """Servers, hosts and flows may read the secrets under the cluster's own name, no other."""
    cluster = read(TEXT, at(file, "name"))
    for path, secret in _secrets(file):
        if cluster and not secret.startswith(f"{cluster}/"):
            yield Fault(path, f"{secret} is not the cluster's: its name begins with {cluster}/")


def _secrets(file: object) -> list[tuple[Location, str]]:
    found: list[tuple[Location, object]] = [
        (("rancher", "access", "secret"), at(file, "rancher", "access", "secret"))
    ]
    for number, environment in enumerate(items(at(file, "rancher", "environments"))):
        for key in ("registries", "stacks"):
            for place, part in enumerate(items(at(environment, key))):
                path = ("rancher", "environments", number, key, place, "secret")
                found.append((path, at(part, "secret")))
    return [(path, secret) for path, secret in found if isinstance(secret, str)]


def _things_are_told_apart(path: Location, environment: object) -> Faults:
    registries = items(at(environment, "registries"))
    addresses = texts([at(registry, "address") for registry in registries])
    yield from repeated((*path, "registries"), addresses)
    yield from repeated((*path, "stacks"), names(at(environment, "stacks")))
    members = items(at(environment, "members"))
    people = [f"{at(member, 'kind')} {at(member, 'id')}" for member in members]
    yield from repeated((*path, "members"), people)
    if REFRESHER in names(at(environment, "stacks")) and _refreshed_by_stack(registries):
        yield Fault(
            (*path, "stacks"), f"{REFRESHER} is the stack that renews the registries of ECR"
        )


def _refreshers_reach_their_registry(path: Location, environment: object, file: object) -> Faults:
    """Rancher's stack renews what is of one account in one region: the cluster's own.

    It runs on a bridge network, where the machines' own role is out of reach (IMDSv2, one hop).
    """
    account, region = at(file, "aws", "account_id"), at(file, "aws", "region")
    own = f"{account}.dkr.ecr.{region}.amazonaws.com"
    for number, registry in enumerate(items(at(environment, "registries"))):
        if not _refreshed_by_stack([registry]):
            continue
        place = (*path, "registries", number, "refresher")
        if at(registry, "address") != own:
            yield Fault(
                place,
                f"Rancher's stack renews {own} only: write refresher: flow for another account or"
                " region",
            )
        if at(registry, "secret") is None:
            yield Fault(
                place,
                "Rancher's stack cannot take the machines' role: name a secret with a key of AWS,"
                " or write refresher: flow",
            )


def _stacks_have_hosts(path: Location, environment: object, file: object) -> Faults:
    """A stack is healthy only where hosts are, so that it would be waited for in vain."""
    name, registries = at(environment, "name"), items(at(environment, "registries"))
    stacks = [*names(at(environment, "stacks")), *[REFRESHER] * _refreshed_by_stack(registries)]
    inhabited = [at(pool, "environment") for pool in items(at(file, "pools"))]
    if stacks and inhabited and name not in inhabited:
        yield Fault(
            (*path, "stacks"), f"no pool joins {name}: {', '.join(stacks)} would run nowhere"
        )


def _refreshed_by_stack(registries: list[object]) -> bool:
    return any(
        at(registry, "kind") == "ecr" and at(registry, "refresher") == "stack"
        for registry in registries
    )
