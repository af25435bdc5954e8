"""The commands of docs/teaching.md, on one chapter and in a folder of their own."""

import re
import shutil
import subprocess

import nbformat
import pytest
import yaml

from tools.course import BUILD, ROOT, kernel_environment, read
from tools.run.sandbox import obstacle

CHAPTER = "2.1-data-manipulation.ipynb"
TEXT = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")


def make(command: str) -> subprocess.CompletedProcess:
    """Run a command of the page, which says make and what it takes."""
    options = {"cwd": ROOT, "capture_output": True, "text": True, "env": kernel_environment()}
    return subprocess.run(command, shell=True, **options)


@pytest.fixture(scope="module")
def answers():
    file = ROOT / "tests" / "course" / "answers" / "2.1.yml"
    return yaml.safe_load(file.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def submitted(tmp_path_factory, answers):
    """Hand out, and collect: Ana answers everything in nbgrader's layout, Bob one thing."""
    if not (ROOT / ".venv" / "ready").exists() or not shutil.which("make"):
        pytest.skip("the commands ask for make, and for what `make setup` installs")
    if problem := obstacle():
        pytest.skip(f"no sandbox here ({problem}): sudo apt-get install bubblewrap")
    handed_out = make("make student ARGS=2.1")
    assert handed_out.returncode == 0, handed_out.stdout + handed_out.stderr
    folder = tmp_path_factory.mktemp("submitted")
    right = {name: kinds["right"][0] for name, kinds in answers.items()}
    files = {"ana/2.1/" + CHAPTER: right, "bob/2.1/" + CHAPTER: {"ex3": right["ex3"]}}
    for name, written in files.items():
        notebook = read(BUILD / "student" / "notebooks" / CHAPTER)
        for cell in notebook.cells:
            answer = written.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
            cell.source += f"\n\n{answer}" if answer else ""
        (folder / name).parent.mkdir(parents=True)
        nbformat.write(notebook, folder / name)
    return folder


def test_the_page_has_these_commands():
    blocks = re.findall(r"^```\n(.*?)\n```$", TEXT, re.MULTILINE | re.DOTALL)
    assert blocks == ["make student", "make grade SUBMITTED=submitted"]


def test_a_class_is_graded(submitted, tmp_path):
    done = make(f'make grade SUBMITTED={submitted} ARGS="--output {tmp_path}"')
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ana 2.1: 11 of 11 points" in done.stdout
    files = re.findall(r"^\| `([^`]+)` \|", TEXT, re.MULTILINE)
    assert len(files) == 4
    for file in files:
        assert (tmp_path / file.replace("NAME", "ana")).is_file()


def test_a_notebook_is_checked(submitted):
    done = make(f"make check FILE={submitted}/bob/2.1/{CHAPTER}")
    assert "1 of 5 exercises are solved" in done.stdout
    assert done.returncode != 0
