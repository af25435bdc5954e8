"""`python -m tools.run`: what it runs, what it refuses, and what it says."""

import json
import sys
from pathlib import Path

import nbformat
import pytest
from filelock import FileLock
from nbformat.v4 import new_code_cell, new_notebook

from tools import course
from tools.run import __main__ as run
from tools.run.progress import Progress
from tools.terminal import ToolError


@pytest.fixture(scope="module")
def batch(tmp_path_factory, write_notebook, run_notebooks):
    """Run two of three chapters, one of which fails; return the folder and the status."""
    folder = tmp_path_factory.mktemp("batch")
    sources = {"1-bad": "1 / 0", "2-good": "seed * 2", "3-other": "1"}
    paths = [folder / f"{name}.ipynb" for name in sources]
    for path, source in zip(paths, sources.values(), strict=True):
        write_notebook(path, "print(seed)", source)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(course, "chapters", lambda: paths)
        status = run_notebooks("--output", folder / "out", "1", "2", "-p", "seed", "21")
    return folder, status


def results(folder):
    report = json.loads((folder / "out" / "report.json").read_text())
    return {r["section"]: r for r in report}


def outputs(result):
    notebook = nbformat.read(result["output"], as_version=4)
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def test_a_failing_notebook_does_not_stop_the_others(batch):
    folder, status = batch
    assert status == 1
    bad, good = results(folder)["1"], results(folder)["2"]
    assert bad["status"] == "failed"
    assert bad["message"] == "ZeroDivisionError: division by zero"
    assert any(output.get("text") == "21\n" for output in outputs(bad))
    assert any(output.get("ename") == "ZeroDivisionError" for output in outputs(bad))
    assert good["status"] == "ok"
    assert good["peak_mb"] > 30


def test_parameters_reach_the_notebook(batch):
    folder, _ = batch
    assert outputs(results(folder)["2"])[-1]["data"]["text/plain"] == "42"


def test_only_the_chosen_sections_are_run(batch):
    folder, _ = batch
    assert set(results(folder)) == {"1", "2"}


def test_a_folder_of_other_notebooks_can_be_run(run_notebooks, write_notebook, tmp_path, capsys):
    """What an earlier run left is no result of this one."""
    write_notebook(tmp_path / "1-a.ipynb", "1")
    (tmp_path / "2-b.ipynb").write_text("hello")
    left = tmp_path / "out" / "notebooks" / "2-b.ipynb"
    left.parent.mkdir(parents=True)
    write_notebook(left, "from an earlier run")
    options = ["--notebooks", tmp_path, "--output", tmp_path / "out", "--jobs", "1", "--trust"]
    assert run_notebooks(*options) == 1
    assert {s: r["status"] for s, r in results(tmp_path).items()} == {"1": "ok", "2": "failed"}
    assert not left.exists()
    assert results(tmp_path)["2"]["output"] == ""
    out = capsys.readouterr().out
    assert "[2/2] 2-b.ipynb" in out
    assert "as far as it came" not in out


@pytest.mark.parametrize("switch", [[], ["--fresh"]])
def test_kernels_take_no_ports_that_others_may_take_as_well(
    run_notebooks, write_notebook, tmp_path, switch, monkeypatch
):
    """But sockets, whose names must not be long, although that of the folder for them is."""
    temporary = tmp_path / ("long" * 20)
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    look = "import json, ipykernel\nfile = ipykernel.get_connection_file()"
    write_notebook(tmp_path / "1-a.ipynb", f"{look}\njson.load(open(file))['transport']", "file")
    write_notebook(tmp_path / "2-b.ipynb", "1")
    options = ["--notebooks", tmp_path, "--output", tmp_path / "out", "--trust", "--jobs", "1"]
    assert run_notebooks(*options, *switch) == 0
    transport, file = [o["data"]["text/plain"] for o in outputs(results(tmp_path)["1"])]
    assert transport == "'ipc'"
    assert not Path(file.strip("'")).parent.exists()  # any more


def test_a_line_of_millions_of_characters_is_kept(run_notebooks, write_notebook, tmp_path):
    """A pattern that looks for its end from each of its characters would take hours."""
    write_notebook(tmp_path / "1-a.ipynb", "print('x' * 9 * 2**20)")
    options = ["--notebooks", tmp_path, "--output", tmp_path / "out", "--time-limit", "60"]
    assert run_notebooks(*options, "--trust") == 0
    assert len(outputs(results(tmp_path)["1"])[-1]["text"]) == 9 * 2**20 + 1


@pytest.fixture
def start(monkeypatch, tmp_path, write_notebook):
    """Return a function that starts a run of one chapter, 1.1."""
    write_notebook(tmp_path / "1.1-a.ipynb", "1")
    monkeypatch.setattr(course, "chapters", lambda: [tmp_path / "1.1-a.ipynb"])

    def start_run(*options: str):
        monkeypatch.setattr(sys, "argv", ["run", "--output", str(tmp_path / "out"), *options])
        return run.main()

    return start_run


def test_an_unknown_parameter_is_refused_by_name_with_those_that_exist(start):
    with pytest.raises(ToolError, match=r"No chapter has a parameter sed\. There are: seed"):
        start("-p", "sed", "1")


def test_an_unknown_section_is_refused(start):
    with pytest.raises(ToolError, match=r"No chapter '9'\. There are: 1.1"):
        start("9")


def test_a_folder_must_have_notebooks(start, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ToolError, match=r"No file in .* ends in \.ipynb"):
        start("--notebooks", str(tmp_path / "empty"))


def test_results_never_replace_the_notebooks_themselves(start, tmp_path, write_notebook):
    folder = tmp_path / "out" / "notebooks"
    folder.mkdir(parents=True)
    write_notebook(folder / "a.ipynb", "1")
    with pytest.raises(ToolError, match="would replace the notebooks"):
        start("--notebooks", str(folder))
    assert (folder / "a.ipynb").exists()


def test_a_second_run_into_the_same_folder_is_refused(start, tmp_path):
    (tmp_path / "out").mkdir()
    with FileLock(tmp_path / "out" / ".lock"), pytest.raises(ToolError, match="Another run"):
        start()


KERNELS = {
    "own": {
        "kernelspec": {"name": "conda-env-d2l-py", "display_name": "d2l", "language": "python"}
    },
    "none": {},
    "r": {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}},
}


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory, run_notebooks):
    """Run what students hand in: any kernel, an old format, files beside, a folder for each."""
    folder = tmp_path_factory.mktemp("handed_in")
    code = new_code_cell("print(open('data.txt').read()); import own_module")
    for name, metadata in KERNELS.items():
        (folder / name).mkdir()
        nbformat.write(new_notebook(cells=[code], metadata=metadata), folder / name / "ps1.ipynb")
        (folder / name / "data.txt").write_text(f"the data of {name}")
        (folder / name / "own_module.py").write_text("print('imported')")
    cell = {"cell_type": "code", "collapsed": False, "input": ["print('old')"],
            "language": "python", "metadata": {}, "outputs": []}  # fmt: skip
    old = {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0,
           "worksheets": [{"cells": [cell]}]}  # fmt: skip
    (folder / "old.ipynb").write_text(json.dumps(old))
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "old.ipynb").write_text("{}")
    status = run_notebooks("--notebooks", folder, "--output", folder / "out", "--trust")
    report = json.loads((folder / "out" / "report.json").read_text())
    return folder, status, {r["notebook"]: r for r in report}


def text_of(result):
    return "".join(output.get("text", "") for output in outputs(result))


@pytest.mark.parametrize("name", ["own", "none"])
def test_a_notebook_runs_whatever_kernel_it_names_with_what_lies_beside_it(handed_in, name):
    _, _, report = handed_in
    assert report[f"{name}/ps1.ipynb"]["status"] == "ok"
    assert text_of(report[f"{name}/ps1.ipynb"]) == f"the data of {name}\nimported\n"


def test_an_old_format_is_upgraded(handed_in):
    _, _, report = handed_in
    assert text_of(report["old.ipynb"]) == "old\n"


def test_another_language_is_named(handed_in):
    _, status, report = handed_in
    assert status == 1
    assert report["r/ps1.ipynb"]["message"] == "it is written in R; only Python is executed"


def test_nothing_else_is_run_and_nothing_written_beside(handed_in):
    folder, _, report = handed_in
    assert set(report) == {"own/ps1.ipynb", "none/ps1.ipynb", "r/ps1.ipynb", "old.ipynb"}
    assert {path.name for path in (folder / "own").iterdir()} == {
        "ps1.ipynb",
        "data.txt",
        "own_module.py",
    }


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(monkeypatch, capsys):
    with Progress(2) as progress:
        progress.start("1.1-a.ipynb")
        progress.finish("1.1-a.ipynb", "1.1-a.ipynb  3 s  ok")
    assert capsys.readouterr().out == "1.1-a.ipynb …\n[1/2] 1.1-a.ipynb  3 s  ok\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with Progress(2) as progress:
        progress.start("1.1-a.ipynb")
        progress.finish("1.1-a.ipynb", "1.1-a.ipynb  3 s  ok")
    out = capsys.readouterr().out
    assert "1/2" in out
    assert "[1/2] 1.1-a.ipynb  3 s  ok\n" in out
