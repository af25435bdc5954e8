"""A chapter runs wherever and however it is started: any folder, any runner, any parameter."""

import subprocess
import sys

import nbformat
import pytest

from tools.course import ROOT, chapters, kernel_environment, section

(CHAPTER,) = [path for path in chapters() if section(path) == "4.4"]
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


def test_papermill_from_an_empty_folder(start, tmp_path):
    run = start("papermill", str(CHAPTER), "out.ipynb", *SHORT)
    assert run.returncode == 0, run.stderr
    assert no_errors(tmp_path / "out.ipynb")
    assert "limit = 2000" in (tmp_path / "out.ipynb").read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["out.ipynb"]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("max_epoch", "2", "ValueError: this chapter has no parameter max_epoch; there are seed, "),
        ("lr", "fast", "ValueError: parameter lr = 'fast': expected a finite number"),
        ("lr", "-1", "ValueError: parameter lr = -1: expected a number above 0"),
        ("batch_size", "1.5", "ValueError: parameter batch_size = 1.5: expected a whole number"),
        ("limit", "None", "ValueError: parameter limit = None: expected a whole number"),
    ],
)
def test_papermill_with_a_wrong_parameter_fails_with_a_sentence(start, name, value, message):
    run = start("papermill", str(CHAPTER), "out.ipynb", *SHORT, "-p", name, value)
    assert run.returncode != 0
    assert run.stderr.rstrip().splitlines()[-1].startswith(message)


@pytest.mark.parametrize(
    "command",
    [
        ("jupyter", "execute", str(CHAPTER), "--output", "{folder}/out"),
        ("jupyter", "nbconvert", "--execute", "--to", "notebook", str(CHAPTER),
         "--output-dir", "{folder}", "--output", "out"),
    ],
    ids=["execute", "nbconvert"],
)  # fmt: skip
def test_the_runners_of_jupyter(start, tmp_path, command):
    run = start(*[part.format(folder=tmp_path) for part in command])
    assert run.returncode == 0, run.stderr
    assert no_errors(tmp_path / "out.ipynb")


@pytest.mark.parametrize("number", ["2.2", "3.4", "4.4"])
def test_an_exported_script_runs_without_a_display(start, number):
    (path,) = [path for path in chapters() if section(path) == number]
    exported = start(
        "jupyter", "nbconvert", "--to", "script", str(path), "--output-dir", ".",
        "--output", "chapter",
    )  # fmt: skip
    assert exported.returncode == 0, exported.stderr
    run = start("chapter", DISPLAY="", MPLBACKEND="")
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr


def test_papermill_leaves_nothing_in_the_checkout(start):
    """So a checkout that cannot be written will do."""
    before = {path: path.stat().st_mtime_ns for path in files_of_the_checkout()}
    assert start("papermill", str(CHAPTER), "out.ipynb", *SHORT).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in files_of_the_checkout()} == before


def files_of_the_checkout():
    folders = [ROOT / "notebooks", ROOT / "helpers", ROOT / "data"]
    return [
        path for folder in folders for path in folder.rglob("*") if "__pycache__" not in path.parts
    ]
