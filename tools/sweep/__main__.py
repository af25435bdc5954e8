"""Execute a chapter with many combinations of its parameters, and collect its figures.

usage: python -m tools.sweep SECTION --grid "lr=0.01,0.1,0.5 batch_size=64,256" [--seeds N]
           [-p NAME VALUE]... [--jobs N] [--output FOLDER]

The figures are those that tests/course/bands.yml knows. Started again, it executes only what is
missing or has failed, and what the chapter has changed since.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import nbformat

from tools.course import BUILD, choose, read, section, title
from tools.run.__main__ import (
    add_cluster_options,
    at_least_one,
    check_names,
    exclusive_use_of,
    on_cluster,
    stop_on_signals,
)
from tools.run.batch import Run, execute_all
from tools.run.done import BEFORE, inputs, recall
from tools.run.limits import Limits
from tools.sweep.grid import Point, parse, points
from tools.sweep.results import Row, figures_of, write_all
from tools.terminal import ToolError, printable, run_tool

EXAMPLE = 'make sweep SECTION=4.4 GRID="lr=0.01,0.1,0.5 batch_size=64,256" SEEDS=3'


@dataclass(kw_only=True)
class SweepRun(Run):
    """A run of one chapter, with other parameters each time."""

    points: dict[Path, Point]

    def parameters_of(self, notebook: Path) -> dict[str, str]:
        return {**self.parameters, **dict(self.points[notebook].values)}


def seeds(text: str) -> int:
    if int(text) < 0:
        raise argparse.ArgumentTypeError(f"got {text}, expected how many seeds")
    return int(text)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("section", metavar="SECTION", help="such as 4.4")
    parser.add_argument("--grid", default="", help='such as "lr=0.01,0.1 batch_size=64,256"')
    parser.add_argument(
        "--seeds", type=seeds, default=0, metavar="N", help="repeat each with so many seeds"
    )
    parser.add_argument("-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"))
    parser.add_argument("--jobs", type=at_least_one, default=2, help="notebooks at a time")
    parser.add_argument("--output", type=Path, default=BUILD / "sweep", help="folder for results")
    parser.add_argument("--time-limit", type=float, default=Limits.seconds, help="seconds for each")
    parser.add_argument(
        "--fresh", action="store_true", help="start Python for each, in place of forking it"
    )
    add_cluster_options(parser)
    return parser.parse_args()


def main() -> int:
    options = read_options()
    if not options.section:
        raise ToolError(f"Say which chapter, and what to try: {EXAMPLE}")
    (chapter,) = choose([options.section])
    wanted = points(parse(options.grid), options.seeds)
    if len(wanted) == 1:
        raise ToolError(f"One combination is no sweep. Give several values: {EXAMPLE}")
    parameters = dict(options.p)
    swept = dict(wanted[0].values)
    check_names({**parameters, **swept}, [chapter])
    if twice := ", ".join(sorted({*parameters} & {*swept})):
        raise ToolError(f"{twice} stands in the grid and in -p: leave out one of them.")
    folder = options.output.resolve() / section(chapter)
    sources = folder / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    by_file = {sources / f"{point.name}.ipynb": point for point in wanted}
    limits = Limits(seconds=options.time_limit)
    run = SweepRun(folder / "notebooks", parameters, sources, limits, points=by_file)
    run.own_folders, run.preload, run.resume = True, not options.fresh, True
    with (
        exclusive_use_of(folder),
        on_cluster(options) as run.cluster,
        stop_on_signals(run.stop),
    ):
        rows = execute(run, chapter, options.jobs)
        write_all(rows, title(read(chapter)), folder)
    failed = [row for row in rows if row.status != "ok"]
    print(f"\n{len(rows) - len(failed)} of {len(rows)} combinations are done")
    print(f"Table, picture and notebooks: {printable(str(folder / 'index.html'))}")
    return int(bool(failed))


def execute(run: SweepRun, chapter: Path, jobs: int) -> list[Row]:
    """Execute the combinations that are not done yet; return what is known of all."""
    for file in run.points:
        nbformat.write(read(chapter), file)
    results = execute_all(run, list(run.points), jobs, run.folder.parent / "report.json")
    by_name = {result.notebook: result for result in results}
    rows = []
    for file, point in run.points.items():
        output = run.folder / file.name
        # A sweep that was stopped may not have come to what an earlier one had done.
        result = by_name.get(file.name) or recall(output, inputs(run, file))
        row = Row(point, "missing")
        if result:
            row.status = result.status
            row.message = "" if result.message == BEFORE else result.message
        if output.exists():
            row.notebook = output
        if row.status == "ok":
            row.figures = figures_of(section(chapter), read(output))
        rows.append(row)
    return rows


if __name__ == "__main__":
    run_tool(main)
