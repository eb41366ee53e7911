"""
Owns the white card that every picture stands on: fonts, inks, and output that is the same for the same data.

matplotlib is imported when a picture is drawn, not before: it costs most of a command's start-up.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["GRID", "INK", "MUTED", "draw"]

INK = "#1b1f24"
MUTED = "#50555d"
GRID = "#8a9099"
"""Lines that carry meaning: 3.2:1 on white (WCAG 1.4.11)."""

_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
_DOTS_PER_INCH = 144


def draw(width_in: float, height_in: float, paint: Callable[[Axes], None]) -> bytes:
    """
    Draw on a white card of that size in inches; return it as PNG.
    """
    import matplotlib as mpl  # noqa: PLC0415
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(width_in, height_in), facecolor="white", layout="constrained")
        FigureCanvasAgg(figure)
        paint(figure.add_subplot(facecolor="white"))
        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
    return png.getvalue()
