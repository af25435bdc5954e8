"""A chapter runs wherever and however it is started: any folder, any runner, any parameter."""

import subprocess
import sys

import nbformat
import pytest

from tools.course import ROOT, kernel_environment

SHORT = ["-p", "max_epochs", "2", "-p", "limit", "2000"]


@pytest.fixture
def start(tmp_path):
    """Return a function that runs a command of Python's in an empty folder."""

    def run(*command: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=tmp_path,
            env={**kernel_environment(), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    return run


def no_errors(path) -> bool:
    cells = nbformat.read(path, as_version=4).cells
    kinds = [output.output_type for cell in cells for output in cell.get("outputs", [])]
    return bool(kinds) and "error" not in kinds


@pytest.mark.weekly
def test_papermill_from_an_empty_folder_leaves_nothing_in_the_checkout(start, chapter, tmp_path):
    """So a checkout that cannot be written will do."""
    before = files_of_the_checkout()
    run = start("papermill", str(chapter("4.4")), "out.ipynb", *SHORT)
    assert run.returncode == 0, run.stderr
    assert no_errors(tmp_path / "out.ipynb")
    assert "limit = 2000" in (tmp_path / "out.ipynb").read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["out.ipynb"]
    assert files_of_the_checkout() == before


def files_of_the_checkout():
    folders = [ROOT / "notebooks", ROOT / "helpers", ROOT / "data"]
    paths = [path for folder in folders for path in folder.rglob("*")]
    return {path: path.stat().st_mtime_ns for path in paths if "__pycache__" not in path.parts}


@pytest.mark.weekly
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("max_epoch", "2", "ValueError: this chapter has no parameter max_epoch; there are seed, "),
        ("lr", "fast", "ValueError: parameter lr = 'fast': expected"),
        ("limit", "None", "ValueError: parameter limit = None"),
    ],
)
def test_papermill_with_a_wrong_parameter_fails_with_a_sentence(
    start, chapter, name, value, message
):
    run = start("papermill", str(chapter("4.4")), "out.ipynb", *SHORT, "-p", name, value)
    assert run.returncode != 0
    assert run.stderr.rstrip().splitlines()[-1].startswith(message)


@pytest.mark.weekly
@pytest.mark.parametrize(
    "command",
    [
        ("jupyter", "execute", "{chapter}", "--output", "{folder}/out"),
        ("jupyter", "nbconvert", "--execute", "--to", "notebook", "{chapter}",
         "--output-dir", "{folder}", "--output", "out"),
    ],
    ids=["execute", "nbconvert"],
)  # fmt: skip
def test_the_runners_of_jupyter(start, chapter, tmp_path, command):
    run = start(*[part.format(folder=tmp_path, chapter=chapter("4.4")) for part in command])
    assert run.returncode == 0, run.stderr
    assert no_errors(tmp_path / "out.ipynb")


@pytest.mark.weekly
@pytest.mark.parametrize("number", ["2.2", "3.4", "4.4"])
def test_an_exported_script_runs_without_a_display(start, chapter, number):
    exported = start(
        "jupyter", "nbconvert", "--to", "script", str(chapter(number)), "--output-dir", ".",
        "--output", "chapter",
    )  # fmt: skip
    assert exported.returncode == 0, exported.stderr
    run = start("chapter", DISPLAY="", MPLBACKEND="")
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
