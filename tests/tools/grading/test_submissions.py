import os

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from tools.course import section
from tools.grading.submissions import find
from tools.terminal import ToolError

FILE = "2.1-data-manipulation.ipynb"


def cell_of(notebook, name):
    (cell,) = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name]
    return cell


def holds(submission, answers):
    """Whether just these answers were taken, below what is given in their cells."""
    taken = submission.answers
    return list(taken) == list(answers) and all(answers[name] in taken[name] for name in answers)


@pytest.fixture
def find_one(hand_in, right_answers, tmp_path):
    """Return a function that hands in right answers, after a change, and finds what was taken."""

    def find_it(change, name=f"ana/2.1/{FILE}"):
        hand_in(tmp_path / name, right_answers("2.1"), change=change)
        (submission,) = find(tmp_path)
        return submission

    return find_it


def test_answers_are_taken_by_their_ids(find_one, right_answers):
    submission = find_one(None)
    assert (submission.student, section(submission.chapter)) == ("ana", "2.1")
    assert holds(submission, right_answers("2.1"))
    assert (submission.notes, submission.problem) == ([], "")
    assert submission.name == "ana 2.1"


def reverse(notebook):
    notebook.cells.reverse()
    notebook.cells.insert(0, notebook.cells.pop())


def copy_first_answer(notebook):
    cell = cell_of(notebook, "ex1")
    notebook.cells.append(new_code_cell(cell.source, metadata=cell.metadata))


def leave_an_empty_copy(notebook):
    cell = cell_of(notebook, "ex1")
    empty = new_code_cell("def checkerboard(n):\n    pass", metadata=cell.metadata)
    notebook.cells.insert(0, empty)


def drop_metadata(notebook):
    for cell in notebook.cells:
        cell.metadata.clear()


def empty_the_checks(notebook):
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.source = "print('Solved: all')"


def delete_check(notebook):
    notebook.cells.remove(cell_of(notebook, "ex2-check"))


def empty(notebook):
    notebook.cells.clear()
    notebook.metadata.clear()


def rename(notebook):
    cell_of(notebook, "ex2").metadata["nbgrader"]["grade_id"] = "my answer"


@pytest.mark.parametrize(
    ("change", "notes"),
    [
        (reverse, []),
        (copy_first_answer, ["2 cells say that they answer ex1"]),
        (leave_an_empty_copy, ["2 cells say that they answer ex1"]),
        (empty_the_checks, []),
        (delete_check, ["the check of ex2 is missing; ours is used"]),
        (rename, ["ex2 was found by its name, shared", "cells of another version: my answer"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_students_do_to_other_cells_costs_nothing(find_one, right_answers, change, notes):
    submission = find_one(change)
    assert holds(submission, right_answers("2.1"))
    assert submission.notes == notes


def test_answers_without_ids_are_found_by_their_names(find_one, right_answers):
    submission = find_one(drop_metadata)
    assert holds(submission, right_answers("2.1"))
    assert "ex1 was found by its name, checkerboard" in submission.notes


def test_a_deleted_answer_is_named_and_the_others_are_taken(find_one):
    submission = find_one(lambda notebook: notebook.cells.remove(cell_of(notebook, "ex3")))
    assert sorted(submission.answers) == ["ex1", "ex2", "ex4", "ex5"]
    assert submission.notes == ["the cell for ex3 is missing"]


def test_what_was_left_as_it_was_is_no_answer(hand_in, tmp_path):
    hand_in(tmp_path / "ana.ipynb", {}, change=lambda n: n.cells.append(new_code_cell("1 +")))
    (submission,) = find(tmp_path)
    assert submission.answers == {}


@pytest.mark.parametrize(
    ("name", "student"),
    [
        (f"ana/2.1/{FILE}", "ana"),
        ("ana/homework/my notebook.ipynb", "ana"),
        (f"ana_{FILE}", "ana"),
        ("2.1 - Ana Ølander.ipynb", "Ana Ølander"),
        ("ana (1).ipynb", "ana"),
        (FILE, "2.1-data-manipulation"),
    ],
)
def test_whose_a_file_is(find_one, name, student):
    submission = find_one(None, name)
    assert submission.student == student
    assert section(submission.chapter) == "2.1"


def test_a_chapter_is_known_without_its_heading_too(find_one):
    def drop_heading(notebook):
        notebook.cells.pop(0)

    assert section(find_one(drop_heading, "ana/x.ipynb").chapter) == "2.1"


def test_what_is_no_submission_gets_a_line_and_stops_nothing(hand_in, right_answers, tmp_path):
    answers = right_answers("2.1")
    hand_in(tmp_path / "ana" / FILE, answers)
    hand_in(tmp_path / "bea" / "a.ipynb", answers, change=empty)
    hand_in(tmp_path / "bob" / "old.ipynb", answers)
    hand_in(tmp_path / "bob" / "new.ipynb", answers)
    os.utime(tmp_path / "bob" / "old.ipynb", (1, 1))
    (tmp_path / "cem").mkdir()
    (tmp_path / "dan").mkdir()
    (tmp_path / "dan" / "homework.pdf").write_text("%PDF")
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve" / "broken.ipynb").write_text("{")
    (tmp_path / "eve" / ".ipynb_checkpoints").mkdir()
    hand_in(tmp_path / "eve" / ".ipynb_checkpoints" / FILE, answers)
    (tmp_path / "fay").mkdir()
    (tmp_path / "fay" / "link.ipynb").symlink_to(tmp_path / "ana" / FILE)
    problems = {(s.student, s.path.name): s.problem for s in find(tmp_path)}
    assert problems.pop(("eve", "broken.ipynb")).startswith("the file cannot be read as a notebook")
    assert problems == {
        ("ana", FILE): "",
        ("bea", "a.ipynb"): "no chapter of the course: it should begin with a heading '# 4.4 …'",
        ("bob", "old.ipynb"): "handed in twice: new.ipynb is newer",
        ("bob", "new.ipynb"): "",
        ("cem", "cem"): "the folder is empty",
        ("dan", "homework.pdf"): "there is no notebook, only homework.pdf",
        ("fay", "link.ipynb"): "it is no file",
    }


def test_a_folder_that_is_none_or_is_empty_is_refused(tmp_path):
    with pytest.raises(ToolError, match="nowhere is no folder"):
        find(tmp_path / "nowhere")
    with pytest.raises(ToolError, match="There is nothing in"):
        find(tmp_path)


def test_odd_metadata_does_no_harm(find_one):
    def spoil(notebook):
        notebook.metadata["deep_learning_that_runs"] = ["x"]
        notebook.cells.insert(0, new_markdown_cell("mine", metadata={"nbgrader": "x"}))
        notebook.cells.insert(0, new_code_cell("mine", metadata={"nbgrader": ["x"]}))

    assert find_one(spoil).problem == ""
