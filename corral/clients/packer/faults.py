"""What went wrong in a bake, as the error a caller can react to and one sentence for people."""

import json
import re
from collections.abc import Sequence

from corral.errors import AccessDeniedError, CorralError, CredentialsError, PackerError

LONGEST_QUOTE = 2000
"""Characters of somebody else's words that are kept in an error."""

_NO_SSH = "Timeout waiting for SSH"
_ANSIBLE = "Error executing Ansible"
_NO_CREDENTIALS = (
    "NoCredentialProviders",
    "AuthFailure",
    "ExpiredToken",
    "InvalidClientTokenId",
    "RequestExpired",
)
_DENIED = re.compile(r"not authorized to perform: (\w+:\w+)")
_FATAL = re.compile(r"^fatal: \[[^\]]*\]: [A-Z]+! => (?P<result>\{.*)", re.DOTALL | re.MULTILINE)
_TASK = re.compile(r"^(?:TASK|RUNNING HANDLER) \[(?P<name>.*)\] \**$", re.MULTILINE)


def explain(faults: Sequence[str], heard: Sequence[str], way_in: str) -> CorralError:
    """Return the error to raise for a bake that ended badly.

    Args:
        faults: Why, in Packer's words, in order; or its last words, where it died without any.
        heard: What Packer and Ansible said before, in order.
        way_in: How the builder was to be reached, for the sentence about one that never answers.

    """
    words = "\n".join(faults)
    if _NO_SSH in words:
        return PackerError(f"The builder never answered by SSH: {way_in}")
    if _ANSIBLE in words:
        return PackerError(f"Ansible could not fill the image. {_ansible(heard) or quote(words)}")
    if any(sign in words for sign in _NO_CREDENTIALS):
        return CredentialsError(
            "Packer finds no valid AWS credentials: log in again, or check the credentials block"
            f" of the cluster file. {quote(words)}"
        )
    if denied := _DENIED.search(words):
        return AccessDeniedError(denied[1], quote(words))
    return PackerError(f"Packer could not bake the image: {quote(words)}")


def quote(words: str) -> str:
    """Return the end of what was said, in one line and cut to a bearable length."""
    plain = " ".join(words.split())
    if len(plain) <= LONGEST_QUOTE:
        return plain or "it said nothing"
    return "..." + plain[-LONGEST_QUOTE:]


def _ansible(heard: Sequence[str]) -> str:
    """Return the task that failed last, and why; empty if Ansible did not come so far."""
    task = ""
    said = ""
    for words in heard:
        if begun := _TASK.search(words):
            task = begun["name"]
        if fatal := _FATAL.search(words):
            said = f"The task `{task}` failed: {quote(_message(fatal['result']))}"
    return said


def _message(result: str) -> str:
    """Return what a failed task says of itself, out of all that it returned."""
    try:
        content, _ = json.JSONDecoder().raw_decode(result)
    except ValueError:
        return result
    return str(content.get("msg") or content.get("stderr") or result)
