"""What a sweep has found: a table, a picture, and a page that leads to each notebook."""

import csv
import io
import math
import re
import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
import nbformat
from jinja2 import Environment, FileSystemLoader
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tools.compare import bands, figures
from tools.sweep.grid import Point

PANELS_IN_A_ROW = 3
LOGARITHMIC = 20  # the ratio of the largest to the smallest value from which an axis is logarithmic
PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("pages")), autoescape=True, trim_blocks=True
)


@dataclass
class Row:
    """What became of a point: its notebook, and the figures in it by their names."""

    point: Point
    status: str  # as in tools.run.batch.Result, or "missing"
    message: str = ""
    notebook: Path | None = None
    figures: dict[str, float] = field(default_factory=dict)


@dataclass
class Spread:
    """A figure over the seeds of a point."""

    mean: float
    low: float
    high: float
    count: int


def figures_of(section: str, notebook: nbformat.NotebookNode) -> dict[str, float]:
    """The figures of an executed chapter that bands.yml knows, by their patterns' readable form."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    found = {}
    for pattern in bands(section):
        numbers = figures(pattern, outputs)
        for i, number in enumerate(numbers):
            found[label(pattern) + (f" ({i + 1})" if len(numbers) > 1 else "")] = number
    return found


def label(pattern: str) -> str:
    """A pattern with an ellipsis for what it finds: "val_acc: …" for "val_acc: (.*)"."""
    text = re.sub(r"(?<!\\)\(.*?(?<!\\)\)", "…", pattern)
    text = re.sub(r"\.\*|\[0-9\.\]\+| \+|\\[nSsdw][+*]?", " ", text)
    return " ".join(re.sub(r"\\(.)", r"\1", text).split())


def spreads(rows: list[Row]) -> dict[Point, dict[str, Spread]]:
    """The figures of points that differ in their seed only, together."""
    together: dict[Point, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for name, number in row.figures.items():
            if not math.isnan(number):
                together[row.point.without("seed")][name].append(number)
    return {
        point: {
            name: Spread(statistics.fmean(numbers), min(numbers), max(numbers), len(numbers))
            for name, numbers in of_point.items()
        }
        for point, of_point in together.items()
    }


def table(rows: list[Row]) -> str:
    """The rows as CSV: parameters, status, message, figures, notebook."""
    parameters = list(dict.fromkeys(name for row in rows for name, _ in row.point.values))
    names = list(dict.fromkeys(name for row in rows for name in row.figures))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*parameters, "status", "message", *names, "notebook"])
    for row in rows:
        values = dict(row.point.values)
        writer.writerow(
            [
                *(values.get(name, "") for name in parameters),
                *(row.status, row.message),
                *(row.figures.get(name, "") for name in names),
                row.notebook.name if row.notebook else "",
            ]
        )
    return text.getvalue()


def picture(rows: list[Row]) -> bytes:
    """Each figure over the first parameter with several values, a line for each of the others.

    With several seeds a line is their mean, in a band from the smallest to the largest. The same
    rows give the same bytes of SVG.
    """
    means = spreads(rows)
    names = list(dict.fromkeys(name for of_point in means.values() for name in of_point))
    columns = min(PANELS_IN_A_ROW, max(1, len(names)))
    lines = max(1, math.ceil(len(names) / columns))
    with matplotlib.rc_context({"svg.hashsalt": "sweep"}):
        figure = Figure(figsize=(4.5 * columns, 3.2 * lines), layout="constrained")
        panels = figure.subplots(lines, columns, squeeze=False).flat
        for panel in panels:
            panel.set_visible(False)
        for panel, name in zip(figure.axes, names, strict=False):
            panel.set_visible(True)
            draw(panel, name, {p: s[name] for p, s in means.items() if name in s})
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def draw(panel: Axes, name: str, found: dict[Point, Spread]) -> None:
    """Draw one figure."""
    across = varied(list(found))
    lines: dict[Point, list[tuple[str, Spread]]] = defaultdict(list)
    for point, spread in found.items():
        lines[point.without(across)].append((dict(point.values).get(across, ""), spread))
    ticks = list(dict.fromkeys(value for line in lines.values() for value, _ in line))
    places = positions(ticks)
    for rest, line in lines.items():
        x = [places[value] for value, _ in line]
        text = ", ".join(f"{name} {value}" for name, value in rest.values)
        panel.plot(x, [spread.mean for _, spread in line], marker="o", label=text)
        low, high = ([getattr(s, end) for _, s in line] for end in ("low", "high"))
        panel.fill_between(x, low, high, alpha=0.2)
    numbers = list(places.values())
    if min(numbers) > 0 and max(numbers) >= LOGARITHMIC * min(numbers):
        panel.set_xscale("log")
    panel.set_xticks(numbers, ticks)
    panel.minorticks_off()
    panel.set(xlabel=across, title=name)
    if len(lines) > 1:
        panel.legend()


def varied(found: list[Point]) -> str:
    """The first parameter with several values, or the first, or no name if there is none."""
    values: dict[str, set[str]] = defaultdict(set)
    for point in found:
        for name, value in point.values:
            values[name].add(value)
    return next((n for n, v in values.items() if len(v) > 1), next(iter(values), ""))


def positions(values: list[str]) -> dict[str, float]:
    """Where values stand on an axis: numbers at themselves, others one beside the other."""
    try:
        numbers = {value: float(value) for value in values}
    except ValueError:
        numbers = {}
    if numbers and all(map(math.isfinite, numbers.values())):
        return numbers
    return {value: float(i) for i, value in enumerate(values)}


def write_all(rows: list[Row], title: str, folder: Path) -> None:
    """Write results.csv, results.svg and index.html, which shows both."""
    (folder / "results.csv").write_text(table(rows), encoding="utf-8")
    drawn = picture(rows)
    (folder / "results.svg").write_bytes(drawn)
    means = spreads(rows)
    names = list(dict.fromkeys(name for row in rows for name in row.figures))
    page = PAGES.get_template("index.html").render(
        title=title,
        rows=rows,
        names=names,
        means=means if any(s.count > 1 for of in means.values() for s in of.values()) else {},
    )
    (folder / "index.html").write_text(page, encoding="utf-8")
