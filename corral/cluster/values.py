"""How single values of a cluster file are written: each that is not is refused with a sentence."""

import re
from functools import cache
from ipaddress import IPv4Network
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from corral.cluster.cron import check_cron
from corral.cluster.windows import read_backup_window, read_maintenance_window

EVERYWHERE = IPv4Network("0.0.0.0/0")
OTHER_PARTITION = re.compile(r"cn-|us-gov-|[a-z]{2}-iso[a-z]?-")


class Part(BaseModel):
    """Any part of a cluster file: fixed once read, and no key that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def written(pattern: str, what: str) -> AfterValidator:
    """Return a check that a text is written like this; `what` says how in the refusal."""
    known = re.compile(pattern)

    def check(text: str) -> str:
        if not known.fullmatch(text):
            raise ValueError(f"{text!r} is not {what}")
        return text

    return AfterValidator(check)


def _lies_in_the_usual_partition(region: str) -> str:
    if OTHER_PARTITION.match(region):
        raise ValueError(
            f"{region} is in another partition of AWS: the stacks write arn:aws: and work in the"
            " commercial regions only"
        )
    return region


def _is_known(zone: str) -> str:
    if zone not in _time_zones():
        raise ValueError(f"{zone!r} is no time zone, such as Europe/Berlin")
    return zone


@cache
def _time_zones() -> frozenset[str]:
    # The last two mean a machine's own zone, and none
    return frozenset(available_timezones() - {"localtime", "Factory"})


def _leaves_names_of_aws(name: str) -> str:
    begin = name.split("-", maxsplit=1)[0]
    if begin in ("internal", "sg"):
        raise ValueError(f"{name} begins with {begin}, which AWS keeps for itself")
    return name


def _has_memory(name: str) -> str:
    if name.endswith(".micro"):
        raise ValueError(f"{name} has 1 GiB of memory, all of which MySQL's buffer pool wants")
    return name


def _survives_a_node(count: int) -> int:
    if count % 2 == 0:
        raise ValueError(
            f"{count} is even: {count} nodes survive no more losses than {count - 1}; choose 3 or 5"
        )
    if count not in (3, 5):
        raise ValueError(f"{count} node(s): choose 3 or 5")
    return count


def _checked_backup_window(text: str) -> str:
    read_backup_window(text)
    return text


def _checked_maintenance_window(text: str) -> str:
    read_maintenance_window(text)
    return text


# Load balancers allow 32 characters in all, database identifiers no double dash.
Name = Annotated[
    str,
    written(
        r"(?=.{2,16}$)[a-z][a-z0-9]*(-[a-z0-9]+)*",
        "a name: 2 to 16 lower case letters, digits and single dashes, beginning with a letter",
    ),
]
ClusterName = Annotated[Name, AfterValidator(_leaves_names_of_aws)]
Hostname = Annotated[
    str,
    written(
        r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}",
        "a host name in lower case without a dot at its end, such as rancher.example.com",
    ),
]
AccountId = Annotated[str, written(r"[0-9]{12}", "an account id: twelve digits, in quotes")]
Region = Annotated[
    str,
    written(r"[a-z]{2}(-[a-z]+)+-[0-9]", "a region, such as us-east-1"),
    AfterValidator(_lies_in_the_usual_partition),
]
BucketName = Annotated[
    str,
    written(
        r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
        "a bucket's name: 3 to 63 lower case letters, digits and dashes",
    ),
]
InstanceType = Annotated[
    str, written(r"[a-z0-9-]+\.[a-z0-9-]+", "an instance type, such as m5.large")
]
DatabaseClass = Annotated[
    str,
    written(r"db\.[a-z0-9]+\.[a-z0-9]+", "an instance class, such as db.m5.large"),
    AfterValidator(_has_memory),
]
MysqlVersion = Annotated[
    str,
    written(
        r"5\.[567](\.[0-9]+)?", "a MySQL that Rancher 1.6 supports: 5.5, 5.6, 5.7, nothing newer"
    ),
]
RancherVersion = Annotated[str, written(r"v1\.6\.[0-9]+", "a version, such as v1.6.30")]
ImageName = Annotated[
    str,
    written(r".*[^*?].*", "an image's name: it would match every image of the account"),
]
TeamSlug = Annotated[
    str, written(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+", "a team, such as acme/operators")
]
RegistryAddress = Annotated[
    str,
    written(
        r"(?=.{1,255}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?",
        "a registry's address in lower case without a scheme or path, such as"
        " registry.example.com or registry.example.com:5000",
    ),
]
EcrAddress = Annotated[
    str,
    written(
        r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com",
        "a registry of ECR, such as 123456789012.dkr.ecr.us-east-1.amazonaws.com",
    ),
]
# Source: cattle, schema of stack (name, validated as a DNS label).
StackName = Annotated[
    str,
    written(
        r"(?=.{1,63}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?",
        "a stack's name: 1 to 63 letters, digits and dashes",
    ),
]
# Source: rancher catalog-service, ids of templates: <catalog>:<base>*<folder>, base may be absent.
CatalogTemplate = Annotated[
    str,
    written(
        r"[A-Za-z0-9_-]+:([a-z]+\*)?[A-Za-z0-9_.-]+",
        "a template of a catalog without its version, such as library:infra*route53",
    ),
]
QueueName = Annotated[
    str,
    written(r"[A-Za-z0-9_-]{1,80}", "a queue's name: 1 to 80 letters, digits, dashes, underscores"),
]
BackupWindow = Annotated[str, AfterValidator(_checked_backup_window)]
MaintenanceWindow = Annotated[str, AfterValidator(_checked_maintenance_window)]
Cron = Annotated[str, AfterValidator(check_cron)]
TimeZone = Annotated[str, AfterValidator(_is_known)]
NodeCount = Annotated[int, AfterValidator(_survives_a_node)]
Percent = Annotated[int, Field(ge=0, le=100)]
