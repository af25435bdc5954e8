"""Which notebooks are chapters, and in which environment they are executed."""

import os
import subprocess
import sys
import tempfile

import pytest

from tools import course
from tools.course import ROOT, kernel_environment
from tools.terminal import ToolError


@pytest.fixture
def folder(monkeypatch, tmp_path, write_notebook):
    """A folder of two chapters, and of two notebooks that are none."""
    for name in ("10.1-b", "9.2-a", "Untitled", "9.3"):
        write_notebook(tmp_path / f"{name}.ipynb", "1")
    monkeypatch.setattr(course, "NOTEBOOKS", tmp_path)
    return tmp_path


def test_chapters_are_in_the_order_of_their_numbers(folder):
    assert [path.name for path in course.chapters()] == ["9.2-a.ipynb", "10.1-b.ipynb"]


def test_a_notebook_that_is_no_chapter_is_left_out_with_a_line_that_says_so(folder, capsys):
    assert [path.name for path in course.choose(["9.2"])] == ["9.2-a.ipynb"]
    out = capsys.readouterr().out
    assert "/Untitled.ipynb is left out: a chapter is named like 4.4-title.ipynb" in out
    assert "/9.3.ipynb is left out" in out


def test_a_section_that_does_not_exist_is_refused(folder):
    with pytest.raises(ToolError, match=r"No chapter '9\.3'\. There are: 9\.2, 10\.1"):
        course.choose(["9.3"])


def test_a_chapter_that_is_no_notebook_or_says_nothing_is_named(folder, write_notebook):
    (folder / "9.2-a.ipynb").write_text("hello")
    with pytest.raises(ToolError, match=r"9\.2-a\.ipynb cannot be read as a notebook"):
        course.read(folder / "9.2-a.ipynb")
    empty = course.nbformat.v4.new_notebook()
    assert course.title(empty) == "without a title"
    assert course.stated_seconds(empty) == 0


def test_the_users_own_settings_do_not_reach_a_kernel(monkeypatch):
    own = ("MPLBACKEND", "MATPLOTLIBRC", "JUPYTER_PATH", "PYTHONSTARTUP", "PYTHONOPTIMIZE")
    for name in own:
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("IPYTHONDIR", "/elsewhere")
    monkeypatch.setenv("PYTHONPATH", "kept")
    environment = kernel_environment()
    assert not set(own) & set(environment)
    assert environment["IPYTHONDIR"].startswith(str(course.BUILD))
    assert environment["PYTHONPATH"] == "kept"


@pytest.mark.parametrize("tool", ["run", "refresh", "compare", "editions.colab"])
def test_every_tool_refuses_a_section_that_does_not_exist_in_the_same_words(tool, tmp_path):
    command = [sys.executable, "-m", f"tools.{tool}", "9.99Ł"]
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    run = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.startswith("No chapter '9.99\\u0141'. There are: 0.1, ")


def test_importing_the_tools_changes_nothing_for_others():
    program = (
        "import sys, tools, tools.run.__main__, tools.refresh\n"
        "print([name for name, module in sys.modules.items() if module is None])"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout == "[]\n"


@pytest.mark.parametrize("tool", ["run", "sweep", "editions.student"])
def test_a_tool_starts_without_what_takes_long_to_import(tool):
    command = [sys.executable, "-X", "importtime", "-m", f"tools.{tool}", "--help"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in run.stderr.splitlines()}
    assert "nbformat" in imported
    assert not imported & {"torch", "pandas", "distributed", "rfc3987_syntax.syntax_helpers"}


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such sockets")
def test_a_kernel_has_a_folder_for_sockets_with_a_short_name(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("long" * 20)))
    assert kernel_environment()["TMPDIR"] == "/tmp"
    monkeypatch.setattr(tempfile, "tempdir", "/var/tmp")
    assert kernel_environment()["TMPDIR"] == "/var/tmp"


def test_a_tool_may_have_a_kernel_of_its_own(monkeypatch):
    monkeypatch.setenv("TOOLS_KERNELS", "build/colab/jupyter")
    assert kernel_environment()["JUPYTER_PATH"] == "build/colab/jupyter"
