"""Measure helpers side by side with a bare PyTorch loop and with d2l.

usage: python -m tools.bench [--rounds N] [--d2l-rounds N] [--docs] [ROW...]

All sides run in turn, in real kernels and with the board on. What counts is the ratio of their
times: absolute times differ from machine to machine and from hour to hour. The exit status is 1
when a row misses its bound.
"""

import argparse
from collections import defaultdict

from tools.bench import d2l, report
from tools.bench.measure import D2L_FOLDER, Bench
from tools.bench.rows import D2L, ROWS, Row
from tools.course import BUILD, ROOT
from tools.data import write_raw_files
from tools.terminal import ToolError, run_tool

SPEED = ROOT / "docs" / "speed.md"
PICTURE = ROOT / "docs" / "pictures" / "bench.svg"


def choose(names: list[str]) -> list[Row]:
    """The rows of the given names, or all."""
    known = {row.name: row for row in ROWS}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ToolError(f"No row {', '.join(unknown)}. There are: {', '.join(known)}")
    return [row for row in ROWS if not names or row.name in names]


def measure(rows: list[Row], rounds: int, d2l_rounds: int) -> report.Samples:
    """Measure all sides of all rows in turn, so that a machine that slows down slows all."""
    tasks = [
        (row, side)
        for i in range(rounds)
        for row in rows
        for side in row.sides
        if side != D2L or i < d2l_rounds
    ]
    samples: report.Samples = defaultdict(lambda: defaultdict(list))
    with Bench(BUILD / "bench") as bench:
        for i, (row, side) in enumerate(tasks, start=1):
            value = bench.measure(row, side)
            samples[row.name][side].append(value)
            print(f"[{i}/{len(tasks)}] {row.name} {side}: {value:.2f} {row.unit}", flush=True)
    return samples


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ", ".join(row.name for row in ROWS)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{names}; default: all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--d2l-rounds", type=int, default=1, help="of the slow d2l")
    parser.add_argument(
        "--docs", action="store_true", help="write table and picture for docs/speed.md"
    )
    options = parser.parse_args()
    rows = choose(options.rows)
    if options.docs and options.rows:
        parser.error("docs/speed.md shows all rows: choose none")

    source = write_raw_files(BUILD / "bench" / "data")
    if source == "sample":
        raise ToolError(
            "The bounds are for all 60,000 images, and only the sample is here: `make data`."
        )
    why_no_d2l = d2l.install(D2L_FOLDER) if options.d2l_rounds else "not measured"
    d2l_rounds = 0 if why_no_d2l else options.d2l_rounds
    print(f"Measuring {len(rows)} rows, {options.rounds} rounds …", flush=True)
    samples = measure(rows, options.rounds, d2l_rounds)

    summaries = [report.summarize(row, samples[row.name]) for row in rows]
    facts = report.facts(D2L_FOLDER, options.rounds, d2l_rounds)
    table = report.table(summaries, why_no_d2l)
    print(f"\n{table}\n{report.caption(facts)}")
    if advice := report.advice(summaries, options.rounds):
        print(advice)
    report.write_json(BUILD / "bench.json", samples, summaries, facts)
    picture = report.picture(summaries)
    (BUILD / "bench.svg").write_text(picture, encoding="utf-8")
    if options.docs:
        PICTURE.write_text(picture, encoding="utf-8")
        report.write_docs(SPEED, table, facts)
    return 1 if any(summary.verdict == "misses" for summary in summaries) else 0


if __name__ == "__main__":
    run_tool(main)
