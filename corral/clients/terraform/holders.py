"""Records beside the states of who works on each, and locks that the dead have left behind."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from corral.clients.machine import Whereabouts
from corral.clients.terraform.copy import WorkingCopy
from corral.clients.terraform.job import StackJob
from corral.domain.adoption import Finder
from corral.domain.holders import (
    Breaking,
    Holder,
    Lock,
    Record,
    Testimony,
    find_proof,
    may_be_of,
)
from corral.errors import CorralError, StateLockedError

log = logging.getLogger(__name__)


class Shelf(Protocol):
    """Where the states lie, as far as it takes to look beside them."""

    def read(self, key: str) -> tuple[str, str] | None:
        """Return an object's text and what tells it from another; None if there is none."""

    def write(self, key: str, text: str) -> None:
        """Put an object there."""

    def remove(self, key: str, tag: str) -> None:
        """Remove the object that was read with this tag, and no other of its name."""


@dataclass(frozen=True, slots=True)
class Watch:
    """On whose behalf a stack is worked on, and who knows of others."""

    run: str
    """Id of the run."""
    name: str
    shelf: Shelf
    ended_at: Callable[[str], datetime | None]
    """Says when a run ended, by its id; None if it has not, or nobody knows."""
    tell: Callable[[Breaking], None]
    """Hears of each lock that was broken."""
    find: Finder
    """Looks in AWS for what a run that died may have made."""


@dataclass(slots=True)
class Held:
    """A state that is worked on by us."""

    unsettled: bool
    """Whether something may have been made before that is not in the state."""


@contextmanager
def held(job: StackJob, copy: WorkingCopy, watch: Watch, longest: timedelta) -> Iterator[Held]:
    """Write down beside the state that it is worked on, until it ends, and how that ended.

    A lock that a dead run left is broken before.

    Args:
        job: Whose state.
        copy: Held by us, so that no Terraform of an earlier run works in it.
        watch: On whose behalf.
        longest: No Terraform works longer.

    Raises:
        StateLockedError: Somebody else holds the state; it says who, and what lacks to a proof.

    """
    desk = _Desk(job, copy, watch, longest)
    record, reason = desk.clear()
    mine = desk.sign_in(record)
    work = Held(record.is_unsettled)
    try:
        yield work
    except StateLockedError as error:
        desk.sign_out(mine, unsettled=record.is_unsettled)
        raise error.explained(reason) if reason else error from None
    except BaseException:
        desk.sign_out(mine, unsettled=True)
        raise
    desk.sign_out(mine, unsettled=work.unsettled)


class _Desk:
    def __init__(self, job: StackJob, copy: WorkingCopy, watch: Watch, longest: timedelta) -> None:
        self._record_key = f"{job.key}.holder.json"
        self._lock_key = f"{job.state}.tflock"
        self._copy = copy
        self._watch = watch
        self._longest = longest
        self._here = Whereabouts.here()

    def clear(self) -> tuple[Record, str]:
        """Break the lock if its holder is dead; return what is known, and why it was not broken."""
        record = self._read_record()
        if not record.is_unsettled or (found := self._watch.shelf.read(self._lock_key)) is None:
            return record.model_copy(update={"holders": record.holders[-1:]}), ""
        text, tag = found
        try:
            lock = Lock.model_validate_json(text)
        except ValidationError:
            return record, "what it holds cannot be read"
        reasons = []
        for holder in record.holders:
            proof, reason = find_proof(lock, holder, self._testimony(holder))
            if proof:
                return self._break(record, lock, tag, (holder, proof)), ""
            reasons.append(reason)
        holders = tuple(holder for holder in record.holders if may_be_of(lock, holder))
        return record.model_copy(update={"holders": holders, "unsettled": True}), reasons[-1]

    def sign_in(self, record: Record) -> Record:
        """Write down that we work on the state from now on; return that."""
        mine = Holder(
            run=self._watch.run,
            name=self._watch.name,
            process=self._here.as_facts(),
            copy_of_stack=self._copy_name(),
            began=datetime.now(UTC),
        )
        update = {"holders": (*record.holders, mine), "unsettled": record.is_unsettled}
        signed = record.model_copy(update=update)
        self._watch.shelf.write(self._record_key, signed.model_dump_json(indent=2))
        return signed

    def sign_out(self, record: Record, *, unsettled: bool) -> None:
        """Write down that we are done; who comes next must not fail because that did not work."""
        *others, mine = record.holders
        ended = mine.model_copy(update={"ended": datetime.now(UTC)})
        holders = (*others, ended) if unsettled else (ended,)
        left = record.model_copy(update={"holders": holders, "unsettled": unsettled})
        try:
            self._watch.shelf.write(self._record_key, left.model_dump_json(indent=2))
        except CorralError as error:
            log.warning("the record %s could not be closed: %s", self._record_key, error)

    def _break(self, record: Record, lock: Lock, tag: str, dead: tuple[Holder, str]) -> Record:
        holder, proof = dead
        breaking = Breaking(
            lock=lock.id,
            who=lock.who,
            created=lock.created,
            holder=f"that of {holder}",
            proof=proof,
            at=datetime.now(UTC),
            by=self._watch.name,
        )
        update = {"holders": (), "unsettled": True, "broken": (*record.broken, breaking)}
        after = record.model_copy(update=update)
        self._watch.shelf.write(self._record_key, after.model_dump_json(indent=2))
        self._watch.shelf.remove(self._lock_key, tag)
        log.warning("%s", breaking)
        self._watch.tell(breaking)
        return after

    def _read_record(self) -> Record:
        found = self._watch.shelf.read(self._record_key)
        if found is None:
            return Record()
        try:
            return Record.model_validate_json(found[0])
        except ValidationError:
            log.warning("%s is no record of ours: nothing is proven by it", self._record_key)
            return Record(unsettled=True)

    def _testimony(self, holder: Holder) -> Testimony:
        process = Whereabouts.read(holder.process)
        if process is None:
            return Testimony()
        ended = self._watch.ended_at(holder.run)
        run = process.find_end() or (f"it ended at {ended:%F %T} UTC" if ended else "")
        if holder.run == self._watch.run:
            run = "it is this very run, which tries again"
        if holder.copy_of_stack and holder.copy_of_stack == self._copy_name():
            return Testimony(run, "nobody works in its working copy", self._last_output())
        if process.is_of_an_earlier_boot(self._here):
            return Testimony(run, "nothing outlives a boot", self._here.booted_at())
        if ended and datetime.now(UTC) - ended > self._longest:
            return Testimony(run, f"no Terraform works for {self._longest} after that", ended)
        return Testimony(run)

    def _copy_name(self) -> str:
        if not self._here.boot:
            return ""
        file = os.fstat(self._copy.lock)
        return f"{self._here.boot}/{file.st_dev}/{file.st_ino}"

    def _last_output(self) -> datetime | None:
        """Return when a Terraform last said something in the working copy."""
        written = [_written(path) for path in self._copy.own.glob("*.out")]
        return max(written, default=None)


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
