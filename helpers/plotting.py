"""Figures: sharp in a notebook, the same bytes at every run, and no warning without a display."""

from collections.abc import Sequence
from functools import cache
from itertools import count
from typing import Any

import torch

from helpers._internal.svg import to_svg

LINE_STYLES = ("-", "--", "-.", ":")
PAGE_WIDTH = 9.0  # inches


@cache
def pyplot() -> Any:
    """Import matplotlib's pyplot, have its figures shown as SVG, and return it."""
    from matplotlib import pyplot as plt

    use_svg_display()
    return plt


def use_svg_display() -> None:
    """Show figures as SVG in a notebook. Outside a notebook this changes nothing."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        from matplotlib.figure import Figure
        from matplotlib_inline import backend_inline

        backend_inline.set_matplotlib_formats("svg")  # and no PNG beside it
        formatter = shell.display_formatter.formatters["image/svg+xml"]
        formatter.for_type(Figure, lambda figure: to_svg(figure, bbox_inches="tight"))


def set_figsize(figsize: tuple[float, float] = (3.5, 2.5)) -> None:
    """Set the size of the next figures: width and height in inches."""
    use_svg_display()
    pyplot().rcParams["figure.figsize"] = figsize


def set_axes(
    axes: Any,
    xlabel: str | None,
    ylabel: str | None,
    xlim: Sequence[float] | None,
    ylim: Sequence[float] | None,
    xscale: str,
    yscale: str,
    legend: Sequence[str] | None,
) -> None:
    """Set labels, limits, scales, legend and a grid on matplotlib `axes`.

    A limit of None is left to matplotlib, an empty `legend` shows none.
    """
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.set_xscale(xscale)
    axes.set_yscale(yscale)
    if xlim is not None:
        axes.set_xlim(xlim)
    if ylim is not None:
        axes.set_ylim(ylim)
    if legend:
        axes.legend(legend)
    axes.grid(True)


def plot(
    X: Any,
    Y: Any = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    legend: Sequence[str] = [],
    xlim: Sequence[float] | None = None,
    ylim: Sequence[float] | None = None,
    xscale: str = "linear",
    yscale: str = "linear",
    fmts: Sequence[str] = ("-", "m--", "g-.", "r:"),
    figsize: tuple[float, float] = (3.5, 2.5),
    axes: Any = None,
) -> None:
    """Plot one or several lines (introduced in section 2.4 of the book).

    Args:
        X: the abscissae of one line, shape (n,), or a list of such; alone, it is taken as Y.
        Y: the ordinates of one line, shape (n,), or a list of such, with one X for all or one each.
        fmts: matplotlib formats of the first lines; further ones differ in style and colour.
        axes: matplotlib axes to draw on, which are cleared first; by default the current ones.

    Raises:
        ValueError: when there are neither one nor as many X as Y.
    """
    X, Y = ([[]], _as_lines(X)) if Y is None else (_as_lines(X), _as_lines(Y))
    if len(X) == 1:
        X = X * len(Y)
    if len(X) != len(Y):
        raise ValueError(
            f"got {len(X)} lists of x for {len(Y)} lines: give one for all lines, or one for each"
        )
    set_figsize(figsize)
    axes = pyplot().gca() if axes is None else axes
    axes.cla()
    for i, x, y in zip(count(), X, Y, strict=False):
        fmt = fmts[i] if i < len(fmts) else LINE_STYLES[i % len(LINE_STYLES)]
        axes.plot(*([x, y] if len(x) else [y]), fmt)
    set_axes(axes, xlabel, ylabel, xlim, ylim, xscale, yscale, legend)


def _as_lines(values: Any) -> list:
    """Return a list of one-dimensional sequences, whether one line or several were given."""
    values = _as_array(values)
    one_line = getattr(values, "ndim", None) == 1 or not hasattr(values[0], "__len__")
    return [_as_array(line) for line in ([values] if one_line else values)]


def _as_array(values: Any) -> Any:
    """Return a tensor as an array that matplotlib can draw, anything else as it is."""
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values


def show_images(
    imgs: Any,
    num_rows: int,
    num_cols: int,
    titles: Sequence[str] | None = None,
    scale: float = 1.5,
) -> Any:
    """Show images in a grid and return its axes, shape (num_rows * num_cols,) (section 4.2).

    Args:
        imgs: grey images, each of shape (h, w), or colour images (h, w, 3): tensors or arrays.
            Those that find no place in the grid are not shown; places left over stay blank.
        titles: one line above each image.
        scale: width and height of a place in the grid, in inches; less where a row would become
            wider than a page.
    """
    use_svg_display()
    scale = min(scale, PAGE_WIDTH / num_cols)
    figsize = (num_cols * scale, num_rows * scale)
    _, grid = pyplot().subplots(num_rows, num_cols, figsize=figsize, squeeze=False)
    grid = grid.flatten()
    for axes in grid:
        axes.axis("off")
    for i, axes, image in zip(count(), grid, imgs, strict=False):
        axes.imshow(_as_array(image))
        if titles is not None and i < len(titles):
            axes.set_title(titles[i])
    return grid
