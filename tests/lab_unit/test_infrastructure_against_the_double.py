"""The stacks that environments are run by, brought to what a whole Rancher's catalog offers."""

import pytest
from aws_lab import eventually
from furnished import Furnished, outcomes
from mortality import Death, Fate, mortal_writes

from corral.clients.rancher.set_up import find_dead_ends, upgrade_infrastructure
from corral.clients.rancher.set_up.stack_way import StackWay
from corral.cluster import CatalogStack, Environment
from corral.domain.set_up.stacks import KnownStack, StackWish

POLICIES = "library:infra*network-policy-manager"
OLD = {
    "healthcheck": "library:infra*healthcheck:6",
    "ipsec": "library:infra*ipsec:17",
    "network-policy-manager": f"{POLICIES}:2",
    "network-services": "library:infra*network-services:28",
    "scheduler": "library:infra*scheduler:12",
}
NEW = {
    "healthcheck": "library:infra*healthcheck:7",
    "ipsec": "library:infra*ipsec:18",
    "network-policy-manager": f"{POLICIES}:3",
    "network-services": "library:infra*network-services:29",
    "scheduler": "library:infra*scheduler:13",
}
IN_ORDER = ["network-policy-manager", "network-services", "ipsec", "healthcheck", "scheduler"]
UPGRADE = "POST /v2-beta/projects/{id}/stacks/{id}?upgrade"
FINISH = "POST /v2-beta/projects/{id}/stacks/{id}?finishupgrade"


def stacks_of(furnished: Furnished, name: str) -> dict[str, KnownStack]:
    found = furnished.admin.stacks(furnished.project(name))
    return {one.name: one for one in found}


def versions_of(furnished: Furnished, name: str) -> dict[str, str]:
    found = stacks_of(furnished, name)
    return {one: stack.external_id.removeprefix("catalog://") for one, stack in found.items()}


def age(furnished: Furnished, name: str, hosts: int = 1) -> Environment:
    """Make an environment whose stacks are those that a Rancher of long ago brought."""
    environment = Environment(name=name)
    furnished.make(environment, hosts=hosts)
    furnished.admin.create_stack(
        furnished.project(name), old_wish(furnished, "network-policy-manager")
    )
    eventually(lambda: stacks_of(furnished, name).keys() == OLD.keys())
    for stack in OLD:
        (set_back if hosts else write_back)(furnished, name, stack)
    return environment


def old_wish(furnished: Furnished, stack: str) -> StackWish:
    version = furnished.admin.template_version(OLD[stack])
    return StackWish.of(stack, version, {}, infrastructure=True)


def set_back(furnished: Furnished, name: str, stack: str) -> None:
    """Give a stack its older version, which Rancher takes for an upgrade like any other."""
    way = StackWay(furnished.admin, furnished.project(name), name, old_wish(furnished, stack))
    furnished.site.patience.wait(stack, way.go_on)


def write_back(furnished: Furnished, name: str, stack: str, version: str = "") -> None:
    """Write down an older version where no host could take its containers."""
    number = int(stacks_of(furnished, name)[stack].id.removeprefix("1st"))
    row = furnished.rancher.cluster.store.stacks.get(number)
    furnished.lab.call(setattr, row, "external_id", f"catalog://{version or OLD[stack]}")


@pytest.fixture(autouse=True)
def mandatory(furnished: Furnished):
    yield
    furnished.rancher.world.faults.clear()
    furnished.admin.set_setting("upgrade.manager", "mandatory")


def test_stacks_are_upgraded_in_the_documented_order_and_then_only_looked_at(furnished):
    environment = age(furnished, "ordered")
    furnished.rancher.world.journal.clear()

    done = outcomes([*upgrade_infrastructure(furnished.site, [environment])])

    assert done == [f"stack {name} of environment ordered: changed" for name in IN_ORDER]
    assert versions_of(furnished, "ordered") == NEW
    assert furnished.writes().count(UPGRADE) == furnished.writes().count(FINISH) == len(NEW)
    furnished.rancher.world.journal.clear()
    again = outcomes([*upgrade_infrastructure(furnished.site, [environment])])
    assert again == [f"stack {name} of environment ordered: kept" for name in IN_ORDER]
    assert furnished.writes() == []


def test_nothing_is_upgraded_where_the_setting_says_that_people_do_it(furnished):
    environment = age(furnished, "by-hand")
    furnished.admin.set_setting("upgrade.manager", "none")

    assert [*upgrade_infrastructure(furnished.site, [environment])] == []
    assert versions_of(furnished, "by-hand") == OLD


def test_an_environment_without_hosts_is_left_alone(furnished):
    environment = age(furnished, "empty", hosts=0)

    assert [*upgrade_infrastructure(furnished.site, [environment])] == []
    assert versions_of(furnished, "empty") == OLD


def test_a_stack_whose_version_the_file_says_is_left_to_it(furnished):
    age(furnished, "pinned")
    pinned = CatalogStack(
        name="network-policy-manager", template=POLICIES, version="v0.0.3", infrastructure=True
    )
    environment = Environment(name="pinned", stacks=(pinned,))

    steps = outcomes([*upgrade_infrastructure(furnished.site, [environment])])

    assert len(steps) == len(NEW) - 1
    assert versions_of(furnished, "pinned") == {
        **NEW,
        "network-policy-manager": OLD["network-policy-manager"],
    }


def test_a_stack_that_no_version_leads_on_from_is_told_before_anything_is_done(furnished):
    environment = age(furnished, "dead-end")
    write_back(furnished, "dead-end", "ipsec", "library:infra*gone:1")

    assert [*find_dead_ends(furnished.site, [environment], "v1.6.30")] == []

    first, *others = find_dead_ends(furnished.site, [environment], "v1.5.0")
    assert first == (
        "In environment dead-end, the stack network-policy-manager:"
        " library:infra*network-policy-manager v0.0.3 is for Rancher from v1.6.15-rc1 up to"
        " v1.6.18, and this one is v1.5.0, and no version for v1.5.0 may follow it: upgrade it"
        " step by step first, with a version of Rancher between."
    )
    assert len(others) == 3


def test_an_upgrade_that_dies_at_any_write_is_finished_by_the_next(furnished):
    environment = age(furnished, "mortal")
    fate, deaths = Fate(calls=0), 0
    while True:
        try:
            with mortal_writes(fate):
                [*upgrade_infrastructure(furnished.site, [environment])]
            break
        except Death:
            deaths += 1
            fate = Fate(calls=0)

    assert deaths == 2 * len(NEW)
    assert versions_of(furnished, "mortal") == NEW
    assert {one.state for one in stacks_of(furnished, "mortal").values()} == {"active"}
