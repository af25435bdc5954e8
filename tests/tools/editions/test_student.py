import json
import re
import shutil
import sys

import nbformat
import pytest

from tools.course import ROOT, chapters, read, section, tags
from tools.editions import student
from tools.editions.student import is_solution
from tools.grading.exercises import SOLUTION

HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS", re.DOTALL)
each_chapter = pytest.mark.parametrize("path", chapters(), ids=section)


@pytest.fixture(scope="module")
def edition(tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    student.write(chapters(), folder, answers=False)
    return folder


def lines(text):
    """The lines of a text that say something: an answer may well begin with the same `try:`."""
    return [line.strip() for line in text.splitlines() if re.search(r"\w\W+\w", line)]


@each_chapter
def test_no_line_of_a_solution_or_a_hidden_test_is_left_anywhere(edition, path):
    """The file as a whole: sources, outputs, metadata and attachments."""
    notebook = read(path)
    secret = []
    for cell in notebook.cells:
        if is_solution(cell):
            for solution in SOLUTION.finditer(cell.source):
                secret += lines(solution[0])
            cell.source = SOLUTION.sub("", cell.source)
        elif cell.cell_type == "code":
            for hidden in HIDDEN.findall(cell.source):
                secret += lines(hidden)
            cell.source = HIDDEN.sub("", cell.source)
        if is_solution(cell) or tags(cell) & {"check", "guess"}:
            cell.outputs = []
            cell.metadata = {}
    assert secret
    # A line of a solution may stand in the lesson, too: then it is there as often as before.
    told = nbformat.writes(notebook)
    file = (edition / path.name).read_text(encoding="utf-8")
    for line in secret:
        written = json.dumps(line, ensure_ascii=False)[1:-1]
        assert file.count(written) <= told.count(written), line


@each_chapter
def test_outputs_stay_but_for_those_that_tell_an_answer(edition, path):
    for ours, theirs in zip(read(path).cells, read(edition / path.name).cells, strict=True):
        assert theirs.id == ours.id
        if ours.cell_type == "code":
            tells = is_solution(ours) or tags(ours) & {"check", "guess"}
            assert theirs.outputs == ([] if tells else ours.outputs)
            assert theirs.execution_count is None
            if tells:
                assert "mystnb" not in theirs.metadata
        if is_solution(ours):
            assert "jupyter" not in theirs.metadata, "an empty cell is not folded"


@each_chapter
def test_answers_to_questions_go_unless_they_are_asked_for(edition, path, tmp_path):
    assert "<details>" not in (edition / path.name).read_text(encoding="utf-8")
    student.write([path], tmp_path, answers=True)
    folded = [cell.source.count("<details>") for cell in read(path).cells]
    kept = [cell.source.count("<details>") for cell in read(tmp_path / path.name).cells]
    assert kept == folded
    assert sum(kept) > 0


@each_chapter
def test_every_exercise_has_an_empty_cell_and_a_locked_check(edition, path):
    cells = read(edition / path.name).cells
    nbformat.validate(read(edition / path.name))
    for i, cell in enumerate(cells):
        if is_solution(cell):
            assert student.STUB.splitlines()[0] in cell.source
            assert cells[i + 1].metadata.editable is False
            assert cells[i + 1].source.rstrip().endswith(".solved()")


def test_the_command_renews_the_edition_as_a_whole(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "student"
    monkeypatch.setattr(student, "FOLDER", folder)
    for sections in (["0.1", "2.1"], ["2.1"]):
        monkeypatch.setattr(sys, "argv", ["student", *sections])
        student.main()
    assert "1 chapters without solutions" in capsys.readouterr().out
    assert sorted(path.name for path in folder.iterdir()) == ["LICENSE", "README.md", "notebooks"]
    assert [section(path) for path in (folder / "notebooks").iterdir()] == ["2.1"]
    assert list(tmp_path.iterdir()) == [folder]


def test_an_edition_that_cannot_be_made_leaves_the_last_one(tmp_path):
    folder = tmp_path / "student"
    folder.mkdir()
    (folder / "last").touch()

    def fail():
        with student.renewed(folder) as new:
            (new / "half").touch()
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        fail()
    assert [path.name for path in folder.iterdir()] == ["last"]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_version_tells_a_changed_chapter(tmp_path):
    path = chapters()[0]
    copy = shutil.copy(path, tmp_path)
    notebook = read(copy)
    assert student.version(copy) == student.version(path)
    notebook.cells[1].source += " "
    nbformat.write(notebook, copy)
    assert student.version(copy) != student.version(path)


def test_the_checkout_has_no_copies_of_a_learner():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "work/" in ignored
