import subprocess
import sys

import nbformat
import pytest

from tools.course import chapters, read
from tools.editions import lab, student
from tools.editions.student import is_solution


@pytest.fixture
def two_chapters(monkeypatch):
    """Let the course have two chapters; return their paths."""
    two = chapters()[:2]
    monkeypatch.setattr(lab, "chapters", lambda: two)
    return two


def test_a_learner_gets_copies_without_solutions_and_with_answers(two_chapters, tmp_path):
    work = tmp_path / "work"
    assert lab.fill(work) == [work / path.name for path in two_chapters]
    for path in two_chapters:
        copy = read(work / path.name)
        assert not any("### BEGIN SOLUTION" in cell.source for cell in copy.cells)
        assert any(is_solution(cell) for cell in copy.cells)
        assert any("<details>" in cell.source for cell in copy.cells)


def test_nothing_of_the_learners_is_ever_overwritten(two_chapters, tmp_path):
    (tmp_path / two_chapters[0].name).write_text("mine")
    (tmp_path / "notes.txt").write_text("mine")
    assert lab.fill(tmp_path) == [tmp_path / two_chapters[1].name]
    changed = (tmp_path / two_chapters[1].name).read_bytes()
    assert lab.fill(tmp_path) == []
    assert (tmp_path / two_chapters[0].name).read_text() == "mine"
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / two_chapters[1].name).read_bytes() == changed


def test_a_file_that_comes_meanwhile_is_kept(two_chapters, tmp_path, monkeypatch):
    def write_and_lose_the_race(paths, folder, answers):
        for path in paths:
            (folder / path.name).write_text("ours")
            (tmp_path / path.name).write_text("mine")

    monkeypatch.setattr(student, "write", write_and_lose_the_race)
    with pytest.raises(FileExistsError):
        lab.fill(tmp_path)
    assert {path.read_text() for path in tmp_path.iterdir()} == {"mine"}


def test_a_chapter_that_has_changed_since_is_named(two_chapters, tmp_path):
    lab.fill(tmp_path)
    assert lab.outdated(tmp_path) == []
    copy = read(tmp_path / two_chapters[0].name)
    copy.metadata[student.OURS]["version"] = "older"
    nbformat.write(copy, tmp_path / two_chapters[0].name)
    (tmp_path / two_chapters[1].name).write_text("no notebook any more")
    assert lab.outdated(tmp_path) == ["0.1"]


@pytest.fixture
def started(monkeypatch, tmp_path):
    """Return the commands that are started in place of JupyterLab and its trust."""
    commands = []
    monkeypatch.setattr(lab, "WORK", tmp_path / "work")
    monkeypatch.setattr(subprocess, "run", lambda command, **_: commands.append(command))
    monkeypatch.setattr(lab, "wait_for", lambda process: process.wait())

    def start(command):
        commands.append(command)
        return real([sys.executable, "-c", "raise SystemExit(3)"])

    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", start)
    return commands


@pytest.mark.parametrize(
    ("arguments", "folder"),
    [(["--no-browser"], "work"), (["--source", "--no-browser"], "notebooks")],
)
def test_the_command_opens_the_first_chapter(
    two_chapters, started, monkeypatch, arguments, folder, capsys
):
    monkeypatch.setattr(sys, "argv", ["lab", *arguments])
    assert lab.main() == 3
    trust, opened = started
    assert trust[1:4] == ["-m", "jupyter", "trust"]
    assert len(trust) == 4 + len(two_chapters)
    assert opened[1:4] == ["-m", "jupyterlab", "--no-browser"]
    assert opened[-1].endswith(f"/{folder}/{two_chapters[0].name}")


def test_ctrl_c_is_left_to_jupyterlab():
    class Process:
        waits = 0

        def wait(self):
            self.waits += 1
            if self.waits < 3:
                raise KeyboardInterrupt
            return 0

    process = Process()
    assert lab.wait_for(process) == 0
    assert process.waits == 3
