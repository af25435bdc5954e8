"""Every exercise is failed by an empty solution, and the learner is told so in a sentence."""

import re

import nbformat
import pytest
from nbclient import NotebookClient

from tools.course import chapters, read, tags

SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?### END SOLUTION$", re.DOTALL | re.MULTILINE)
LITTLE = {"limit": 600, "max_epochs": 1}  # no check of an exercise asks for more
# What fails without the check's help, and says by itself what is missing: a variable that was to
# be set, or the gradients that torch expects from a backward method.
CLEAR = ("NameError: name '", "RuntimeError: function RecomputeBackward returned an incorrect")


def without_solutions(notebook: nbformat.NotebookNode) -> list[int]:
    """Empty the solutions in a notebook; return where they were."""
    emptied = []
    for i, cell in enumerate(notebook.cells):
        if "parameters" in tags(cell):
            cell.source += "".join(
                f"\n{name} = {value}" for name, value in LITTLE.items() if name in cell.source
            )
        source = SOLUTION.sub(r"\1pass", cell.source)
        if source != cell.source:
            cell.source = source
            emptied.append(i)
    return emptied


def check_after(notebook: nbformat.NotebookNode, i: int) -> nbformat.NotebookNode:
    return next(cell for cell in notebook.cells[i + 1 :] if "check" in tags(cell))


@pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem)
def test_an_empty_solution_fails_its_check_with_a_sentence(path):
    notebook = read(path)
    exercises = without_solutions(notebook)
    assert len(exercises) >= 3
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=300, allow_errors=True, resources=resources).execute()
    for i in exercises:
        check = check_after(notebook, i)
        errors = [output for output in check.outputs if output.output_type == "error"]
        assert errors, f"cell {i} is empty, and yet this passes:\n{check.source}"
        message = f"{errors[0].ename}: {errors[0].evalue}"
        told = errors[0].ename == "AssertionError" and errors[0].evalue
        assert told or message.startswith(CLEAR), f"cell {i} is empty, and the check says {message}"
