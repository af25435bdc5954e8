"""The figures that training produces are held to tests/course/bands.yml.

The root conftest.py does so wherever nbval executes a chapter; here the bands themselves are held
against the committed outputs.
"""

import re
import subprocess
import sys

import pytest
import yaml
from nbformat.v4 import new_output

from tools import compare
from tools.course import ROOT, chapters, read, section


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def test_each_band_holds_a_committed_figure():
    """A pattern that finds nothing would hold nothing."""
    for path in chapters():
        committed = outputs(read(path))
        for pattern in compare.bands(section(path)):
            assert compare.figures(pattern, committed), f"{path.name}: nothing matches {pattern!r}"
        assert compare.outside_bands(section(path), committed) == []


def test_each_band_belongs_to_a_chapter():
    stated = set(yaml.safe_load(compare.BANDS.read_text(encoding="utf-8")))
    assert stated <= {section(path) for path in chapters()}, "a section in bands.yml has no chapter"


@pytest.fixture
def one_band(monkeypatch):
    monkeypatch.setattr(compare, "bands", lambda of_section: {"accuracy: (.*)": [0.8, 0.9]})


def printed(text):
    return [new_output("stream", name="stdout", text=text)]


def test_a_figure_outside_its_band_is_named_with_what_was_expected(one_band):
    assert compare.outside_bands("9.9", printed("accuracy: 0.85\n")) == []
    assert compare.outside_bands("9.9", printed("accuracy: 0.79\nloss: 5")) == [
        "accuracy: 0.79, expected 0.8 to 0.9 (bands.yml)"
    ]
    assert compare.outside_bands("9.9", printed("accuracy: nan")) != []


def test_nbval_fails_a_cell_whose_figure_is_outside(tmp_path, write_notebook):
    """In a process of its own, on a notebook that is named like a chapter with bands."""
    all_bands = yaml.safe_load(compare.BANDS.read_text(encoding="utf-8"))
    number, pattern, (low, high) = next(
        (number, pattern, band)
        for number, of_chapter in all_bands.items()
        for pattern, band in of_chapter.items()
        if "\\" not in pattern
    )
    inside, outside = (f"print({pattern.replace('(.*)', str(n))!r})" for n in (low, high + 1))
    path = tmp_path / f"{number}-test.ipynb"
    write_notebook(path, inside, outside)
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "--rootdir", ".", "-q"]
    options = ["-p", "conftest", "-p", "no:cacheprovider", "--nbval-lax", str(path)]
    run = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True)
    assert f"expected {low:g} to {high:g} (bands.yml)" in run.stdout
    assert "1 failed, 2 passed" in run.stdout


def test_each_section_stands_once():
    """YAML itself would keep the last of two without a word."""
    text = compare.BANDS.read_text(encoding="utf-8")
    sections = re.findall(r'^"([\d.]+)":$', text, re.MULTILINE)
    assert sections == sorted(set(sections), key=lambda name: [*map(int, name.split("."))])
