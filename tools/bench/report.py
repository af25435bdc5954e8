"""Makes a table, a picture and a verdict of what was measured."""

import json
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import distributions, version
from pathlib import Path
from statistics import median

import torch

from helpers.plotting import to_svg
from tools.bench.rows import BARE, D2L, HELPERS, Row

Samples = dict[str, dict[str, list[float]]]  # by row and side, in the order of the rounds

SECTION = re.compile(r"(?<=<!-- bench -->\n).*(?=<!-- end of bench -->)", re.DOTALL)
HEAD = ["", "bare loop", "helpers", "ratio", "at most", "", "d2l 1.0.3", "ratio"]
COMMAND = "make bench ARGS=--docs"


@dataclass
class Summary:
    """What a row says: medians by side, and helpers against its bounds."""

    row: Row
    medians: dict[str, float]
    ratios: list[float]  # of helpers to the bare loop, by round
    d2l_ratio: float | None  # of d2l to the bare loop
    gain: float | None  # of helpers over d2l
    verdict: str  # "holds", "misses", or nothing where there is no bound


def ratios(samples: dict[str, list[float]], side: str, base: str) -> list[float]:
    """Ratios of two sides, round by round; one may have been measured in fewer rounds."""
    pairs = zip(samples.get(side, []), samples.get(base, []), strict=False)
    return [a / b for a, b in pairs]


def summarize(row: Row, samples: dict[str, list[float]]) -> Summary:
    """Hold the medians of a row against its bounds."""
    medians = {side: median(values) for side, values in samples.items() if values}
    to_bare = ratios(samples, HELPERS, BARE)
    d2l_to_bare, gains = ratios(samples, D2L, BARE), ratios(samples, D2L, HELPERS)
    gain = median(gains) if gains else None
    holds = []
    if row.most_ratio is not None:
        holds.append(median(to_bare) <= row.most_ratio)
    if row.most is not None:
        holds.append(medians[HELPERS] <= row.most)
    if row.least_gain is not None and gain is not None:
        holds.append(gain >= row.least_gain)
    verdict = ("holds" if all(holds) else "misses") if holds else ""
    d2l_ratio = median(d2l_to_bare) if d2l_to_bare else None
    return Summary(row, medians, to_bare, d2l_ratio, gain, verdict)


def number(value: float | None, unit: str = "") -> str:
    """Three significant digits, and a dash for what was not measured."""
    if value is None:
        return "–"
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}{unit}"


def bounds(row: Row) -> str:
    """The bounds of a row in words."""
    words = []
    if row.most_ratio is not None:
        words.append(f"{row.most_ratio:g} ×")
    if row.most is not None:
        words.append(f"{row.most:g} {row.unit}")
    if row.least_gain is not None:
        words.append(f"1/{row.least_gain:g} of d2l")
    return ", ".join(words) or "–"


def cells(summary: Summary, why_no_d2l: str) -> list[str]:
    """One line of the table."""
    row, unit = summary.row, f" {summary.row.unit}"
    values = [number(summary.medians.get(side), unit) for side in (BARE, HELPERS, D2L)]
    if why_no_d2l and D2L in row.sides:
        values[2] = why_no_d2l
    ratio = "–"
    if summary.ratios:
        lowest, highest = min(summary.ratios), max(summary.ratios)
        ratio = f"{median(summary.ratios):.2f} ({lowest:.2f} to {highest:.2f})"
    own = [row.what, values[0], values[1], ratio, bounds(row), summary.verdict]
    return [*own, values[2], number(summary.d2l_ratio)]


def table(summaries: Sequence[Summary], why_no_d2l: str = "") -> str:
    """The table in Markdown, aligned so that a terminal shows it well."""
    lines = [HEAD, *(cells(summary, why_no_d2l) for summary in summaries)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines.insert(1, rule)
    return "\n".join(
        "| "
        + " | ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        + " |"
        for line in lines
    )


def facts(d2l_folder: Path, rounds: int, d2l_rounds: int) -> dict:
    """What the numbers depend on."""
    names = ("torch", "torchvision", "matplotlib", "numpy", "pandas", "ipykernel")
    packages = distributions(path=[str(d2l_folder)]) if d2l_rounds else []
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in names},
        **{package.name: package.version for package in packages},
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "date": date.today().isoformat(),
        "rounds": rounds,
        "d2l rounds": d2l_rounds,
    }


def caption(facts: dict) -> str:
    """Say in a sentence how the table was made."""
    n, m = facts["rounds"], facts["d2l rounds"]
    return (
        f"Medians of {n} rounds (d2l: {m}), lowest to highest ratio in brackets; "
        f"torch {facts['torch']} on {facts['threads']} of {facts['cores']} cores, "
        f"Python {facts['python']}, matplotlib {facts['matplotlib']}, {facts['date']}."
    )


def advice(summaries: Sequence[Summary], rounds: int) -> str:
    """Say what to do about rows that keep their ratio in some rounds and miss it in others."""
    doubtful = [
        summary.row.name
        for summary in summaries
        if summary.row.most_ratio and min(summary.ratios) <= summary.row.most_ratio
        if median(summary.ratios) > summary.row.most_ratio
    ]
    if not doubtful:
        return ""
    names = " ".join(doubtful)
    return (
        f"In some rounds within the bound: {names}. If the machine had other work, measure again "
        f'with more of them: make bench ARGS="--rounds {3 * rounds} {names}"'
    )


def write_json(path: Path, samples: Samples, summaries: Sequence[Summary], facts: dict) -> None:
    """Keep every value that was measured, with what it depends on."""
    verdicts = {summary.row.name: summary.verdict for summary in summaries}
    rows = [asdict(summary.row) for summary in summaries]
    content = {**facts, "verdicts": verdicts, "rows": rows, "samples": samples}
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_docs(path: Path, table: str, facts: dict) -> None:
    """Renew the part of docs/speed.md between its marks."""
    picture = (
        "![Bars: how many times as long as a bare PyTorch loop each job takes, with helpers and "
        "with d2l, as in the table.](pictures/bench.svg)"
    )
    section = f"\n{table}\n\n{picture}\n\n*As `{COMMAND}` measured it. {caption(facts)}*\n\n"
    text = path.read_text(encoding="utf-8")
    path.write_text(SECTION.sub(lambda _: section, text), encoding="utf-8")


def picture(summaries: Sequence[Summary]) -> str:
    """Bars of the ratios to the bare loop, on a logarithmic axis, as SVG."""
    from matplotlib.figure import Figure

    shown = [summary for summary in summaries if summary.ratios]
    fig = Figure(figsize=(7, 1 + 0.5 * len(shown)), layout="constrained")
    axes = fig.add_subplot(xscale="log")
    sides: dict[str, list[float | None]] = {
        "helpers": [median(summary.ratios) for summary in shown],
        "d2l 1.0.3": [summary.d2l_ratio for summary in shown],
    }
    for i, (label, values) in enumerate(sides.items()):
        measured = {y + 0.4 * i: value for y, value in enumerate(values) if value is not None}
        if not measured:
            continue
        beyond = [value - 1 for value in measured.values()]  # the loop's own time
        axes.barh(list(measured), beyond, left=1, height=0.38, color=f"C{i}", label=label)
        for y, value in measured.items():
            axes.text(max(value, 1) * 1.06, y, number(value, " ×"), va="center")
    longest = max([1, *(value for values in sides.values() for value in values if value)])
    axes.set_xlim(0.7, 3 * longest)  # with room for the number beside the bar
    axes.set_yticks([y + 0.2 for y in range(len(shown))], [s.row.what for s in shown])
    axes.invert_yaxis()
    axes.axvline(1, color="black", lw=1)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("time, in multiples of the bare PyTorch loop's")
    fig.legend(loc="outside upper right", ncols=2)
    return to_svg(fig, title="Time of each job in multiples of the bare PyTorch loop's")
