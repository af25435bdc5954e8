"""A chart that grows while a model trains (section 3.2)."""

import math
import os
import sys
import time
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from helpers.oop import HyperParameters
from helpers.plotting import pyplot, set_axes, to_svg

if TYPE_CHECKING:
    import pandas

DRAWING_SHARE = 0.02  # of the time that passes
FIRST_DRAWING = 1.0  # seconds after a cell's first point


class Point(NamedTuple):
    """One point of a series."""

    x: float
    y: float


class ProgressBoard(HyperParameters):
    """Plots series of points in one place of a notebook's output, while they are being made.

    Drawing takes about 2 % of the time that passes; the last state is drawn when the cell ends.
    Outside a notebook the points are kept and nothing is drawn. With the environment variable
    HELPERS_BOARD=last, only the last state is drawn, once.

    Args:
        xlabel, ylabel, xlim, ylim, xscale, yscale: as in matplotlib.
        ls, colors: line styles and colours, taken in turn so that no two series look the same.
        fig, axes: matplotlib figure and axes to draw on instead of the board's own.
        figsize: width and height in inches.
        display: False keeps the points without ever drawing them.
    """

    def __init__(
        self,
        xlabel: str | None = None,
        ylabel: str | None = None,
        xlim: Sequence[float] | None = None,
        ylim: Sequence[float] | None = None,
        xscale: str = "linear",
        yscale: str = "linear",
        ls: Sequence[str] = ["-", "--", "-.", ":"],
        colors: Sequence[str] = ["C0", "C1", "C2", "C3"],
        fig: Any = None,
        axes: Any = None,
        figsize: tuple[float, float] = (3.5, 2.5),
        display: bool = True,
    ) -> None:
        self.save_hyperparameters()
        self.raw_points: dict[str, list[Point]] = {}
        self.data: dict[str, list[Point]] = {}
        self._lines: dict[str, Any] = {}
        self._display_id: str | None = None
        self._next_drawing: float | None = None

    def clear(self) -> None:
        """Draw the last state, then forget all points, to start a new chart."""
        if self._next_drawing is not None:
            self._end_cell()
        self.raw_points.clear()
        self.data.clear()
        for line in self._lines.values():
            line.remove()
        self._lines.clear()

    def draw(self, x: float, y: float, label: str, every_n: int = 1) -> None:
        """Add the point (x, y) to the series `label`.

        Every `every_n` points are replaced by their mean, which smooths a noisy loss.
        """
        raw = self.raw_points.setdefault(label, [])
        raw.append(Point(float(x), float(y)))
        line = self.data.setdefault(label, [])
        if len(raw) < every_n:
            return
        xs, ys = zip(*raw, strict=True)
        line.append(Point(sum(xs) / len(raw), sum(ys) / len(raw)))
        raw.clear()
        if self.display:
            self._show_when_due()

    def to_frame(self) -> "pandas.DataFrame":
        """Return the points as a DataFrame with a row for each and columns `label`, `x`, `y`."""
        import pandas as pd

        rows = [(label, *point) for label, line in self.data.items() for point in line]
        return pd.DataFrame(rows, columns=["label", "x", "y"])

    def __repr__(self) -> str:
        """State where each series ends, rounded so that it is the same on every machine."""
        lines = [
            f"{label}: {line[-1].y:.2g} at {self.xlabel or 'x'} {line[-1].x:.3g}"
            for label, line in self.data.items()
            if line
        ]
        return "\n".join(lines) or "ProgressBoard without points"

    def to_svg(self) -> str:
        """Return the chart as an SVG picture whose title is the board's plain-text form."""
        self._update_figure()
        return to_svg(self.fig, title=repr(self))

    def _update_figure(self) -> None:
        if not self._lines:
            self._take_figure()
        for i, (label, line) in enumerate(self.data.items()):
            if label not in self._lines:
                (self._lines[label],) = self.axes.plot([], [], label=label, **self._style(i))
            self._lines[label].set_data([p.x for p in line], [p.y for p in line])
        self.axes.relim()
        self.axes.autoscale()
        limits, scales = (self.xlim, self.ylim), (self.xscale, self.yscale)
        set_axes(self.axes, self.xlabel, self.ylabel, *limits, *scales, legend=None)
        self.axes.legend(handles=list(self._lines.values()))

    def _take_figure(self) -> None:
        """Use the figure and axes that were given, or make them."""
        if self.axes is not None:
            self.fig = self.axes.figure
        elif self.fig is None:
            from matplotlib.figure import Figure

            self.fig = Figure(figsize=self.figsize)
            # Fixed margins: fitting them to the labels would take as long as the drawing itself.
            left = 0.27 if self.ylabel else 0.2
            self.fig.subplots_adjust(left=left, right=0.97, top=0.95, bottom=0.19)
        if self.axes is None:
            self.axes = self.fig.add_subplot()
        if "matplotlib.pyplot" in sys.modules:  # which would show the figure a second time
            pyplot().close(self.fig)

    def _style(self, i: int) -> dict[str, str]:
        """Combine colours and line styles so that 16 series differ with four of each."""
        turn, color = divmod(i, len(self.colors))
        return {"color": self.colors[color], "ls": self.ls[(i + turn) % len(self.ls)]}

    def _show_when_due(self) -> None:
        if self._next_drawing is None:
            self._next_drawing = self._start_cell()
        if time.perf_counter() < self._next_drawing:
            return
        start = time.perf_counter()
        self._show()
        now = time.perf_counter()
        self._next_drawing = now + (now - start) / DRAWING_SHARE

    def _start_cell(self) -> float:
        """Have the last state drawn when the cell ends; return when to draw for the first time."""
        shell = _notebook_shell()
        if shell is None:
            return math.inf
        shell.events.register("post_run_cell", self._end_cell)
        last_only = os.environ.get("HELPERS_BOARD") == "last"
        return math.inf if last_only else time.perf_counter() + FIRST_DRAWING

    def _end_cell(self, *_: Any) -> None:
        shell = _notebook_shell()
        if shell is not None:
            shell.events.unregister("post_run_cell", self._end_cell)
            self._show()
        self._display_id = self._next_drawing = None

    def _show(self) -> None:
        from IPython.display import display, update_display

        picture = {"image/svg+xml": self.to_svg(), "text/plain": repr(self)}
        if self._display_id is None:
            self._display_id = uuid.uuid4().hex
            display(picture, raw=True, display_id=self._display_id)
        else:
            update_display(picture, raw=True, display_id=self._display_id)


def _notebook_shell() -> Any:
    """Return the IPython shell of the notebook that this runs in, or None elsewhere."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    shell = get_ipython()
    return shell if hasattr(shell, "kernel") else None
