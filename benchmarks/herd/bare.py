"""The least that reading a herd can take: each page is downloaded and parsed, and thrown away."""

import os
from typing import Any

import boto3
import requests

from benchmarks.herd.measured import Measured

RANCHER_PAGE = 3000
EC2_PAGE = 1000
TIMEOUT_S = 60


def read_rancher(url: str) -> int:
    """Walk through the list of hosts and return their number."""
    session = requests.Session()
    page: str | None = f"{url}/v2-beta/hosts?limit={RANCHER_PAGE}"
    hosts = 0
    while page:
        answer: dict[str, Any] = session.get(page, timeout=TIMEOUT_S).json()
        hosts += len(answer["data"])
        page = answer["pagination"]["next"]
    return hosts


def read_ec2(ec2: Any) -> int:  # noqa: ANN401 - boto3 makes its clients' classes at run time
    """Walk through the list of instances and return their number."""
    pages = ec2.get_paginator("describe_instances")
    return sum(
        len(reservation["Instances"])
        for page in pages.paginate(PaginationConfig={"PageSize": EC2_PAGE})
        for reservation in page["Reservations"]
    )


def main() -> None:
    """Read both sides of the herd that the environment points to."""
    url, ec2 = os.environ["CORRAL_RANCHER_URL"], boto3.client("ec2")
    measured = Measured()
    with measured.timed():
        hosts, instances = read_rancher(url), read_ec2(ec2)
    measured.counts = {"hosts": hosts, "instances": instances}
    measured.report()


if __name__ == "__main__":
    main()
