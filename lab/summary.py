"""What stands at the end of a demo, asked from outside: AWS, Rancher, the lab's lever, Prefect."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

import boto3
import requests

from lab.ready import Ready

CLUSTER = "lab"
TIMEOUT_S = 10.0
TABLES = {
    f"drained-{CLUSTER}": ("hosts", "outcome", "what"),
    f"hosts-{CLUSTER}": ("host", "verdict", "why", "done"),
}
"""Those that drain-hosts and reconcile-hosts leave in Prefect, and their columns worth a look."""
MODES = {"localAuthConfig": "api.auth.local.access.mode"}
"""Where Rancher keeps the mode of a provider that has a place of its own."""
WIDTH = max(map(len, TABLES.values()))


def print_summary(ready: Ready, prefect_api: str, seconds: float) -> None:
    """Print where everything is, in what state, and how long it took."""
    session = boto3.Session(
        aws_access_key_id="lab", aws_secret_access_key="lab", region_name="us-east-1"
    )
    print(f"\nThe cluster {CLUSTER} stands, after {timedelta(seconds=round(seconds))}.\n")
    _table("Where to look", _addresses(ready, prefect_api))
    _table("Terraform states", _states(session, ready))
    rancher = _Rancher.of(session, ready)
    _table("Rancher's servers", _servers(rancher))
    _table("Who may come in", _access(rancher))
    _table("Environments", _environments(rancher))
    _table("Registries", _registries(rancher))
    _table("Stacks", _stacks(rancher))
    _table("Hosts", _hosts(ready))
    _table("Runs", _runs(prefect_api))


def print_herd(prefect_api: str) -> None:
    """Print what the newest drain and reconcile say of every host that is not just healthy."""
    print()
    _table("The herd, and why", (row for table in TABLES for row in _herd(prefect_api, table)))


def _addresses(ready: Ready, prefect_api: str) -> Iterable[Sequence[str]]:
    yield "Rancher, through the load balancer", ready.rancher_url
    yield "Prefect: runs, logs, artifacts", prefect_api.removesuffix("/api")
    yield "AWS's stand-in", ready.aws_endpoint
    yield "the lab's lever", ready.control_url


def _states(session: boto3.Session, ready: Ready) -> Iterable[Sequence[str]]:
    s3 = session.client("s3", endpoint_url=ready.aws_endpoint)
    for bucket in s3.list_buckets()["Buckets"]:
        listing = s3.list_objects_v2(Bucket=bucket["Name"])
        for entry in listing.get("Contents", []):
            if not entry["Key"].endswith(".tfstate"):
                continue  # who holds a state, told beside it
            state = json.load(s3.get_object(Bucket=bucket["Name"], Key=entry["Key"])["Body"])
            managed = [each for each in state["resources"] if each["mode"] == "managed"]
            count = sum(len(each["instances"]) for each in managed)
            yield f"s3://{bucket['Name']}/{entry['Key']}", f"{count} resources"


@dataclass(frozen=True, slots=True)
class _Rancher:
    """Rancher as the administrator sees it."""

    url: str
    key: tuple[str, str]

    @classmethod
    def of(cls, session: boto3.Session, ready: Ready) -> Self:
        secrets = session.client("secretsmanager", endpoint_url=ready.aws_endpoint)
        text = secrets.get_secret_value(SecretId=f"{CLUSTER}/rancher/admin")["SecretString"]
        key = json.loads(text)
        return cls(f"{ready.rancher_url}/v2-beta", (key["access_key"], key["secret_key"]))

    def rows(self, path: str) -> list[dict[str, Any]]:
        answer = self.ask(path, self.key)
        answer.raise_for_status()
        rows: list[dict[str, Any]] = answer.json()["data"]
        return [row for row in rows if not row.get("removed")]

    def setting(self, name: str) -> str:
        return str(self.ask(f"settings/{name}", self.key).json()["activeValue"] or "")

    def ask(self, path: str, key: tuple[str, str] | None) -> requests.Response:
        return requests.get(f"{self.url}/{path}", auth=key, timeout=TIMEOUT_S)

    def in_projects(self, kind: str) -> Iterable[tuple[str, dict[str, Any]]]:
        """Yield what environments hold, each with its environment's name."""
        for project in self.rows("projects?all=true"):
            for row in self.rows(f"projects/{project['id']}/{kind}"):
                yield project["name"], row


def _servers(rancher: _Rancher) -> Iterable[Sequence[str]]:
    version = rancher.ask("clustermemberships", rancher.key).headers["X-Rancher-Version"]
    for member in rancher.rows("clustermemberships"):
        address = json.loads(member["config"])["advertiseAddress"]
        yield address, version, "clustered" if member["clustered"] else "alone"


def _access(rancher: _Rancher) -> Iterable[Sequence[str]]:
    provider = rancher.setting("api.auth.provider.configured")
    yield "provider", provider
    yield "mode", rancher.setting(MODES.get(provider, "api.auth.access.mode"))
    yield "strangers get", str(rancher.ask("projects", None).status_code)


def _environments(rancher: _Rancher) -> Iterable[Sequence[str]]:
    templates = {row["id"]: row["name"] for row in rancher.rows("projecttemplates")}
    for project in rancher.rows("projects?all=true"):
        members = rancher.rows(f"projects/{project['id']}/projectmembers")
        who = ", ".join(f"{member['externalId']} ({member['role']})" for member in members)
        template = templates.get(project["projectTemplateId"], "")
        yield project["name"], project["state"], template, who


def _registries(rancher: _Rancher) -> Iterable[Sequence[str]]:
    users = {
        row["registryId"]: row["publicValue"]
        for _, row in rancher.in_projects("registrycredentials")
    }
    for project, registry in rancher.in_projects("registries"):
        user = users.get(registry["id"], "nobody")
        yield project, registry["serverAddress"], registry["state"], f"as {user}"


def _stacks(rancher: _Rancher) -> Iterable[Sequence[str]]:
    inhabited = {project for project, _ in rancher.in_projects("hosts")}
    for project, stack in rancher.in_projects("stacks"):
        state = f"{stack['state']}, {stack['healthState']}"
        why = "" if project in inhabited else "since no host is there"
        yield project, stack["name"], stack["externalId"] or "", state, why


def _hosts(ready: Ready) -> Iterable[Sequence[str]]:
    rows = requests.get(f"{ready.control_url}/hosts", timeout=TIMEOUT_S).json()
    for row in sorted(rows, key=lambda row: (row["labels"].get("role", ""), row["id"])):
        labels = row["labels"]
        instance = labels.get("aws.instance_id", "")
        yield row["id"], row["hostname"], labels.get("role", ""), instance, row["agentState"]


def _runs(prefect_api: str) -> Iterable[Sequence[str]]:
    query = {"sort": "START_TIME_ASC"}
    runs = requests.post(f"{prefect_api}/flow_runs/filter", json=query, timeout=TIMEOUT_S).json()
    for run in runs:
        if run["start_time"]:
            yield run["name"], run["state_name"], f"{run['total_run_time']:.0f} s"


def _herd(prefect_api: str, table: str) -> Iterable[Sequence[str]]:
    query = {"artifacts": {"key": {"any_": [table]}}, "sort": "CREATED_DESC", "limit": 1}
    answer = requests.post(f"{prefect_api}/artifacts/filter", json=query, timeout=TIMEOUT_S)
    for artifact in answer.json():
        for row in json.loads(artifact["data"]):
            cells = [str(row[column]) for column in TABLES[table]]
            yield cells + [""] * (WIDTH - len(cells))


def _table(title: str, rows: Iterable[Sequence[str]]) -> None:
    lines = list(rows)
    print(f"  {title}")
    if not lines:
        print("    none")
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        print(f"    {'  '.join(cells).rstrip()}")
    print(flush=True)
