"""What a benchmark comes to: a figure, beside the one that was promised."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured figure and its promise.

    `unit` follows the value, as ` s`; a ratio has none. `made_of` stands before it and says what it
    was calculated from.
    """

    what: str
    value: float
    promised: float
    unit: str = ""
    made_of: str = ""
    at_least: bool = False

    @property
    def is_kept(self) -> bool:
        """Whether the promise is kept."""
        if self.at_least:
            return self.value >= self.promised
        return self.value <= self.promised

    def __str__(self) -> str:
        """One line of the report."""
        found = " ".join(filter(None, [self.made_of, f"{self.value:.2f}{self.unit}"]))
        bound = "at least" if self.at_least else "at most"
        verdict = "kept" if self.is_kept else "MISSED"
        return f"{self.what}: {found}, promised {bound} {self.promised:g}{self.unit}: {verdict}"


def ratio(what: str, ours_s: float, theirs_s: float, promised: float) -> Figure:
    """Return the figure of a time that is a share of another one's."""
    made_of = f"{ours_s:.1f} s against {theirs_s:.1f} s, ratio"
    return Figure(what, ours_s / theirs_s, promised, made_of=made_of)
