"""Errors of the node program, and the exit codes that systemd and people see.

NodeError                    it failed, and the sentence says what, where and what to do   (1)
  x ConfigurationError       the machine was told something wrong: trying again is useless (78)
  x DeadlineError            something never came                                          (75)
  x NotYetError              not so far: whoever waits looks again
    + RefusedError           the keys are not accepted: read them again first
    + GoneError              Rancher has forgotten it

The numbers are those of sysexits.h: 75 is EX_TEMPFAIL, 78 is EX_CONFIG.
"""

from typing import ClassVar


class NodeError(Exception):
    """The base of all; a plain one is a failure that has no better name."""

    exit_code: ClassVar[int] = 1


class ConfigurationError(NodeError):
    """What the machine was told to do cannot be done, however often it is tried."""

    exit_code: ClassVar[int] = 78


class DeadlineError(NodeError):
    """Something that was waited for did not come in time."""

    exit_code: ClassVar[int] = 75


class NotYetError(NodeError):
    """Something is not there so far; the sentence says what was seen instead."""


class RefusedError(NotYetError):
    """The keys in use are not accepted (any more)."""


class GoneError(NotYetError):
    """Rancher does not know what was asked for (any more)."""
