"""Say which exercises of a notebook are solved, and what is wrong with the others.

usage: python -m tools.grading.check FILE

It is graded as a teacher would grade it, without a network; the cells for answers alone count, so
a function that an answer uses has to stand in the same cell.
"""

import argparse
import tempfile
from pathlib import Path

from tools.grading.grader import Grader
from tools.grading.submissions import read_submission
from tools.run.__main__ import stop_on_signals
from tools.run.sandbox import obstacle
from tools.terminal import ToolError, printable, run_tool


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, metavar="FILE", help="your copy of a chapter")
    path = parser.parse_args().file
    if not path.is_file():
        raise ToolError(f"There is no file {printable(str(path))!r}: make check FILE=work/4.4-…")
    submission = read_submission(path.absolute(), path.absolute().parent)
    if submission.problem:
        raise ToolError(f"{printable(str(path))} cannot be checked: {submission.problem}")
    with tempfile.TemporaryDirectory() as folder:
        # It is the learner's own code, so where there is no sandbox, it is executed without one.
        grader = Grader(Path(folder), isolated=not obstacle())
        with stop_on_signals(grader.stop):
            (graded,) = grader.grade([submission])
    if not graded.verdicts:
        raise ToolError(f"Not checked: {graded.submission.problem}")
    print()
    for verdict in graded.verdicts:
        mark = "solved" if verdict.solved else "open  "
        print(f"{mark}  {verdict.exercise.title}")
        if not verdict.solved:
            print(f"        {verdict.sentence}")
    for note in submission.notes:
        print(f"Note: {note}")
    print(
        f"{sum(v.solved for v in graded.verdicts)} of {len(graded.verdicts)} exercises are solved"
    )
    return int(not all(verdict.solved for verdict in graded.verdicts))


if __name__ == "__main__":
    run_tool(main)
