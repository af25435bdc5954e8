"""A chart that grows while a model trains (section 3.2)."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from helpers._internal.live import Live
from helpers._internal.style import use_style
from helpers._internal.svg import to_svg
from helpers.devices import to_floats
from helpers.oop import HyperParameters
from helpers.plotting import pyplot, set_axes

if TYPE_CHECKING:
    import pandas


class Point(NamedTuple):
    """One point of a series."""

    x: float
    y: float


class ProgressBoard(HyperParameters):
    """Plots series of points in one place of a notebook's output, while they are being made.

    Outside a notebook the points are kept and nothing is drawn.

    Args:
        xlabel, ylabel, xlim, ylim, xscale, yscale: as in matplotlib.
        ls, colors: line styles and colours, taken in turn so that no two series look the same.
        fig, axes: matplotlib figure and axes to draw on instead of the board's own.
        figsize: width and height in inches.
        display: False keeps the points without ever drawing them.

    Attributes:
        data: the points of each series, by its label.
        raw_points: the points that wait to be replaced by their mean.
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
        self.xlabel, self.xlim = xlabel, xlim
        self.fig, self.axes = fig, axes
        self.data: dict[str, list[Point]] = {}
        self.raw_points: dict[str, list[tuple[float, float | torch.Tensor]]] = {}
        self._lines: dict[str, Any] = {}
        self._live = Live(self)

    def draw(self, x: float, y: float | torch.Tensor, label: str, every_n: int = 1) -> list[float]:
        """Add the point (x, y) to the series `label`; y may be a scalar tensor on any device.

        Every `every_n` points are replaced by their mean, which smooths a noisy loss. Returns the
        values that have become a point in this call: none while more of them are collected.
        """
        raw = self.raw_points.setdefault(label, [])
        raw.append((float(x), y.detach() if isinstance(y, torch.Tensor) else float(y)))
        line = self.data.setdefault(label, [])
        if len(raw) < every_n:
            return []
        xs, ys = [x for x, _ in raw], to_floats([y for _, y in raw])
        line.append(Point(sum(xs) / len(xs), sum(ys) / len(ys)))
        raw.clear()
        if self.display:
            self._live.point_added()
        return ys

    def finish(self) -> None:
        """Draw the last state, where the code runs now; Trainer.fit does so at its end."""
        if self.display:
            self._live.finish()

    def clear(self) -> None:
        """Draw the last state, then forget all points, to start a new chart."""
        self._live.end_cell()
        self.raw_points.clear()
        self.data.clear()
        for line in self._lines.values():
            line.remove()
        self._lines.clear()

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
        return to_svg(self.fig, title=repr(self))

    def _take_figure(self) -> None:
        """Use the figure and axes that were given, or make them."""
        if self.axes is not None:
            self.fig = self.axes.figure
        elif self.fig is None:
            from matplotlib.figure import Figure

            use_style()
            self.fig = Figure(figsize=self.figsize)
            # Fixed margins: fitting them to the labels would take as long as the drawing itself.
            left = 0.27 if self.ylabel else 0.2
            self.fig.subplots_adjust(left=left, right=0.93, top=0.95, bottom=0.19)
        if self.axes is None:
            self.axes = self.fig.add_subplot()
        if "matplotlib.pyplot" in sys.modules:  # which would show the figure a second time
            pyplot().close(self.fig)

    def _style(self, i: int) -> dict[str, str]:
        """Combine colours and line styles so that 16 series differ with four of each."""
        turn, color = divmod(i, len(self.colors))
        return {"color": self.colors[color], "ls": self.ls[(i + turn) % len(self.ls)]}
