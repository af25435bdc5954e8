import math

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import compare
from tools.sweep import results
from tools.sweep.grid import Point
from tools.sweep.results import Row


def row(text, **figures):
    values = tuple(tuple(word.split("=")) for word in text.split())
    return Row(Point(values), "ok", figures=figures)


ROWS = [
    row("lr=0.1 seed=0", accuracy=0.5),
    row("lr=0.1 seed=1", accuracy=0.7),
    row("lr=1 seed=0", accuracy=math.nan),
    Row(Point((("lr", "1"), ("seed", "1"))), "failed", "ValueError: <no>, really"),
]


@pytest.mark.parametrize(
    ("pattern", "label"),
    [
        ("val_acc: (.*) at epoch 10", "val_acc: … at epoch 10"),
        (r"error: tensor\(\[(.*)\]\)", "error: tensor([…])"),
        (r"\n5 +(0\.\d+) +0\.", "5 … 0."),
        ("rolls: +([0-9.]+), ", "rolls: …,"),
    ],
)
def test_a_figure_is_named_by_its_pattern_in_a_readable_form(pattern, label):
    assert results.label(pattern) == label


def test_figures_are_found_in_outputs_and_numbered_if_there_are_several(monkeypatch):
    monkeypatch.setattr(compare, "bands", lambda _: {})
    monkeypatch.setattr(results, "bands", lambda _: {"loss: (.*)": [0, 1], "none: (.*)": [0, 1]})
    cell = new_code_cell(outputs=[new_output("stream", text="loss: 0.5\nloss: 0.25\n")])
    found = results.figures_of("9.9", new_notebook(cells=[cell]))
    assert found == {"loss: … (1)": 0.5, "loss: … (2)": 0.25}


def test_the_seeds_of_a_point_are_one_spread():
    (spread,) = results.spreads(ROWS).values()
    assert spread["accuracy"] == results.Spread(pytest.approx(0.6), 0.5, 0.7, 2)


def test_the_table_has_every_point_also_one_that_failed():
    lines = results.table(ROWS).splitlines()
    assert lines[0] == "lr,seed,status,message,accuracy,notebook"
    assert lines[1] == "0.1,0,ok,,0.5,"
    assert lines[4] == '1,1,failed,"ValueError: <no>, really",,'


def test_the_picture_has_the_same_bytes_each_time_and_stands_without_any_figure():
    assert results.picture(ROWS) == results.picture(ROWS)
    assert results.picture([ROWS[3]]).startswith(b"<?xml")


def test_an_axis_is_made_for_what_is_varied():
    values = [Point((("a", "1"), ("b", "x"))), Point((("a", "1"), ("b", "y")))]
    assert results.varied(values) == "b"
    assert results.positions(["x", "y"]) == {"x": 0, "y": 1}
    assert results.positions(["0.5", "1e-3"]) == {"0.5": 0.5, "1e-3": 0.001}
    assert results.positions(["1", "inf"]) == {"1": 0, "inf": 1}


def test_the_page_shows_what_was_found_and_obeys_no_message(tmp_path):
    results.write_all(ROWS, "9.9 A test", tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "0.6\n(0.5 to 0.7)" in page
    assert "ValueError: &lt;no&gt;, really" in page
