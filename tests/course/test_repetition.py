"""Executing a chapter again changes nothing but what may vary, byte for byte.

Here three chapters, with little data; once a week all of them in full, in test_run.py.
"""

import pytest

from tools import course, refresh
from tools.compare import differences, repeat

CHAPTERS = {
    "0.1": {"max_epochs": 1},
    "2.2": {"num_houses": 100},
    "4.4": {"max_epochs": 1, "limit": 1000},
}


@pytest.mark.parametrize("number", CHAPTERS)
def test_executing_it_again_changes_nothing(number, chapter, run_notebooks, tmp_path):
    path = chapter(number)
    options = [word for name, value in CHAPTERS[number].items() for word in ("-p", name, value)]
    assert run_notebooks(number, *options, "--output", tmp_path) == 0
    assert repeat(tmp_path / "notebooks" / path.name, course.NOTEBOOKS) == []


def test_an_output_that_differs_is_found(write_notebook, tmp_path):
    write_notebook(tmp_path / "1.1-a.ipynb", "print(1)", "import random; print(random.random())")
    one, other = (refresh.execute(course.read(tmp_path / "1.1-a.ipynb"), tmp_path) for _ in "ab")
    assert differences(one, other) == ["import random; print(random.random())"]
    other.cells[-1].metadata.tags = one.cells[-1].metadata.tags = ["timing"]
    assert differences(one, other) == []
