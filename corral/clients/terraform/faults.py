"""What went wrong, as the error a caller can react to; decided from Terraform's diagnostics."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from corral.clients.terraform.events import Diagnostic
from corral.clients.terraform.job import StackJob
from corral.errors import (
    CorralError,
    CredentialsError,
    PrerequisiteError,
    StalePlanError,
    StateLockedError,
    TerraformError,
)

LONGEST_QUOTE = 2000
"""Characters of Terraform's own words that are kept in an error."""

_LOCKED = "Error acquiring the state lock"
_STALE = ("Saved plan is stale", "Saved plan does not match the given state")
_NO_PROVIDER = (
    "Failed to query available provider packages",
    "Failed to install provider",
    "Required plugins are not installed",
)
_NO_CREDENTIALS = ("No valid credential sources found", "ExpiredToken", "InvalidClientTokenId")
_UNREACHABLE = re.compile(
    r"could not connect to|failed to request discovery|dial tcp|proxyconnect|i/o timeout|TLS hand"
)
_LOCK_FIELD = re.compile(r"^\s+(ID|Operation|Who|Created):\s+(.*?)\s*$", re.MULTILINE)


def explain(
    command: str, job: StackJob, copy: Path, faults: Sequence[Diagnostic], stderr: str
) -> CorralError:
    """Return the error to raise for a command that ended badly.

    Args:
        command: `init`, `plan`, ...
        job: What was run.
        copy: Where it was run.
        faults: The errors among the diagnostics, in order.
        stderr: What the command printed there, for a Terraform that died without a diagnostic.

    """
    words = "\n".join(str(fault) for fault in faults) or stderr
    if _LOCKED in words:
        return _locked(job, copy, words)
    if any(sign in words for sign in _NO_PROVIDER):
        return _no_provider(words)
    if any(sign in words for sign in _NO_CREDENTIALS):
        return CredentialsError(
            "Terraform finds no valid AWS credentials: log in again, or check the credentials"
            f" block of the cluster file. {quote(words)}"
        )
    if any(sign in words for sign in _STALE):
        return StalePlanError(f"The plan of {job.key} is stale: {quote(words)}")
    return TerraformError(f"terraform {command} of {job.key} failed: {quote(words)}")


def quote(words: str) -> str:
    """Return the end of what Terraform said, without colours and cut to a bearable length."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", words).strip()
    if len(plain) <= LONGEST_QUOTE:
        return plain or "it said nothing"
    return "..." + plain[-LONGEST_QUOTE:]


def _locked(job: StackJob, copy: Path, words: str) -> StateLockedError:
    facts = dict(_LOCK_FIELD.findall(words))
    lock_id = facts.get("ID", "unknown")
    lock = f"s3://{job.backend.bucket}/{job.state}.tflock"
    folder = shlex.quote(str(copy))
    return StateLockedError(
        job.key,
        lock_id=lock_id,
        remedy=f"with `terraform -chdir={folder} force-unlock {lock_id}`, or remove {lock} with"
        f" `aws s3 rm {lock} --region {job.backend.region}`",
        holder=facts.get("Who", "unknown"),
        operation=facts.get("Operation", "unknown").removeprefix("OperationType").lower(),
        since=facts.get("Created", "unknown"),
    )


def _no_provider(words: str) -> PrerequisiteError:
    if _UNREACHABLE.search(words):
        return PrerequisiteError(
            "The Terraform registry cannot be reached to fetch the AWS provider: open the way to"
            f" it, or set CORRAL_PROVIDER_MIRROR to a local mirror. {quote(words)}"
        )
    return PrerequisiteError(
        "The AWS provider is not where it was looked for: add it to the mirror, or name one that"
        f" has it in CORRAL_PROVIDER_MIRROR. {quote(words)}"
    )
