"""Rancher's tables as MySQL has them, filled from what the double of Rancher stores."""

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from lab.rancher import RancherCluster
from lab.rancher.rows import Row

Cell = str | int | float | None
Record = Mapping[str, Cell]

CHANGES = ("DATABASECHANGELOG", "DATABASECHANGELOGLOCK")
"""Liquibase's own, in capitals: names of tables are told apart by case on Linux."""
OURS = {
    "account": "account",
    "agent": "agent",
    "cluster_membership": "clusterMembership",
    "credential": "credential",
    "external_event": "externalEvent",
    "generic_object": "genericObject",
    "host": "host",
    "instance": "instance",
    "physical_host": "physicalHost",
    "project_member": "projectMember",
    "project_template": "projectTemplate",
    "service": "service",
    "stack": "stack",
    "storage_pool": "storagePool",
}
"""The tables whose rows the double has, with its names of them."""
OTHERS = (
    *("account_link", "audit_log", "auth_token", "backup", "backup_target", "certificate"),
    *("cluster_host_map", "config_item", "config_item_status", "container_event"),
    *("credential_instance_map", "data", "deployment_unit", "dynamic_schema"),
    *("dynamic_schema_role", "external_handler", "external_handler_external_handler_process_map"),
    *("external_handler_process", "healthcheck_instance", "healthcheck_instance_host_map"),
    *("host_ip_address_map", "host_label_map", "host_template", "image"),
    *("image_storage_pool_map", "instance_host_map", "instance_label_map", "instance_link"),
    *("ip_address", "ip_address_nic_map", "label", "machine_driver", "mount", "network"),
    *("network_driver", "nic", "port", "process_execution", "process_instance", "region"),
    *("resource_pool", "scheduled_upgrade", "secret", "service_consume_map", "service_event"),
    *("service_expose_map", "service_index", "service_log", "snapshot", "storage_driver"),
    *("storage_pool_host_map", "subnet", "task", "task_instance", "user_preference", "volume"),
    *("volume_storage_pool_map", "volume_template", "zone"),
)
"""The tables that are empty here.

cattle: v0.183.83, io.cattle.platform.core.model.tables
"""
COLUMNS = {
    "id": "bigint",
    "name": "varchar(255)",
    "account_id": "bigint",
    "kind": "varchar(255)",
    "uuid": "varchar(128)",
    "description": "varchar(1024)",
    "state": "varchar(128)",
    "created": "datetime",
    "removed": "datetime",
    "remove_time": "datetime",
}
"""What nearly all tables begin with; of their other columns none is played."""
SETTING_COLUMNS = {"id": "bigint", "name": "varchar(255)", "value": "mediumtext"}
CHANGE_COLUMNS = {"ID": "varchar(255)", "AUTHOR": "varchar(255)", "FILENAME": "varchar(255)"}
LOCK_COLUMNS = {"ID": "int", "LOCKED": "bit(1)", "LOCKEDBY": "varchar(255)"}
_TIMES = frozenset({"created", "removed", "remove_time"})


class Tables:
    """The tables of one database: none before a server has made them."""

    def __init__(self, cluster: RancherCluster | None) -> None:
        self._cluster = cluster if cluster is not None and cluster.migration.is_done else None

    def schema(self) -> dict[str, dict[str, str]]:
        """Return the columns of each table with their types."""
        if self._cluster is None:
            return {}
        special = dict(zip(CHANGES, (CHANGE_COLUMNS, LOCK_COLUMNS), strict=True))
        plain = dict.fromkeys(sorted({*OURS, *OTHERS}), COLUMNS)
        return {**special, **plain, "setting": SETTING_COLUMNS}

    def records(self, table: str) -> Iterable[Record]:
        """Return the rows of a table that there is."""
        if self._cluster is None:
            return ()
        if table == "setting":
            return _settings(self._cluster.store.settings)
        if table == CHANGES[0]:
            return _changes(self._cluster.store.schema.level)
        if table == CHANGES[1]:
            return [{"ID": 1, "LOCKED": int(self._cluster.migration.is_locked), "LOCKEDBY": None}]
        if table in OURS:
            return [_record(row) for row in self._cluster.store.table(OURS[table])]
        return ()


def _changes(level: int) -> list[Record]:
    """Return one row for each changelog; in reality there is one for each change in it."""
    numbers = range(1, level + 1)
    return [{"ID": "dump1", "AUTHOR": "cattle", "FILENAME": f"db/core-{n:03}.xml"} for n in numbers]


def _settings(settings: Mapping[str, str]) -> list[Record]:
    return [
        {"id": number, "name": name, "value": value}
        for number, (name, value) in enumerate(settings.items(), start=1)
    ]


def _record(row: Row) -> Record:
    known = {field.name for field in dataclasses.fields(row)}
    return {column: _cell(column, getattr(row, column)) for column in COLUMNS if column in known}


def _cell(column: str, value: Cell) -> Cell:
    if column in _TIMES and isinstance(value, float | int):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return value
