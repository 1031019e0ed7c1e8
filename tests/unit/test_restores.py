"""Restores: where data comes from, what a run goes on with, and what is no use."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from corral.domain.restores import (
    DRILL,
    TABLES,
    DatabaseFacts,
    Restore,
    Source,
    belongs_to,
    drill_shape,
    find_lacks,
    read_source,
    shape_of,
)
from corral.domain.stacks import Database, SecurityGroupsOutputs, VpcOutputs
from corral.domain.standing import Standing
from corral.errors import PrerequisiteError
from corral.settings import Settings, load_cluster_spec

NOW = datetime(2026, 12, 1, 8, 30, tzinfo=UTC)
BEFORE = Standing("lab-database", 3)
SNAPSHOT = Source(snapshot="lab-database-before")
RANCHERS = DatabaseFacts("5.7.44-log", TABLES, accounts=2, settings=40)


def _database(standing: Standing = BEFORE) -> Database:
    vpc = VpcOutputs(
        vpc_id="vpc-1",
        public_subnet_ids=(),
        private_subnet_ids=(),
        database_subnet_ids=(),
        database_subnet_group="lab-database",
        nat_public_ips=(),
    )
    groups = SecurityGroupsOutputs(
        load_balancer_group_id="sg-1",
        control_group_id="sg-2",
        hosts_group_id="sg-3",
        database_group_id="sg-4",
    )
    return Database.of(load_cluster_spec("lab", Settings()), vpc, groups, standing)


@pytest.mark.parametrize(
    ("snapshot", "moment", "source"),
    [
        pytest.param("s", "", Source("s"), id="snapshot"),
        pytest.param("", "2026-12-01T08:30:00Z", Source(moment=NOW), id="in UTC"),
        pytest.param("", "2026-12-01T09:30:00+01:00", Source(moment=NOW), id="elsewhere"),
    ],
)
def test_a_restore_is_from_a_snapshot_or_a_moment(snapshot: str, moment: str, source: Source):
    assert read_source(snapshot, moment) == source


@pytest.mark.parametrize(
    ("snapshot", "moment", "said"),
    [
        pytest.param("", "", "not both", id="neither"),
        pytest.param("s", "2026-12-01T08:30:00Z", "not both", id="both"),
        pytest.param("", "yesterday", "yesterday", id="no time"),
        pytest.param("", "2026-12-01T08:30:00", "time and zone", id="no zone"),
    ],
)
def test_what_is_neither_is_refused(snapshot: str, moment: str, said: str):
    with pytest.raises(PrerequisiteError, match=said):
        read_source(snapshot, moment)


def test_one_moment_is_one_source_whatever_the_zone_it_is_said_in():
    there = NOW.astimezone(timezone(timedelta(hours=2)))

    assert str(Source(moment=there)) == str(Source(moment=NOW)) == "the moment 2026-12-01T08:30:00Z"


def test_a_restored_instance_is_named_after_its_cluster_and_the_time():
    restore = Restore.new("lab", SNAPSHOT, BEFORE, NOW)

    assert restore.identifier == "lab-database-20261201t083000"
    assert restore.replaces == "lab-database"
    assert restore.standing(BEFORE) == Standing("lab-database-20261201t083000", 3)


def test_a_restore_is_gone_on_with_until_it_is_over():
    restore = Restore.new("lab", SNAPSHOT, BEFORE, NOW).agreed()

    assert restore.is_unfinished(SNAPSHOT)
    assert restore.after_switch().is_unfinished(SNAPSHOT)
    assert not restore.after_end(NOW).is_unfinished(SNAPSHOT)
    assert not restore.is_unfinished(Source(snapshot="another"))


def test_what_is_written_down_is_read_back():
    restore = Restore.new("lab", SNAPSHOT, BEFORE, NOW).agreed().after_switch()

    assert Restore.model_validate_json(restore.model_dump_json()) == restore


def test_a_restored_instance_is_as_terraform_would_make_it():
    shape = shape_of(_database(Standing("lab-database-20261201t083000", 3)))

    assert shape.identifier == shape.tags["Name"] == "lab-database-20261201t083000"
    assert shape.parameter_group == "lab-mysql-5-7"
    assert (shape.subnet_group, shape.group_ids) == ("lab-database", ("sg-4",))
    assert {"Cluster": "lab", "Stack": "database", "ManagedBy": "corral"}.items() <= (
        shape.tags.items()
    )


def test_what_a_drill_makes_can_be_told_from_a_database_and_may_go():
    shape = drill_shape(_database(), NOW, "run-1")

    assert shape.identifier == "lab-drill-20261201t083000"
    assert DRILL.items() <= shape.tags.items()
    assert "Stack" not in shape.tags
    assert not shape.protected
    assert not belongs_to(shape.identifier, "lab")


@pytest.mark.parametrize(
    ("instance", "ours"),
    [
        pytest.param("lab-database", True, id="the first"),
        pytest.param("lab-database-20261201t083000", True, id="restored"),
        pytest.param("lab-drill-20261201t083000", False, id="a drill's"),
        pytest.param("lab-database-of-somebody", False, id="another's"),
        pytest.param("prod-database", False, id="another cluster's"),
        pytest.param("my-lab-database", False, id="a longer name"),
    ],
)
def test_only_snapshots_of_the_clusters_own_databases_are_its(instance: str, *, ours: bool):
    assert belongs_to(instance, "lab") is ours


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        pytest.param(RANCHERS, [], id="whole"),
        pytest.param(replace(RANCHERS, tables=frozenset()), ["tables"], id="empty"),
        pytest.param(replace(RANCHERS, tables=TABLES - {"host"}), ["tables host"], id="no hosts"),
        pytest.param(replace(RANCHERS, accounts=0), ["no account"], id="nobody"),
        pytest.param(replace(RANCHERS, migrating=True), ["schema"], id="half migrated"),
    ],
)
def test_a_database_that_no_server_could_use_is_told(facts: DatabaseFacts, said: list[str]):
    lacks = find_lacks(facts)

    assert len(lacks) == len(said)
    assert all(words in lack for words, lack in zip(said, lacks, strict=True))
