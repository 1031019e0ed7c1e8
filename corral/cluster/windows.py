"""Windows of time in which AWS works on a database: how they are written, and when two meet."""

import re
from dataclasses import dataclass

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TIME = r"([01][0-9]|2[0-3]):([0-5][0-9])"
DAY = f"({'|'.join(DAYS)})"
BACKUP = re.compile(f"{TIME}-{TIME}")
MAINTENANCE = re.compile(f"{DAY}:{TIME}-{DAY}:{TIME}")

MINUTES_OF_A_DAY = 24 * 60
MINUTES_OF_A_WEEK = 7 * MINUTES_OF_A_DAY
# Source: RDS API, CreateDBInstance, PreferredBackupWindow and PreferredMaintenanceWindow.
SHORTEST_MINUTES = 30

BACKUP_WINDOW = "00:00-01:00"
MAINTENANCE_WINDOW = "mon:01:30-mon:02:30"


@dataclass(frozen=True, slots=True)
class Window:
    """Some minutes of every week; `start` counts from Monday's midnight."""

    start: int
    minutes: int

    def meets(self, other: "Window") -> bool:
        """Tell whether a minute is in both, also over the end of the week."""
        ahead = (other.start - self.start) % MINUTES_OF_A_WEEK
        behind = (self.start - other.start) % MINUTES_OF_A_WEEK
        return ahead < self.minutes or behind < other.minutes


def read_backup_window(text: str) -> tuple[Window, ...]:
    """Return when backups are made, one window for each day.

    Raises:
        ValueError: It is no such window, or too short a one.
    """
    match = BACKUP.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no window of a day, such as {BACKUP_WINDOW}")
    start, end = _minutes(*match.group(1, 2)), _minutes(*match.group(3, 4))
    length = _long_enough(text, (end - start) % MINUTES_OF_A_DAY)
    return tuple(Window(day * MINUTES_OF_A_DAY + start, length) for day in range(len(DAYS)))


def read_maintenance_window(text: str) -> Window:
    """Return when a database may be restarted.

    Raises:
        ValueError: It is no such window, or too short a one.
    """
    match = MAINTENANCE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no window of a week, such as {MAINTENANCE_WINDOW}")
    first, last = (DAYS.index(day) * MINUTES_OF_A_DAY for day in match.group(1, 4))
    start, end = first + _minutes(*match.group(2, 3)), last + _minutes(*match.group(5, 6))
    return Window(start, _long_enough(text, (end - start) % MINUTES_OF_A_WEEK))


def _minutes(hours: str, minutes: str) -> int:
    return int(hours) * 60 + int(minutes)


def _long_enough(text: str, minutes: int) -> int:
    if minutes < SHORTEST_MINUTES:
        raise ValueError(f"{text} has {minutes} minutes: AWS wants {SHORTEST_MINUTES} at least")
    return minutes
