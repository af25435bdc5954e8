"""`python -m tools.sweep`: what it executes, what it executes again, and what it refuses."""

import csv
import re
import sys

import pytest

from tools import course
from tools.sweep import __main__ as sweep
from tools.sweep import results
from tools.terminal import ToolError

pytestmark = pytest.mark.usefixtures("one_fork_server")


@pytest.fixture
def chapter(tmp_path, write_notebook, monkeypatch):
    """Write a chapter 9.9, which fails for lr = 2, and ends its kernel for lr = 3."""
    path = tmp_path / "chapters" / "9.9-test.ipynb"
    path.parent.mkdir()
    parameters = "seed = 0  # a seed\nlr = 1  # learning rate"
    end = "import os\nif lr == 3:\n    os._exit(1)"
    write_notebook(path, "print('loss:', 1 / (2 - lr) + seed)", end, parameters=parameters)
    monkeypatch.setattr(course, "chapters", lambda: [path])
    monkeypatch.setattr(results, "bands", lambda _: {"loss: (.*)": [0, 1]})
    return path


@pytest.fixture
def start(monkeypatch, tmp_path):
    """Return a function that calls `python -m tools.sweep` with arguments."""

    def call(*arguments):
        output = ["--output", str(tmp_path / "out")]
        monkeypatch.setattr(sys, "argv", ["sweep", *map(str, arguments), *output])
        return sweep.main()

    return call


def rows(folder):
    return list(csv.DictReader((folder / "out" / "9.9" / "results.csv").open()))


def test_a_sweep_collects_figures_and_goes_on_where_it_stopped(
    chapter, start, tmp_path, capsys, write_notebook
):
    assert start("9.9", "--grid", "lr=1,2,1.5") == 1
    assert [(r["lr"], r["status"], r["loss: …"]) for r in rows(tmp_path)] == [
        ("1", "ok", "1.0"),
        ("2", "failed", ""),
        ("1.5", "ok", "2.0"),
    ]
    assert rows(tmp_path)[1]["message"] == "ZeroDivisionError: division by zero"
    assert rows(tmp_path)[1]["notebook"] == "lr=2.ipynb"  # as far as it came
    capsys.readouterr()

    assert start("9.9", "--grid", "lr=1,2,1.5", "--jobs", "1") == 1
    out = capsys.readouterr().out
    assert sorted(re.findall(r"(lr=\S+)\.ipynb .* ok: done before", out)) == ["lr=1", "lr=1.5"]
    assert [r["message"] for r in rows(tmp_path)] == ["", rows(tmp_path)[1]["message"], ""]

    (tmp_path / "out/9.9/notebooks/lr=1.ipynb").write_text("{")  # somebody changed it
    assert start("9.9", "--grid", "lr=1,1.5") == 0
    assert len(re.findall("done before", capsys.readouterr().out)) == 1
    assert [r["loss: …"] for r in rows(tmp_path)] == ["1.0", "2.0"]

    write_notebook(chapter, "print('loss: 7')", parameters="seed = 0\nlr = 1")
    assert start("9.9", "--grid", "lr=1,1.5") == 0
    assert [r["loss: …"] for r in rows(tmp_path)] == ["7.0", "7.0"]


def test_a_sweep_that_is_stopped_at_once_keeps_what_was_done(chapter, start, tmp_path, monkeypatch):
    assert start("9.9", "--grid", "lr=1,1.5") == 0
    monkeypatch.setattr(sweep, "execute_all", lambda *_: [])
    assert start("9.9", "--grid", "lr=1,1.5,1.6") == 1
    assert [(r["status"], r["loss: …"]) for r in rows(tmp_path)] == [
        ("ok", "1.0"),
        ("ok", "2.0"),
        ("missing", ""),
    ]


def test_what_was_cut_off_is_executed_again(chapter, start, tmp_path, capsys):
    """papermill calls the cell complete in which a kernel ended."""
    assert start("9.9", "--grid", "lr=1,3") == 1
    assert [r["status"] for r in rows(tmp_path)] == ["ok", "failed"]
    capsys.readouterr()
    assert start("9.9", "--grid", "lr=1,3") == 1
    out = capsys.readouterr().out
    assert "lr=1.ipynb  " in out.split("done before")[0]
    assert out.count("done before") == 1


def test_other_parameters_are_another_sweep(chapter, start, tmp_path, capsys):
    assert start("9.9", "--grid", "lr=1,1.5") == 0
    assert start("9.9", "--grid", "lr=1,1.5", "-p", "seed", "3") == 0
    assert [r["loss: …"] for r in rows(tmp_path)] == ["4.0", "5.0"]
    assert start("9.9", "--seeds", "2") == 0
    assert [(r["seed"], r["loss: …"]) for r in rows(tmp_path)] == [("0", "1.0"), ("1", "2.0")]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["", "--grid", "lr=1,2"], "Say which chapter"),
        (["9.8", "--grid", "lr=1,2"], "No chapter '9.8'. There are: 9.9"),
        (["9.9"], "One combination is no sweep"),
        (["9.9", "--grid", "lr=1"], "One combination is no sweep"),
        (["9.9", "--grid", "rate=1,2"], "No chapter has a parameter rate. There are: lr, seed"),
        (["9.9", "--grid", "lr=1,2", "-p", "lr", "3"], "lr stands in the grid and in -p"),
    ],
)
def test_what_makes_no_sense_is_refused(chapter, start, arguments, sentence):
    with pytest.raises(ToolError, match=sentence):
        start(*arguments)
