"""What anybody on this machine could read of any process while a test ran."""

import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

import psutil


class CommandLines:
    """Collects the command lines of all processes, ten times a second, until it is left."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def text(self) -> str:
        return "\n".join(self._seen.copy())

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            for process in psutil.process_iter():
                with suppress(psutil.Error):
                    self._seen.add(" ".join(process.cmdline()))
