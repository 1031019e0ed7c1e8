"""How long things take in a real Rancher 1.6, in seconds of the real world.

The lab divides all of them by its scale. Where no source gives a figure, the docstring says so.
"""

from typing import Final

JVM_START: Final = 30.0
"""From the container's start to the first work on the database. Assumed."""

FIRST_MIGRATION: Final = 45.0
"""Making the schema in an empty database.

Assumed; the manual says "a minute or two" for all of a first start.
"""

LATER_MIGRATION: Final = 3.0
"""Looking through a changelog that is all applied. Assumed."""

SCHEMA_CHANGE: Final = 120.0
"""Bringing the schema of a database that is in use to a newer one.

Assumed; with big tables it takes more than half an hour (rancher: issue 12606).
"""

LOCK_TABLES: Final = 5.0
"""Part of the first migration in which the tables that hold the lock do not exist yet. Assumed."""

LOCK_WAIT: Final = 300.0
"""A waiter for the migration lock gives up after this.

rancher: issue 7125 (logged 303 s)
"""

CHECKIN: Final = 5.0
"""cattle: cluster.checkin.seconds"""

CHECKIN_MISSES: Final = 3
"""cattle: cluster.checkin.misses"""

MASTER_TRY: Final = 5.0
"""Time for one attempt to reach the master, and between two.

cattle: DBDiscovery.java
"""

PROCESS: Final = 1.0
"""A process that needs no agent. No source gives a figure; "within seconds"."""

REMOVE: Final = 2.0
"""Removing a host: its addresses, storage pools and physical host go as well. Assumed."""

CONTAINER_START: Final = 3.0
"""Starting a container whose image is there. Assumed."""

CONTAINER_STOP: Final = 10.0
"""Stopping a container.

docker: `docker stop` waits 10 s for a process that does not listen to SIGTERM
"""

SERVICE_LOOK: Final = 2.0
"""Until a service sees that it lacks a container. Assumed."""

LOOK: Final = 1.0
"""Between two looks of a process for what it waits for. Assumed."""

HEALTH_CHECK: Final = 4.0
"""Until a running container with a health check counts as healthy: two checks. Assumed."""

RETRY_BASE: Final = 2.0
RETRY_STEP: Final = 0.1
RETRY_MAX: Final = 120.0
"""Back-off of a process whose command to an agent failed.

cattle: DefaultProcessInstanceImpl.setNextRunAfter
"""

HELD: Final = 1.0
"""Between two looks whether a process that a fault holds up may end. The lab's own."""

PING: Final = 5.0
"""cattle: task.agent.ping.schedule"""

PING_TIMEOUT: Final = 15.0
"""cattle: agent.ping.timeout.seconds"""

BAD_PINGS: Final = 6
"""cattle: agent.ping.reconnect.after.failed.count"""

RESOURCES_EVERY: Final = 12
"""Each how manieth ping asks for the machine's resources.

cattle: agent.ping.resources.every
"""

PURGE_SWEEP: Final = 60.0
"""cattle: task.purge.resources.schedule"""

HOST_REMOVE_SWEEP: Final = 60.0
"""cattle: task.evacuate.hosts.schedule"""

ROW_AGE: Final = 172800.0
"""Removed rows leave the database after this.

cattle: main_tables.purge.after.seconds
"""

CATALOG: Final = 60.0
"""Until the project templates are loaded from the catalog. Assumed; "the first minutes"."""

ECR_REFRESH: Final = 21600.0
"""rancher-ecr-credentials: main.go (a ticker of 6 h)"""

SUBSCRIBE_PING: Final = 5.0
"""cattle: api.sub.ping.interval.millis"""

SCRIPT_TRIES: Final = 300
SCRIPT_PAUSE: Final = 2.0
"""How long the agent's launcher waits for the server.

rancher: agent/run.sh
"""

REGISTER_WAIT: Final = 300.0
"""How long it waits for its keys.

rancher: agent/register.py
"""

REGISTER_PAUSE: Final = 1.0
"""Between two looks for them. Assumed."""

AGENT_START: Final = 10.0
"""From the keys to the permanent agent's first connection: scripts and configuration. Assumed."""

AGENT_RETRY: Final = 5.0
"""Between two attempts of an agent to connect.

rancher: agent 1.6 logs every 5 s that its credentials are no longer valid
"""
