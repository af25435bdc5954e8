"""Grade what students handed in: points, feedback for each of them, and a report on the class.

usage: python -m tools.grading [--jobs N] [--output FOLDER] [--gradebook FILE] [--fresh]
           [--resume] SUBMITTED

SUBMITTED has a folder for each student, as nbgrader collects them, or all files side by side. Only
cells for answers are taken from what was handed in. Each is put into our own chapter, and executed
in a sandbox without a network, where no chapter, no solution and no other student's work is seen.
"""

import argparse
import os
import shutil
from dataclasses import replace
from pathlib import Path

from tools.course import BUILD, chapters
from tools.grading import gradebook, report
from tools.grading.grader import LIMITS, SHORT, Graded, Grader
from tools.grading.submissions import find
from tools.run.__main__ import (
    add_cluster_options,
    at_least_one,
    check_names,
    exclusive_use_of,
    on_cluster,
    stop_on_signals,
)
from tools.run.sandbox import obstacle
from tools.terminal import ToolError, printable, run_tool

WORK = ".grading"  # in the folder for the results; of use for --resume only
NO_SANDBOX = (
    "What students handed in is executed only in a sandbox, and there can be none here: {problem}. "
    "On Linux, install bubblewrap (Debian and Ubuntu: `sudo apt-get install bubblewrap`). If you "
    "trust all of it with your account, add TRUST=1."
)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("submitted", type=Path, metavar="SUBMITTED", help="a folder")
    parser.add_argument("--jobs", type=at_least_one, default=2, help="submissions at a time")
    parser.add_argument("--output", type=Path, default=BUILD / "grades", help="folder for results")
    parser.add_argument("--gradebook", type=Path, metavar="FILE", help="nbgrader's, to add to")
    parser.add_argument("--trust", action="store_true", help="execute without a sandbox")
    parser.add_argument(
        "--time-limit", type=float, default=LIMITS.seconds, help="seconds for one submission"
    )
    parser.add_argument(
        "--cell-limit", type=at_least_one, default=LIMITS.cell_seconds, help="seconds for one cell"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="start Python for each, in place of forking it"
    )
    parser.add_argument("--resume", action="store_true", help="go on where grading was stopped")
    add_cluster_options(parser)
    parser.add_argument("-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"))
    return parser.parse_args()


def main() -> int:
    options = read_options()
    if not str(options.submitted).strip(" ."):
        raise ToolError("Say what to grade: make grade SUBMITTED=folder")
    problem = "" if options.trust or options.cluster else obstacle()
    if problem:
        raise ToolError(NO_SANDBOX.format(problem=printable(problem)))
    submissions = find(options.submitted)
    folder = options.output.resolve()
    if options.submitted.resolve() in (folder, *folder.parents):
        raise ToolError("The results would lie among the submissions: give another --output.")
    check_names(dict(options.p), chapters())
    folder.mkdir(parents=True, exist_ok=True)
    work = folder / WORK
    parameters = {**SHORT, **dict(options.p)}
    limits = replace(LIMITS, seconds=options.time_limit, cell_seconds=options.cell_limit)
    grader = Grader(
        work,
        not options.trust,
        parameters,
        limits,
        options.jobs,
        preload=not options.fresh,
        resume=options.resume,
    )
    with (
        exclusive_use_of(folder),
        on_cluster(options) as grader.cluster,
        stop_on_signals(grader.stop),
    ):
        if not options.resume:
            shutil.rmtree(work, ignore_errors=True)
        graded = grader.grade(submissions)
        report.write_all(graded, folder)
        if options.gradebook:
            gradebook.write(graded, options.gradebook)
    print(f"\n{summary(graded)}\n\nPoints, feedback and report: {printable(str(folder))}")
    return int(any(not entry.verdicts for entry in graded))


def summary(graded: list[Graded]) -> str:
    """A line for each notebook."""
    lines = []
    for entry in sorted(graded, key=lambda entry: entry.submission.name):
        name = printable(entry.submission.name)
        if entry.verdicts:
            lines.append(f"{name}: {entry.points:g} of {entry.possible:g} points")
        else:
            file = printable(os.path.basename(entry.submission.path))
            lines.append(f"{name}: {file} is not graded: {entry.submission.problem}")
    return "\n".join(lines)


if __name__ == "__main__":
    run_tool(main)
