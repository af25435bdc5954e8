"""tools.run on notebooks made to fail, hang, or be refused."""

import json
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import run


@pytest.fixture
def start(monkeypatch, tmp_path, capsys):
    """Return a function that runs notebooks given as {name: code} and returns what came of it."""

    def start_run(sources: dict[str, str], *options: str):
        paths = []
        for name, source in sources.items():
            parameters = new_code_cell("seed = 0  # a seed", metadata={"tags": ["parameters"]})
            title = new_markdown_cell("# 1.1 A test\n\n≈ 1 min to read · runs in 3 s on a CPU")
            cells = [title, parameters, new_code_cell("print(seed)"), new_code_cell(source)]
            metadata = {
                "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
            }
            paths.append(tmp_path / f"{name}.ipynb")
            nbformat.write(new_notebook(cells=cells, metadata=metadata), paths[-1])
        monkeypatch.setattr(run, "chapters", lambda: paths)
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
    with pytest.raises(SystemExit, match=r"No chapter 9\. There are: 1"):
        start({"1-a": "1"}, "9")
