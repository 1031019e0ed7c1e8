"""Errors of this project: one class for each reaction a caller can have, not one for each cause.

CorralError
  x ClusterFileError            the cluster file has faults, all of them named
  x CredentialsError            AWS does not know or no longer accepts who is asking
  x AccessDeniedError           AWS knows who is asking and refuses the action
  x WrongAccountError           the credentials belong to another account
  x WrongRegionError            the environment means another region
  x PrerequisiteError           something must be installed, made or fixed before this can run
  x AwsError                    AWS answered, but not with success
    + AwsUnavailableError       AWS did not answer, or asked to come back      (temporary)
  x TerraformError              a command ended badly
    + TerraformDeadlineError    a command took longer than it was given
    + StateLockedError          someone else holds the lock, and was waited for
    + CopyBusyError             an earlier Terraform still works here, and was waited for
    + StalePlanError            the state moved on since the plan was saved: plan again
  x PackerError                 an image could not be baked
    + PackerDeadlineError       a bake took longer than it was given
  x UnsafePlanError             the plan exceeds what the run may do
    + ApprovalNeededError       somebody may approve it
  x GateTimeoutError            a condition did not hold in time
  x UpgradeError                servers of a new version did not come up
  x DatabaseRefusedError        a database does not let us in (yet)          (temporary)
  x AmbiguousError              more than one thing answers to one name
  x CodeRefusedError            a code that a person gave came to nothing: ask for another
  x RancherError
    + RancherUnreachableError   no answer, or 5xx                              (temporary)
    + RancherUnsettledError     its servers answer differently                 (temporary)
    + RancherRefusedError       401 or 403: the key is wrong
    + RancherConflictError      405, 409 or 422: read again and decide again
    + RancherGoneError          404: it is not there
    + RancherAnswerError        any other answer, or one that makes no sense
  x AlertError                  a channel did not take what it was to tell

A message is one sentence: what, where, how much. The facts in it are attributes too.
"""

from datetime import timedelta
from typing import ClassVar


class CorralError(Exception):
    """Anything corral raises on purpose."""

    temporary: ClassVar[bool] = False
    """Whether the same step may work some minutes later without anybody's help."""


class ClusterFileError(CorralError):
    """The cluster file has faults; every one is named with its path in the file.

    `faults` has one sentence a fault, each with its path in the file.
    """

    def __init__(self, source: str, faults: list[str]) -> None:
        self.source = source
        self.faults = faults
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__("\n".join([f"{source} has {count}:", *(f"  {f}" for f in faults)]))


class CredentialsError(CorralError):
    """AWS does not know, or no longer accepts, who is asking."""


class AccessDeniedError(CorralError):
    """AWS knows who is asking and refuses the action.

    `action` is spelled as an IAM policy spells it: `s3:CreateBucket`.
    """

    def __init__(self, action: str, message: str) -> None:
        self.action = action
        super().__init__(f"AWS refuses {action}: allow it in the policy of this role. {message}")


class WrongAccountError(CorralError):
    """The credentials belong to another account than the cluster's."""

    def __init__(self, expected: str, found: str) -> None:
        self.expected = expected
        self.found = found
        super().__init__(
            f"The credentials belong to account {found}, but the cluster file says {expected}: "
            "nothing was read or changed."
        )


class WrongRegionError(CorralError):
    """The environment or the credentials name another region than the cluster's."""

    def __init__(self, expected: str, found: str) -> None:
        self.expected = expected
        self.found = found
        super().__init__(
            f"The environment or the credentials say region {found}, but the cluster file says "
            f"{expected}: nothing was read or changed; set AWS_REGION and AWS_DEFAULT_REGION to "
            "the cluster's region, or unset them."
        )


class PrerequisiteError(CorralError):
    """Something must be installed, made or fixed before this can run."""


class AwsError(CorralError):
    """AWS answered, but not with success.

    `operation` is AWS's action name, `code` its error code.
    """

    def __init__(self, operation: str, code: str, message: str) -> None:
        self.operation = operation
        self.code = code
        super().__init__(f"AWS answered {operation} with {code}: {message}")


class AwsUnavailableError(AwsError):
    """AWS did not answer, or asked to come back later."""

    temporary = True


class TerraformError(CorralError):
    """A Terraform command ended badly."""


class TerraformDeadlineError(TerraformError):
    """A Terraform command took longer than it was given, and was interrupted.

    `stack` is the state's key.
    """

    def __init__(self, command: str, stack: str, deadline: timedelta) -> None:
        self.command = command
        self.stack = stack
        self.deadline = deadline
        super().__init__(
            f"terraform {command} of {stack} was interrupted, since it took longer than "
            f"{deadline.total_seconds():.0f} s; run again to go on from where it is."
        )


class StateLockedError(TerraformError):
    """Someone else holds the lock of this state.

    `lock_id` is what `terraform force-unlock` wants; `holder`, `operation` and `since` are as
    Terraform wrote them into the lock; `remedy` is what frees it; `doubt` is why it was not freed
    without being asked, as half a sentence.

    Not temporary: Terraform has waited for it already (CORRAL_LOCK_WAIT_S).
    """

    def __init__(
        self,
        stack: str,
        *,
        lock_id: str,
        holder: str,
        operation: str,
        since: str,
        remedy: str,
        doubt: str = "",
    ) -> None:
        self.stack = stack
        self.lock_id = lock_id
        self.holder = holder
        self.operation = operation
        self.since = since
        self.remedy = remedy
        self.doubt = doubt
        why = f"It is not freed without being asked: {doubt}. " if doubt else ""
        super().__init__(
            f"The state {stack} is locked by {holder} since {since} ({operation}). {why}"
            f"Wait for that run; if it is certain that it died, free the lock {remedy}."
        )

    def explained(self, doubt: str) -> "StateLockedError":
        """Return the same with the reason for which nobody freed the lock."""
        return StateLockedError(
            self.stack,
            lock_id=self.lock_id,
            holder=self.holder,
            operation=self.operation,
            since=self.since,
            remedy=self.remedy,
            doubt=doubt,
        )


class CopyBusyError(TerraformError):
    """Another Terraform still works in our copy of the stack, or in the shared plugin cache.

    `what` is which of both; `holder` says who took it, as that run wrote it down.

    Not temporary: it has been waited for as long as a command may take.
    """

    def __init__(self, what: str, holder: str, waited: timedelta) -> None:
        self.what = what
        self.holder = holder
        self.waited = waited
        super().__init__(
            f"The {what} is still used by {holder} after "
            f"{waited.total_seconds():.0f} s of waiting: let it finish and run again."
        )


class StalePlanError(TerraformError):
    """The state moved on since the plan was saved, so that Terraform does not apply it."""


class PackerError(CorralError):
    """An image could not be baked."""


class PackerDeadlineError(PackerError):
    """A bake took longer than it was given, and was interrupted.

    `step` is what Packer was doing, in its own words.
    """

    def __init__(self, deadline: timedelta, step: str) -> None:
        self.deadline = deadline
        self.step = step
        super().__init__(
            f"The bake was interrupted, since it took longer than {deadline.total_seconds():.0f} s"
            f" (CORRAL_BAKE_DEADLINE_S); it was at: {step}. Packer removes its builder; what it"
            " leaves behind, the next run removes."
        )


class UnsafePlanError(CorralError):
    """The plan exceeds what this run may do; nothing was applied.

    `refusals` has one sentence for each change that is refused, with its reason.
    """

    _said = "is refused"

    def __init__(self, stack: str, refusals: list[str]) -> None:
        self.stack = stack
        self.refusals = refusals
        head = f"The plan of {stack} {self._said}, nothing was changed:"
        super().__init__("\n".join([head, *(f"  {refusal}" for refusal in refusals)]))


class ApprovalNeededError(UnsafePlanError):
    """The plan needs an approval, and nobody was asked or nobody gave it; nothing was applied."""

    _said = "needs approval"


class GateTimeoutError(CorralError):
    """A condition did not hold in time.

    `failures` has one sentence for each thing that was still missing, with since when.
    """

    def __init__(self, condition: str, deadline: timedelta, failures: list[str]) -> None:
        self.condition = condition
        self.deadline = deadline
        self.failures = failures
        head = f"{condition}: not within {deadline.total_seconds():.0f} s"
        super().__init__("\n".join([head, *(f"  {failure}" for failure in failures)]))


class UpgradeError(CorralError):
    """Servers of a new version did not come up; what they stopped at is the cause.

    `way_back` says how people get to the version and the data of before, `snapshot` from what.
    """

    def __init__(self, cluster: str, snapshot: str, way_back: str, cause: CorralError) -> None:
        self.cluster = cluster
        self.snapshot = snapshot
        self.way_back = way_back
        super().__init__(
            f"The upgrade of {cluster} stops, and the servers are left as they are: {cause}\n"
            f"Run it again to go on waiting, which never interrupts a migration. {way_back}"
        )


class DatabaseRefusedError(CorralError):
    """A database does not let a user in: a new password counts some time after RDS took it."""

    temporary = True

    def __init__(self, address: str, user: str) -> None:
        self.address = address
        self.user = user
        super().__init__(
            f"The database {address} does not let {user} in: its password is another, or the"
            " database inside is not there."
        )


class AmbiguousError(CorralError):
    """More than one thing answers to one name, and guessing would be wrong.

    `ids` is everything that answers to the name.
    """

    def __init__(self, what: str, ids: list[str]) -> None:
        self.what = what
        self.ids = ids
        super().__init__(f"{what} exists {len(ids)} times ({', '.join(ids)}): keep one.")


class CodeRefusedError(CorralError):
    """A code that a person gave came to nothing, but another one may do: ask again.

    The message says why, to that person.
    """


class RancherError(CorralError):
    """Rancher did not do what it was asked.

    The message says what was asked and what came back; `status` is None without an answer.
    """

    def __init__(self, message: str, *, status: int | None = None, code: str = "") -> None:
        self.status = status
        self.code = code
        super().__init__(message)


class RancherUnreachableError(RancherError):
    """Rancher gave no answer, or a 5xx one."""

    temporary = True


class RancherUnsettledError(RancherError):
    """Servers answer differently about the same; that ends once each has read it anew."""

    temporary = True


class RancherRefusedError(RancherError):
    """Rancher does not accept the key (401), or the key may not do this (403)."""


class RancherConflictError(RancherError):
    """The thing is in another state than thought (405, 409, 422): read again, decide again."""


class RancherGoneError(RancherError):
    """It is not there (404); for a removal that is success."""


class RancherAnswerError(RancherError):
    """Rancher answered something that makes no sense here."""


class AlertError(CorralError):
    """A channel did not take what it was to tell people.

    `channel` is its name; its address is a secret and in no message. Not temporary: it was tried
    for a while already, and the next run tells it again.
    """

    def __init__(self, channel: str, reason: str) -> None:
        self.channel = channel
        self.reason = reason
        super().__init__(f"The alert channel {channel} {reason}")
