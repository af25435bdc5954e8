"""Figures as SVG: sharp in a notebook, the same bytes for the same figure, and told in words."""

import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Ids inside an SVG are random, and its head holds the date, unless both are fixed.
SETTINGS: Any = {"svg.hashsalt": "helpers", "svg.fonttype": "path"}
METADATA = {"Date": None, "Creator": None}


def to_svg(figure: "Figure", title: str | None = None, **options: Any) -> str:
    """Return a matplotlib figure as an SVG picture, the same bytes for the same figure.

    `title` is for readers who do not see the picture; by default it is made from what the picture
    says in words. `options` are those of `Figure.savefig`.
    """
    import matplotlib as mpl

    picture = io.StringIO()
    metadata = {**METADATA, "Title": title or describe(figure)}
    with mpl.rc_context(SETTINGS):
        figure.savefig(picture, format="svg", metadata=metadata, **options)
    # A notebook stores every line of an output as a string: one line takes half the space.
    return re.sub(r"\n\s*", " ", picture.getvalue()).replace("base64, ", "base64,")


def describe(figure: "Figure") -> str:
    """Return what a figure says in words: its titles, the labels of its axes, and its legends."""
    suptitle = figure.get_suptitle()
    parts = [suptitle] if suptitle else []
    parts += [text for axes in figure.axes if (text := describe_axes(axes))]
    return plain(". ".join(parts)) or "A picture without a title"


def describe_axes(axes: "Axes") -> str:
    """Return what one of the axes of a figure says in words."""
    x, y, legend = axes.get_xlabel(), axes.get_ylabel(), axes.get_legend()
    shown = f"{y} over {x}" if x and y else x or y
    lines = ", ".join(text.get_text() for text in legend.get_texts()) if legend else ""
    return ": ".join(part for part in (axes.get_title(), shown, lines) if part)


def plain(text: str) -> str:
    """Return a text in one line, without the marks of formulas."""
    return " ".join(text.replace("$", "").replace("\\", "").split())
