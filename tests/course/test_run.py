"""The whole course, executed: what `make run` does, and that a second execution gives the same."""

import json
import re
import subprocess
import sys
from statistics import median

import nbformat
import pytest

from tools import refresh
from tools.course import BUILD, ROOT, VARIES, chapters, read, section, stated_seconds, tags

PATHS = chapters()
each_chapter = pytest.mark.parametrize("path", PATHS, ids=section)


@pytest.fixture(scope="module")
def course():
    """Execute all chapters with papermill, as `make run` does; return exit status and report."""
    folder = BUILD / "test-course"
    command = [sys.executable, "-m", "tools.run", "--output", str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    results = {r["notebook"]: r for r in json.loads((folder / "report.json").read_text())}
    return run, results


def test_every_chapter_runs(course):
    run, results = course
    assert run.returncode == 0, run.stdout
    assert sorted(results) == [path.name for path in PATHS]
    for path in PATHS:
        assert re.search(rf"^{re.escape(section(path))} +\d+\.\d +\d+  ok$", run.stdout, re.M)


def test_the_stated_times_are_within_a_factor_of_two(course):
    """Of the measured ones, once the speed of this machine is taken out."""
    _, results = course
    ratios = {path: results[path.name]["seconds"] / stated_seconds(read(path)) for path in PATHS}
    machine = max(1, median(ratios.values()))
    wrong = {
        section(path): f"states {stated_seconds(read(path)):.0f} s, takes {ratio / machine:.2f} x"
        for path, ratio in ratios.items()
        if not 0.5 <= ratio / machine <= 2
    }
    assert not wrong, f"on this machine everything takes {machine:.2f} x as long"


@each_chapter
def test_executing_it_again_changes_nothing_but_what_may_vary(path, course):
    """Papermill's run against that of `make refresh`, byte for byte."""
    _, results = course
    papermill = nbformat.read(results[path.name]["output"], as_version=4)
    again = refresh.execute(path)
    for one, other in zip(papermill.cells, again.cells, strict=True):
        if other.cell_type == "code" and not tags(other) & VARIES:
            assert joined(one.outputs) == joined(other.outputs), other.source


def joined(outputs):
    """Return the outputs with neighbouring pieces of printed text as one."""
    pieces = []
    for output in outputs:
        if pieces and output.output_type == "stream" and pieces[-1].get("name") == output.name:
            pieces[-1].text += output.text
        else:
            pieces.append(output)
    return pieces
