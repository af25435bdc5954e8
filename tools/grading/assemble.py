"""Put a student's answers into our own chapter, and read what came of them."""

from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell

from tools.course import read, tags
from tools.editions.student import is_solution
from tools.grading import audit
from tools.grading.exercises import CHECK, Exercise, emptied, exercises
from tools.run.executor import MAY_FAIL, TOO_MUCH
from tools.terminal import printable

AUDIT = "-audit"  # ends the id of a cell that calls an answer again
LONGEST_SENTENCE = 500  # characters
NOTHING = "nothing was written here"


@dataclass
class Verdict:
    """What became of one exercise."""

    exercise: Exercise
    solved: bool
    sentence: str  # why not; or "solved"
    reached: bool = True  # whether its check began
    ended: bool = True  # whether its cells came to their end, or to an error


def assemble(
    chapter: Path, answers: dict[str, str], calls: dict[str, list[audit.Call]]
) -> nbformat.NotebookNode:
    """Our chapter with these answers in place of our solutions.

    After each check stands a cell that makes the calls in `calls` once more, for their results.
    """
    notebook = read(chapter)
    cells = []
    goes_on = False
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue  # nothing but code is executed
        cell.outputs, cell.execution_count = [], None
        if is_solution(cell):
            goes_on = True  # from here on, an error ends a cell and not the notebook
            cell.source = answers.get(cell.metadata.nbgrader.grade_id, emptied(cell.source))
        cell.metadata.tags = sorted(tags(cell) | ({MAY_FAIL} if goes_on else set()))
        cells.append(cell)
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if name.endswith(CHECK):
            recorded = calls.get(name.removesuffix(CHECK), [])
            audit_id = name.removesuffix(CHECK) + AUDIT
            metadata = {"tags": [MAY_FAIL], "nbgrader": {"grade_id": audit_id}}
            cells.append(new_code_cell(audit.code(recorded), id=audit_id, metadata=metadata))
    notebook.cells = cells
    return notebook


def verdicts(
    chapter: Path, executed: Path, answers: dict[str, str], calls: dict[str, list[audit.Call]]
) -> list[Verdict]:
    """Read the outputs of an executed notebook, as data, and say what became of each exercise."""
    try:
        cells = {
            cell.metadata.nbgrader.grade_id: cell
            for cell in nbformat.read(executed, as_version=4).cells
            if cell.metadata.get("nbgrader", {}).get("grade_id")
        }
    except (OSError, ValueError):
        cells = {}
    return [
        verdict(exercise, cells, exercise.id in answers, calls.get(exercise.id, []))
        for exercise in exercises(chapter)
    ]


def verdict(exercise: Exercise, cells: dict, is_answered: bool, calls: list[audit.Call]) -> Verdict:
    nothing = nbformat.from_dict({"outputs": [], "metadata": {}})
    answer, check = cells.get(exercise.id, nothing), cells.get(exercise.check, nothing)
    repeated = cells.get(exercise.id + AUDIT, nothing)
    if not is_answered:
        return Verdict(exercise, False, NOTHING)
    if error := error_of(answer) or error_of(check):
        return Verdict(exercise, False, error, ended=not error.startswith(TOO_MUCH))
    if not was_executed(check):
        return Verdict(exercise, False, "not reached", reached=False, ended=False)
    if "Solved: " not in printed_by(check):
        return Verdict(exercise, False, "the check did not come to its end", ended=False)
    if problem := audit.disagreement(calls, printed_by(repeated)):
        return Verdict(exercise, False, problem, ended=was_executed(repeated))
    return Verdict(exercise, True, "solved")


def was_executed(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell came to its end, or to an error."""
    ended = cell.metadata.get("papermill", {}).get("end_time")
    return bool(ended) and (cell.get("execution_count") is not None or bool(error_of(cell)))


def error_of(cell: nbformat.NotebookNode) -> str:
    """What a refused answer is told, or the error in it; nothing if there was none."""
    for output in cell.outputs:
        if output.output_type == "error":
            kind, sentence = str(output.ename), " ".join(str(output.evalue).split())
            if kind == "KeyboardInterrupt":
                return "not done in time"
            if kind not in ("WrongAnswer", "AssertionError"):
                sentence = f"{kind}: {sentence}"
            return printable(sentence)[:LONGEST_SENTENCE] or kind
    return ""


def printed_by(cell: nbformat.NotebookNode) -> str:
    return "".join(
        str(output.text)
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stdout"
    )
