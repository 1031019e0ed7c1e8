"""Times as auto scaling takes them: cron of five fields.

Source: Amazon EC2 Auto Scaling user guide, "Scheduled scaling", recurring schedules.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

ITEM = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[0-9]{1,2}))?")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class Field:
    """What one of the fields may say; `names` stand for the numbers from `low` on."""

    what: str
    low: int
    high: int
    names: Sequence[str] = ()

    def takes(self, text: str) -> bool:
        """Tell whether a field may say this: items with commas between."""
        return all(self._takes_item(item) for item in text.lower().split(","))

    def _takes_item(self, item: str) -> bool:
        match = ITEM.fullmatch(item)
        if not match or match["step"] in ("0", "00"):
            return False
        first = self._number(match["first"] or str(self.low))
        last = self._number(match["last"]) if match["last"] else first
        return self.low <= first <= last <= self.high

    def _number(self, text: str) -> int:
        """Return what a number or a name stands for, -1 if nothing."""
        if text in self.names:
            return self.low + self.names.index(text)
        return int(text) if re.fullmatch("[0-9]{1,2}", text) else -1


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 0, 6, DAYS),
)


def check_cron(text: str) -> str:
    """Return the text if auto scaling takes it.

    Raises:
        ValueError: It has another number of fields, or fields that say nothing; all are named.
    """
    parts = text.split(" ")
    if len(parts) != len(FIELDS):
        raise ValueError(f"{text!r} has not the five fields of cron, such as 0 22 * * *")
    wrong = [
        f"{part!r} is no {field.what} ({field.low} to {field.high})"
        for field, part in zip(FIELDS, parts, strict=True)
        if not field.takes(part)
    ]
    if wrong:
        raise ValueError(", ".join(wrong))
    return text
