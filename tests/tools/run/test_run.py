"""tools.run on notebooks made to fail, hang, or be refused."""

import json
import sys

import nbformat
import pytest
from filelock import FileLock

from tools import course
from tools.run import __main__ as run


@pytest.fixture
def start(monkeypatch, tmp_path, capsys, write_notebook):
    """Return a function that runs notebooks given as {name: code} and returns what came of it."""

    def start_run(sources: dict[str, str], *options: str):
        paths = [tmp_path / f"{name}.ipynb" for name in sources]
        for path, source in zip(paths, sources.values(), strict=True):
            write_notebook(path, "print(seed)", source)
        monkeypatch.setattr(course, "chapters", lambda: paths)
        monkeypatch.setattr(sys, "argv", ["run", "--output", str(tmp_path / "out"), *options])
        status = run.main()
        report = json.loads((tmp_path / "out" / "report.json").read_text())
        return status, {r["section"]: r for r in report}, capsys.readouterr().out

    return start_run


def outputs(result):
    notebook = nbformat.read(result["output"], as_version=4)
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def test_a_failing_notebook_does_not_stop_the_others(start):
    status, results, out = start({"1-bad": "1 / 0", "2-good": "seed + 1"})
    assert status == 1
    assert results["1"]["status"] == "failed"
    assert results["1"]["message"] == "ZeroDivisionError: division by zero"
    kept = outputs(results["1"])
    assert any(output.get("text") == "0\n" for output in kept)
    assert any(output.get("ename") == "ZeroDivisionError" for output in kept)
    assert results["2"]["status"] == "ok"
    assert results["2"]["peak_mb"] > 30
    assert "[2/2]" in out
    assert "1 failed: ZeroDivisionError" in out


def test_a_notebook_that_hangs_is_ended_and_what_it_gave_is_kept(start):
    code = "import time\nprint('before', flush=True)\ntime.sleep(300)"
    status, results, _ = start({"1-slow": code}, "--time-limit", "6")
    assert status == 1
    assert results["1"]["status"] == "too slow"
    assert results["1"]["message"] == "not done after 6 s"
    assert results["1"]["seconds"] < 20
    assert any(output.get("text") == "0\n" for output in outputs(results["1"]))


def test_parameters_reach_the_notebook(start):
    status, results, _ = start({"1-a": "seed * 2"}, "-p", "seed", "21")
    assert status == 0
    assert outputs(results["1"])[-1]["data"]["text/plain"] == "42"


def test_a_section_can_be_chosen(start):
    _, results, _ = start({"1-a": "1", "2-b": "2"}, "2")
    assert list(results) == ["2"]


def test_an_unknown_parameter_is_refused_by_name_with_those_that_exist(start):
    with pytest.raises(SystemExit, match=r"No chapter has a parameter sed\. There are: seed"):
        start({"1-a": "1"}, "-p", "sed", "1")


def test_an_unknown_section_is_refused(start):
    with pytest.raises(SystemExit, match=r"No chapter '9'\. There are: 1"):
        start({"1-a": "1"}, "9")


def test_a_folder_of_other_notebooks_can_be_run(start, tmp_path):
    start({"1-a": "1", "2-b": "2"}, "1")  # this writes both, and runs one
    _, results, out = start({}, "--notebooks", str(tmp_path), "--jobs", "1")
    assert list(results) == ["1", "2"]
    assert "\n2-b.ipynb " in out


def test_what_an_earlier_run_left_is_no_result_of_this_one(start, tmp_path):
    _, results, _ = start({"1-a": "1"})
    assert results["1"]["output"]
    (tmp_path / "1-a.ipynb").write_text("hello")
    _, results, out = start({}, "--notebooks", str(tmp_path))
    assert results["1"]["output"] == ""
    assert "as far as it came" not in out


def test_such_a_folder_must_have_notebooks(start, tmp_path):
    with pytest.raises(SystemExit, match=r"No file in .* ends in \.ipynb"):
        start({}, "--notebooks", str(tmp_path))


def test_results_never_replace_the_notebooks_themselves(start, tmp_path, write_notebook):
    folder = tmp_path / "out" / "notebooks"
    folder.mkdir(parents=True)
    write_notebook(folder / "a.ipynb", "1")
    with pytest.raises(SystemExit, match="would replace the notebooks"):
        start({}, "--notebooks", str(folder))
    assert (folder / "a.ipynb").exists()


def test_a_second_run_into_the_same_folder_is_refused(start, tmp_path):
    (tmp_path / "out").mkdir()
    with FileLock(tmp_path / "out" / ".lock"), pytest.raises(SystemExit, match="Another run"):
        start({"1-a": "1"})
    assert start({"1-a": "1"})[0] == 0
