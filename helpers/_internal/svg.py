"""Figures as SVG: sharp in a notebook, and the same bytes for the same figure."""

import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Ids inside an SVG are random, and its head holds the date, unless both are fixed.
SETTINGS: Any = {"svg.hashsalt": "helpers", "svg.fonttype": "path"}
METADATA = {"Date": None, "Creator": None}


def to_svg(figure: "Figure", title: str | None = None, **options: Any) -> str:
    """Return a matplotlib figure as an SVG picture, the same bytes for the same figure.

    `options` are those of `Figure.savefig`; `title` is for readers who do not see the picture.
    """
    import matplotlib as mpl

    picture = io.StringIO()
    metadata = {**METADATA, "Title": title} if title else METADATA
    with mpl.rc_context(SETTINGS):
        figure.savefig(picture, format="svg", metadata=metadata, **options)
    # A notebook stores every line of an output as a string: one line takes half the space.
    return re.sub(r"\n\s*", " ", picture.getvalue()).replace("base64, ", "base64,")
