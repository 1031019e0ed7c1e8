"""What an upgrade of Rancher has to do, wherever it finds a cluster, and what it refuses."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from corral.domain.infrastructure import find_dead_end, is_upgradable, order_stacks
from corral.domain.set_up.catalog import TemplateVersion
from corral.domain.set_up.stacks import KnownStack
from corral.domain.upgrades import (
    Attempt,
    Course,
    Look,
    are_renewed,
    name_snapshot,
    plan_upgrade,
)
from corral.errors import PrerequisiteError

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
OLD, NEW, NEWER = "v1.6.29", "v1.6.30", "v1.6.31"
DARK = "no connection, refused"
BEGUN = Attempt("before", OLD, NEW, NOW - timedelta(minutes=10))


def look(running: str, *attempts: Attempt) -> Look:
    return Look("lab", "lab-database", running, attempts)


def stack(title: str, template: str = "", **other: object) -> KnownStack:
    external_id = f"catalog://library:infra*{template or title}:1"
    known = KnownStack("1st1", title, "active", "healthy", external_id, {}, is_infrastructure=True)
    return replace(known, **other)


def test_an_older_version_is_upgraded_after_a_snapshot_of_its_own():
    upgrade = plan_upgrade(look(OLD), NEW, NOW)

    assert (upgrade.course, upgrade.source, upgrade.target) == (Course.BEGIN, OLD, NEW)
    assert upgrade.snapshot == "lab-database-v1-6-29-to-v1-6-30-20261201-093000"
    assert upgrade.open == (upgrade.snapshot,)
    assert upgrade.tags == {"UpgradeFrom": OLD, "UpgradeTo": NEW}


def test_the_wanted_version_only_has_to_be_confirmed():
    upgrade = plan_upgrade(look(NEW), NEW, NOW)

    assert (upgrade.course, upgrade.is_needed) == (Course.CONFIRM, False)
    assert (upgrade.snapshot, upgrade.way_back, upgrade.open) == ("", "", ())


def test_a_run_that_died_after_the_first_server_is_confirmed_and_keeps_its_way_back():
    upgrade = plan_upgrade(look(NEW, BEGUN), NEW, NOW)

    assert (upgrade.course, upgrade.source, upgrade.snapshot) == (Course.CONFIRM, OLD, "before")
    assert upgrade.open == ("before",)


def test_a_snapshot_of_a_run_that_died_is_used_while_it_is_fresh():
    assert plan_upgrade(look(OLD, BEGUN), NEW, NOW).snapshot == "before"


@pytest.mark.parametrize(
    "stale",
    [
        pytest.param(replace(BEGUN, begun=NOW - timedelta(hours=2)), id="old"),
        pytest.param(replace(BEGUN, target=NEWER), id="towards another version"),
        pytest.param(replace(BEGUN, source="v1.6.28"), id="from another version"),
    ],
)
def test_a_snapshot_that_does_not_hold_what_is_there_now_is_not_used(stale):
    upgrade = plan_upgrade(look(OLD, stale), NEW, NOW)

    assert upgrade.snapshot == name_snapshot("lab-database", OLD, NEW, NOW)
    assert upgrade.open == (upgrade.snapshot, "before")


def test_a_snapshot_that_has_only_just_been_asked_for_is_used():
    assert plan_upgrade(look(OLD, replace(BEGUN, begun=None)), NEW, NOW).snapshot == "before"


def test_where_nobody_serves_any_more_an_upgrade_goes_on_however_old_it_is():
    old = replace(BEGUN, begun=NOW - timedelta(days=3))

    upgrade = plan_upgrade(look(DARK, old), NEW, NOW)

    assert (upgrade.course, upgrade.source, upgrade.snapshot) == (Course.RESUME, OLD, "before")


def test_where_nobody_serves_any_more_a_newer_version_may_take_over():
    upgrade = plan_upgrade(look(DARK, BEGUN), NEWER, NOW)

    assert (upgrade.course, upgrade.source, upgrade.target) == (Course.RESUME, OLD, NEWER)
    assert "write rancher.version: v1.6.29" in upgrade.way_back


REFUSED = [
    pytest.param(look(NEW), OLD, "no server goes back", id="a downgrade"),
    pytest.param(look("v1.5.10"), NEW, "by its own manual to v1.6.0", id="an older line"),
    pytest.param(look(DARK), NEW, "which version its database has is not known", id="darkness"),
    pytest.param(
        look(DARK, replace(BEGUN, target=NEWER)), NEW, "migrated half or whole", id="half migrated"
    ),
]


@pytest.mark.parametrize(("found", "target", "why"), REFUSED)
def test_what_a_database_must_not_meet_is_refused(found, target, why):
    with pytest.raises(PrerequisiteError, match=why):
        plan_upgrade(found, target, NOW)


def test_the_way_back_names_version_snapshot_and_command():
    way = plan_upgrade(look(DARK, BEGUN), NEW, NOW).way_back

    assert "rancher.version: v1.6.29" in way
    assert "prefect deployment run restore-database/lab --param snapshot=before" in way


def test_a_refusal_over_a_half_migrated_database_names_the_way_back():
    found = look(DARK, replace(BEGUN, target=NEWER))

    with pytest.raises(PrerequisiteError, match="restore-database/lab --param snapshot=before"):
        plan_upgrade(found, NEW, NOW)


def test_stacks_come_in_the_documented_order():
    names = ["scheduler", "ipsec", "healthcheck", "network-services", "network-policy-manager"]

    found = [one.name for one in order_stacks([stack(name) for name in names])]

    assert found == [
        "network-policy-manager",
        "network-services",
        "ipsec",
        "healthcheck",
        "scheduler",
    ]


def test_the_order_goes_by_the_template_and_not_by_the_name():
    found = order_stacks([stack("a", "scheduler"), stack("z", "ipsec")])

    assert [one.name for one in found] == ["z", "a"]


@pytest.mark.parametrize(
    "other",
    [
        {"is_infrastructure": False},
        {"external_id": ""},
        {"state": "removing"},
        {"template": "ipsec", "name": "pinned"},
    ],
    ids=["of users", "of no catalog", "going", "pinned"],
)
def test_only_free_infrastructure_of_a_catalog_is_upgraded(other):
    assert is_upgradable(stack("ipsec"), {"pinned"})
    assert not is_upgradable(stack("ipsec", **other), {"pinned"})


@pytest.mark.parametrize(
    ("maximum", "upgrade", "is_left_behind"),
    [("", "", False), ("v1.6.25", "id", False), ("v1.6.25", "", True), ("v1.6.30", "", False)],
)
def test_a_stack_that_fits_no_more_needs_a_version_that_may_follow(
    maximum, upgrade, is_left_behind
):
    version = TemplateVersion("library:infra*ipsec:1", "0.1", maximum=maximum, upgrade=upgrade)

    assert bool(find_dead_end(stack("ipsec"), version, NEW)) == is_left_behind


@dataclass
class World:
    """A cluster as an upgrade changes it; each deed may be the last one of a run."""

    template: str = OLD
    servers: list[str] = field(default_factory=lambda: [OLD] * 3)
    schema: str = OLD
    snapshots: dict[str, tuple[str, str]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    deeds: int = 0
    last: int | None = None

    def deed(self) -> None:
        self.deeds += 1
        if self.deeds == self.last:
            raise KeyboardInterrupt

    @property
    def running(self) -> str:
        return next(iter(self.servers), DARK)

    def look(self) -> Look:
        found = [
            Attempt(name, *versions, NOW)
            for name, versions in reversed(self.snapshots.items())
            if name not in self.done
        ]
        return look(self.running, *found)

    def run(self) -> Course:
        """Take an upgrade's steps as the flow does."""
        upgrade = plan_upgrade(self.look(), NEW, NOW)
        if upgrade.is_needed:
            if upgrade.snapshot not in self.snapshots:
                self.snapshots[upgrade.snapshot] = (upgrade.source, upgrade.target)
                self.deed()
            if self.template != NEW:
                self.template = NEW
                self.deed()
            if self.servers and not are_renewed(upgrade, len(self.servers), self.servers):
                self.servers = []
                self.deed()
        while len(self.servers) < 3:
            assert set(self.servers) <= {self.template}
            assert self.snapshots, "a database is migrated only after its snapshot"
            self.servers.append(self.template)
            self.schema = self.template
            self.deed()
        for name in upgrade.open:
            if name not in self.done:
                self.done.add(name)
                self.deed()
        return upgrade.course


def test_an_upgrade_that_dies_after_any_deed_comes_to_the_same_end():
    whole = World()
    whole.run()

    for last in range(1, whole.deeds + 1):
        world = World(last=last)
        with pytest.raises(KeyboardInterrupt):
            world.run()
        world.run()

        assert (world.servers, world.schema) == ([NEW] * 3, NEW)
        assert len(world.snapshots) == 1
        assert world.done == set(world.snapshots)
        before = world.deeds
        assert world.run() is Course.CONFIRM
        assert world.deeds == before


def test_a_server_that_may_be_migrating_is_not_stopped():
    upgrade = plan_upgrade(look(DARK, BEGUN), NEW, NOW)

    assert are_renewed(upgrade, 1, [NEW])
    assert are_renewed(upgrade, 1, [])
    assert not are_renewed(upgrade, 3, [OLD, NEW])
    assert not are_renewed(upgrade, 1, [""])
    assert not are_renewed(upgrade, 0, [])
    assert not are_renewed(plan_upgrade(look(OLD), NEW, NOW), 3, [NEW] * 3)
