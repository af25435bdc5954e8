"""The whole course in full, as `make run` executes it, and a second time: once a week."""

import json
import re
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

from tools.compare import repeat
from tools.course import BUILD, NOTEBOOKS, ROOT, chapters, read, section, stated_seconds

pytestmark = pytest.mark.weekly


@pytest.fixture(scope="module")
def course():
    """Execute all chapters with papermill, as `make run` does; return exit status and report.

    Each starts Python anew, as it does for a learner: the stated times are theirs.
    """
    folder = BUILD / "test-course"
    command = [sys.executable, "-m", "tools.run", "--fresh", "--output", str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    results = {r["notebook"]: r for r in json.loads((folder / "report.json").read_text())}
    return run, results


def test_every_chapter_runs(course):
    run, results = course
    assert run.returncode == 0, run.stdout
    assert sorted(results) == [path.name for path in chapters()]
    for path in chapters():
        assert re.search(rf"^{re.escape(section(path))} +\d+\.\d +\d+  ok$", run.stdout, re.M)


def test_the_stated_times_are_within_a_factor_of_two(course):
    """Of the measured ones, once the speed of this machine is taken out."""
    _, results = course
    ratios = {
        path: results[path.name]["seconds"] / stated_seconds(read(path)) for path in chapters()
    }
    machine = max(1, median(ratios.values()))
    wrong = {
        section(path): f"states {stated_seconds(read(path)):.0f} s, takes {ratio / machine:.2f} x"
        for path, ratio in ratios.items()
        if not 0.5 <= ratio / machine <= 2
    }
    assert not wrong, f"on this machine everything takes {machine:.2f} x as long"


@pytest.mark.parametrize("path", chapters(), ids=section)
def test_executing_it_again_changes_nothing_but_what_may_vary(path, course):
    _, results = course
    assert repeat(Path(results[path.name]["output"]), NOTEBOOKS) == []
