"""Figures: sharp in a notebook, the same bytes at every run, and no warning without a display."""

from collections.abc import Sequence
from functools import cache
from itertools import count
from typing import Any

import numpy as np
import torch

from helpers._internal.style import LINE_STYLES, use_style
from helpers._internal.svg import describe, to_svg

PAGE_WIDTH = 9.0  # inches


@cache
def pyplot() -> Any:
    """Import matplotlib's pyplot, have its figures shown as SVG, and return it."""
    from matplotlib import pyplot as plt

    use_style()
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
        words = shell.display_formatter.formatters["text/plain"]
        words.for_type(Figure, lambda figure, printer, cycle: printer.text(describe(figure)))


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
    if legend is not None and len(legend):
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
        X: the abscissae of one line, shape (n,) or (n, 1), or a list of such; alone, it is taken
            as Y. Tensors on any device, arrays, Series, lists of numbers or of scalar tensors.
        Y: the ordinates of one line, or a list of such, with one X for all or one each. The rows
            of a matrix are lines, and so are the columns of a DataFrame.
        fmts: matplotlib formats of the first lines; further ones differ in style and colour.
        axes: matplotlib axes to draw on, which are cleared first; by default the current ones.

    Raises:
        ValueError: when there are neither one nor as many X as Y, or a number in place of a list.
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
    """Return a list of one-dimensional arrays, whether one line or several were given."""
    if hasattr(values, "columns"):  # a DataFrame: a line for each column
        return [_as_array(values[name]) for name in values.columns]
    if not hasattr(values, "ndim") and not hasattr(values, "__iter__"):
        raise ValueError(f"got the number {values!r}, expected a list of them: a line has points")
    array = _as_array(values if hasattr(values, "ndim") else list(values))
    if isinstance(array, list):  # of lines, which may have different lengths
        return [_as_line(line) for line in array]
    is_column = array.ndim == 2 and array.shape[1] == 1
    return [array.reshape(-1)] if array.ndim < 2 or is_column else [_as_line(a) for a in array]


def _as_line(values: Any) -> Any:
    array = _as_array(values if hasattr(values, "ndim") else list(values))
    return array.reshape(-1) if hasattr(array, "reshape") else array


def _as_array(values: Any) -> Any:
    """Return an array that matplotlib can draw; of a list of lines, the list."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        return (values.float() if values.dtype == torch.bfloat16 else values).numpy()
    if isinstance(values, list):
        if any(hasattr(value, "__len__") and getattr(value, "ndim", 1) for value in values):
            return values
        return np.array([v.item() if isinstance(v, torch.Tensor) else v for v in values])
    return np.asarray(values)


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
        axes.imshow(np.asarray(_as_array(image)))
        if titles is not None and i < len(titles):
            axes.set_title(titles[i])
    return grid
