"""Pictures that people look at, drawn from plain data."""

import io
from collections.abc import Sequence

from corral.domain.timeline import Span

COLOURS = {"done": "#2f6f4f", "failed": "#b3412e"}


def draw_timeline(title: str, spans: Sequence[Span]) -> bytes:
    """Return a PNG with one bar for each stage, from the first begin on, with its seconds."""
    # Every flow loads this module, few draw: matplotlib is half a second of a flow's start.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    origin = min(span.begin for span in spans)
    figure = Figure(figsize=(10, 1.2 + 0.42 * len(spans)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for row, span in enumerate(spans):
        begin, length = (span.begin - origin).total_seconds(), span.length.total_seconds()
        axes.barh(row, max(length, 0.2), left=begin, height=0.62, color=COLOURS[span.outcome])
        place = (begin + length, row)
        axes.annotate(f"{length:.0f} s", place, (4, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(spans)), [span.name for span in spans])
    axes.invert_yaxis()
    axes.margins(x=0.08)
    axes.set_xlabel("seconds since the first stage began")
    axes.set_title(title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.3)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    return picture.getvalue()
