"""What a run that could not read the world tells people: an error of ours as a problem."""

from corral.domain.alerts import Problem, Severity
from corral.errors import (
    AccessDeniedError,
    AwsError,
    AwsUnavailableError,
    CorralError,
    CredentialsError,
    RancherError,
    RancherRefusedError,
    RancherUnreachableError,
    WrongAccountError,
    WrongRegionError,
)

ACCESS_KINDS = frozenset({"account", "credentials", "region", "set-up", "unreachable"})
"""Kinds of the problems made here; whoever has read everything has settled them all."""

# The first class that fits decides, so a class stands above those that it is made of.
_KINDS: tuple[tuple[type[CorralError], str, str], ...] = (
    (WrongAccountError, "account", "the credentials are those of another account"),
    (WrongRegionError, "region", "the environment means another region"),
    (CredentialsError, "credentials", "AWS does not accept the credentials"),
    (AccessDeniedError, "credentials", "AWS refuses an action"),
    (RancherRefusedError, "credentials", "Rancher does not accept the administrator's key"),
    (AwsUnavailableError, "unreachable", "AWS does not answer"),
    (RancherUnreachableError, "unreachable", "Rancher does not answer"),
    (AwsError, "unreachable", "AWS does not do what it is asked"),
    (RancherError, "unreachable", "Rancher's answers make no sense"),
)
_SET_UP = ("set-up", "something has to be set right first")


def problem_of(error: CorralError) -> Problem:
    """Return the problem that an error of reading is; in every run it has the same key."""
    found = ((kind, title) for cause, kind, title in _KINDS if isinstance(error, cause))
    kind, title = next(found, _SET_UP)
    return Problem(
        kind=kind,
        scope="rancher" if isinstance(error, RancherError) else "aws",
        subject="",
        severity=Severity.ERROR,
        title=title,
        text=str(error),
    )
