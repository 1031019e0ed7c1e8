"""What was asked of the lab. Safe to use from any thread."""

import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Journal:
    """Every call that the lab received: how often which operation got which answer."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _counts: dict[tuple[str, str, int], int] = field(default_factory=dict)
    _bodies: list[dict[str, Any]] = field(default_factory=list)

    def record(self, target: str, operation: str, status: int, body: object = None) -> None:
        """Note one call. One with a body (an alert) is kept by itself, the others are counted."""
        with self._lock:
            if body is not None:
                row = {"target": target, "operation": operation, "status": status}
                self._bodies.append({**row, "count": 1, "body": body})
                return
            key = (target, operation, status)
            self._counts[key] = self._counts.get(key, 0) + 1

    def rows(self) -> list[dict[str, Any]]:
        """Return the calls in the order of their first appearance, then those with a body."""
        with self._lock:
            counted = [
                {"target": target, "operation": operation, "status": status, "count": count}
                for (target, operation, status), count in self._counts.items()
            ]
            return counted + [dict(row) for row in self._bodies]

    def clear(self) -> None:
        """Forget every call."""
        with self._lock:
            self._counts.clear()
            self._bodies.clear()
