"""How phantoms are known to be removed: one after the other, a step, a look each 3 s, a step.

After ampedandwired/rancher-reaper: hosts whose agents are disconnected and whose instances EC2 says
to be terminated are deactivated, removed and purged, and after each step looked at every 3 s, for
at most 30 s, while they are in transition. Each step goes to the host's environment, as Rancher 1.6
refuses them elsewhere.
"""

import os
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import boto3
import requests

from benchmarks.herd.measured import Measured

STEPS = ("deactivate", "remove", "purge")
PAGE = 100
POLL_S = 3.0
POLLS = 10
TIMEOUT_S = 30

Host = dict[str, Any]


class SerialReaper:
    """Removes phantoms of all environments."""

    def __init__(self, url: str, ec2: Any) -> None:  # noqa: ANN401 - boto3 makes its clients' classes at run time
        """Remember whom to ask; nothing is sent yet."""
        self._url = f"{url}/v2-beta"
        self._ec2 = ec2
        self._session = requests.Session()

    def reap(self, most: int) -> int:
        """Remove so many phantoms at most, and return how many it were."""
        removed = 0
        for host in islice(filter(self._is_terminated, self._candidates()), most):
            self._remove(host)
            removed += 1
        return removed

    def _candidates(self) -> Iterator[Host]:
        page = f"{self._url}/hosts?limit={PAGE}&agentState=disconnected"
        while page:
            answer = self._call("GET", page)
            yield from answer["data"]
            page = answer["pagination"]["next"]

    def _is_terminated(self, host: Host) -> bool:
        answer = self._ec2.describe_instances(InstanceIds=[host["labels"]["aws.instance_id"]])
        state: str = answer["Reservations"][0]["Instances"][0]["State"]["Name"]
        return state == "terminated"

    def _remove(self, host: Host) -> None:
        here = f"{self._url}/projects/{host['accountId']}/hosts/{host['id']}"
        for step in STEPS:
            self._call("POST", f"{here}?action={step}")
            self._await_end(here)

    def _await_end(self, here: str) -> None:
        for _ in range(POLLS):
            time.sleep(POLL_S)
            if self._call("GET", here)["transitioning"] != "yes":
                return

    def _call(self, method: str, url: str) -> Host:
        response = self._session.request(method, url, timeout=TIMEOUT_S)
        response.raise_for_status()
        found: Host = response.json()
        return found


def main() -> None:
    """Remove as many phantoms as the argument says from the herd the environment points to."""
    reaper = SerialReaper(os.environ["CORRAL_RANCHER_URL"], boto3.client("ec2"))
    measured = Measured()
    with measured.timed():
        measured.counts = {"removed": reaper.reap(int(sys.argv[1]))}
    measured.report()


if __name__ == "__main__":
    main()
