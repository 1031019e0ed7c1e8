"""What `init` has installed in a working copy, and whether it must be done again.

`init` is about a third of the time of an unchanged stack. It is skipped while the stack's files,
the backend, the engine, the provider's source and the installed provider are what they were.

For the same reason Terraform is spared from hashing the provider (700 MB, 0.6 s) at every command:
after `init`, which did that, the hashes are taken out of the copy's lock file, which Terraform
takes as "nothing to compare". The full one is kept for the next `init`; and an installed provider
whose size or time of change is another than after `init` leads to a new `init`, which compares.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from corral.clients.terraform import locks
from corral.clients.terraform.copy import WorkingCopy
from corral.clients.terraform.events import Listener

_LOCK_FILE = ".terraform.lock.hcl"
_STAMP = "initialised"
_HASHES = re.compile(r"\n  hashes = \[.*?\n  \]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PluginCache:
    """Terraform's plugin cache, which all copies share, and how long to wait for it."""

    folder: Path
    patience: timedelta
    listen: Listener


class Installation:
    """The result of `init` in one working copy."""

    def __init__(self, copy: WorkingCopy, facts: object, cache: PluginCache | None) -> None:
        """Remember where and for what.

        Args:
            copy: The working copy.
            facts: All that `init` depends on besides the stack's files, with an honest repr.
            cache: The plugin cache, if the provider's source needs one.

        """
        self._copy = copy
        self._facts = repr(facts)
        self._cache = cache

    def is_current(self) -> bool:
        """Whether `init` would change nothing."""
        stamp = self._copy.own / _STAMP
        return stamp.is_file() and stamp.read_text(encoding="utf-8") == self._digest()

    def forget(self) -> None:
        """Have `init` done again the next time."""
        (self._copy.own / _STAMP).unlink(missing_ok=True)

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Around `init`: give it the full lock file, and afterwards note what it installed.

        Terraform uses its plugin cache only for providers it finds in the lock file, and must not
        be run twice at once with one cache; so a copy that has no lock file gets the cache's, and
        only one `init` at a time uses the cache.

        Raises:
            CopyBusyError: Another run's `init` does not come to its end.

        """
        self.forget()
        with self._alone_in_cache():
            self._give_lock_file()
            yield
            self._keep_lock_file()
        (self._copy.own / _STAMP).write_text(self._digest(), encoding="utf-8")

    def _give_lock_file(self) -> None:
        for folder in self._keepers():
            if (folder / _LOCK_FILE).is_file():
                content = (folder / _LOCK_FILE).read_text(encoding="utf-8")
                (self._copy.folder / _LOCK_FILE).write_text(content, encoding="utf-8")
                return

    def _keep_lock_file(self) -> None:
        used = self._copy.folder / _LOCK_FILE
        if not used.is_file():
            return
        content = used.read_text(encoding="utf-8")
        for folder in self._keepers():
            (folder / _LOCK_FILE).write_text(content, encoding="utf-8")
        used.write_text(_HASHES.sub("", content), encoding="utf-8")

    def _keepers(self) -> list[Path]:
        """Return where whole lock files are kept, the copy's own first."""
        return [self._copy.own, *([self._cache.folder] if self._cache else [])]

    @contextmanager
    def _alone_in_cache(self) -> Iterator[None]:
        if self._cache is None:
            yield
            return
        cache = self._cache
        what = f"plugin cache {cache.folder}"
        path = cache.folder / "lock"
        with locks.hold(path, what, patience=cache.patience, listen=cache.listen) as lock:
            locks.sign(lock, "terraform init")
            yield

    def _digest(self) -> str:
        seen = [self._facts, self._copy.digest(), *_providers(self._copy.folder)]
        return hashlib.sha256("\n".join(seen).encode()).hexdigest()


def _providers(folder: Path) -> list[str]:
    """Return a line for each installed file, with its size and its time of change."""
    root = folder / ".terraform" / "providers"
    found = []
    for parent, _, names in os.walk(root, followlinks=True):
        for name in names:
            facts = (Path(parent) / name).stat()
            found.append(f"{parent}/{name} {facts.st_size} {facts.st_mtime_ns}")
    return sorted(found)
