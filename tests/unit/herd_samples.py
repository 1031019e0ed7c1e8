"""A small herd to judge: each host on an instance of the same number, all in order."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from corral.domain.herd import Assessment, Finding, Instance, Rule, View, Watch, assess
from corral.domain.hosts import Host
from corral.domain.set_up.environments import KnownProject

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LONG_AGO = NOW - timedelta(days=3)

RULE = Rule(
    cluster="lab",
    account_id="123456789012",
    region="us-east-1",
    max_removals=5,
    max_removal_percent=50,
    max_absent_removals=1,
    join_grace=15 * MINUTE,
    quiet=15 * MINUTE,
    stuck_after=10 * MINUTE,
    absence=0 * MINUTE,
)

MAIN = KnownProject("1a5", "main", "active")
OTHER = KnownProject("1a7", "other", "active")

CONTROL = Instance("i-0000000c", "running", LONG_AGO, "10.0.9.1", "ip-10-0-9-1.ec2.internal", "lab")


def instance_id(number: int) -> str:
    return f"i-{number:08x}"


def labels(number: int) -> dict[str, str]:
    return {
        "aws.instance_id": instance_id(number),
        "aws.account_id": RULE.account_id,
        "aws.region": RULE.region,
    }


def host(number: int, agent: str = "active", **fields: object) -> Host:
    """Return a host that joined an hour after its instance was launched."""
    sound = Host(
        id=f"1h{number}",
        project_id=MAIN.id,
        name=f"ip-10-0-0-{number}",
        address=f"10.0.0.{number}",
        state=agent,
        agent_state=agent,
        labels=labels(number),
        created=LONG_AGO + timedelta(hours=1),
        hostname=f"ip-10-0-0-{number}.ec2.internal",
        actions=frozenset({"deactivate", "evacuate"}),
    )
    return replace(sound, **fields)


def instance(number: int, state: str = "running", **fields: object) -> Instance:
    """Return an instance of the pool web; EC2 takes the address from the terminated ones."""
    alive = state != "terminated"
    sound = Instance(
        id=instance_id(number),
        state=state,
        launched=LONG_AGO,
        private_ip=f"10.0.0.{number}" if alive else "",
        private_dns=f"ip-10-0-0-{number}.ec2.internal" if alive else "",
        cluster="lab",
        pool="web",
    )
    return replace(sound, **fields)


def view(hosts: list[Host], instances: list[Instance], **fields: object) -> View:
    """Return what was read of these and of nine sound hosts, 101 to 109, besides them."""
    others = range(101, 110)
    whole = View(
        hosts=[*hosts, *map(host, others)],
        instances=[*instances, *map(instance, others), CONTROL],
        projects=[MAIN, OTHER],
        now=NOW,
    )
    return replace(whole, **fields)


def assessed(
    hosts: list[Host], instances: list[Instance], watch: Watch | None = None, **fields: object
) -> Assessment:
    """Return the assessment of these among nine sound hosts."""
    return assess(view(hosts, instances, **fields), RULE, watch or Watch())


def found(
    one: Host,
    instances: list[Instance],
    watch: Watch | None = None,
    beside: Sequence[Host] = (),
    **fields: object,
) -> Finding:
    """Return what is found about one host among nine sound ones, and these beside it."""
    findings = assessed([one, *beside], instances, watch, **fields).findings
    return next(finding for finding in findings if finding.host == one)
