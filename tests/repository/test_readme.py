"""The commands of the README, each as it stands there."""

import re
import shutil
import subprocess

import pytest

from tools.course import ROOT, kernel_environment

# What other tests or CI itself run: `make run` and `make test`; JupyterLab in test_browser.py; what
# teachers type in test_teaching.py.
ELSEWHERE = {"make run", "make test", "make lab", "make lab ARGS=--source", "make help"}
ELSEWHERE |= {"make student", "make grade SUBMITTED=folder"}
ELSEWHERE |= {"make site", "make site SERVE=1", "make pdf"}  # test_site_browser.py, test_site.py
ELSEWHERE |= {"make check FILE=work/4.4-softmax-regression-from-scratch.ipynb"}
ELSEWHERE |= {  # by tests/tools/sweep, with less to do
    'make sweep SECTION=4.4 GRID="lr=0.01,0.1,0.5 batch_size=64,256" SEEDS=3'
}
IN_A_COPY = {"make stamp REPO=owner/name REF=v1.0", "make stamp ARGS=--remove"}
WITH_A_FOLDER = 'make run ARGS="--notebooks FOLDER"'
NEEDS_COLAB = "make colab"  # an environment of its own: the weekly workflow


@pytest.fixture(scope="module")
def commands():
    """The commands in code blocks, and those in the text that begin with make."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```\n(.*?)^```", text, re.M | re.S)).splitlines()
    return {*filter(None, blocks), *re.findall(r"`(make [^`]+)`", text)}


def run(command, folder):
    options = {"cwd": folder, "capture_output": True, "text": True, "env": kernel_environment()}
    return subprocess.run(command, shell=True, **options)


def test_nothing_in_the_readme_is_untried(commands):
    tried = ELSEWHERE | IN_A_COPY | {WITH_A_FOLDER, NEEDS_COLAB}
    assert {c for c in commands if " -p " not in c} == tried
    assert len([c for c in commands if " -p " in c]) == 2


@pytest.fixture
def needs_environment():
    if not (ROOT / ".venv" / "ready").exists() or not shutil.which("make"):
        pytest.skip("the README's commands ask for make, and for what `make setup` installs")


@pytest.mark.parametrize("number", [0, 1])
def test_a_chapter_runs_with_a_knob_turned(commands, needs_environment, number):
    command = sorted(c for c in commands if " -p " in c)[number]
    try:
        done = run(command, ROOT)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        (ROOT / "out.ipynb").unlink(missing_ok=True)


@pytest.mark.weekly
def test_the_course_is_stamped_and_the_stamp_taken_out_again(tmp_path, needs_environment):
    """In a copy whose environment is this one; its own checks hold before and after."""
    shutil.copytree(
        ROOT, tmp_path / "copy", ignore=shutil.ignore_patterns(".venv", "build", ".git")
    )
    (tmp_path / "copy" / ".venv").symlink_to(ROOT / ".venv")
    before = (tmp_path / "copy" / "README.md").read_text(encoding="utf-8")
    for command in ("make stamp REPO=owner/name REF=v1.0", "make stamp ARGS=--remove"):
        done = run(command, tmp_path / "copy")
        assert done.returncode == 0, done.stdout + done.stderr
        checks = "tests/tools/editions tests/course/test_rules.py tests/repository"
        options = "-q -p no:cacheprovider --deselect tests/repository/test_readme.py"
        done = run(f".venv/bin/python -m pytest {options} {checks}", tmp_path / "copy")
        assert done.returncode == 0, done.stdout
    assert (tmp_path / "copy" / "README.md").read_text(encoding="utf-8") == before


def test_other_peoples_notebooks_are_executed(tmp_path, needs_environment, write_notebook):
    write_notebook(tmp_path / "ps1.ipynb", "print('hello')")
    done = run(WITH_A_FOLDER.replace("FOLDER", str(tmp_path)), ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ps1.ipynb" in done.stdout
