"""A client that asks a load balancer for /ping ten times a second, and remembers every failure."""

import threading
import time
from types import TracebackType
from typing import Self

import requests


class Pinger:
    """Asks until it is left; `longest_outage_s` is from a first bad answer to the next good one.

    `lost` is how many answers were bad, each with when it came and what it was instead.
    """

    def __init__(self, url: str) -> None:
        self._url = f"{url}/ping"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self.answers = 0
        self.lost: list[str] = []
        self.longest_outage_s = 0.0

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

    def _ask(self) -> None:
        good_at = time.monotonic()
        while not self._over.wait(0.1):
            if (said := self._answer()) == "pong":
                good_at, self.answers = time.monotonic(), self.answers + 1
            else:
                self.lost.append(f"{time.strftime('%H:%M:%S')}: {said}")
            outage = time.monotonic() - good_at
            self.longest_outage_s = max(self.longest_outage_s, outage)

    def _answer(self) -> str:
        try:
            return requests.get(self._url, timeout=5).text.strip()
        except requests.RequestException as error:
            return str(error)
