"""What was handed in: who, for which chapter, and the answers in it.

Only the cells for answers are taken from a notebook. They are found by their grade id, or else by
the name that they define, so it does no harm if other cells were moved, copied, edited or deleted.
"""

import ast
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from tools.course import chapters, read, section
from tools.editions.student import OURS, STUB
from tools.grading.exercises import CHECK, Exercise, exercises
from tools.terminal import ToolError, printable

LARGEST_FILE = 50 * 2**20  # bytes
HEADING = re.compile(r"^# (\d+\.\d+) ", re.MULTILINE)
NUMBER = re.compile(r"(?<![\d.])(\d+\.\d+)(?![\d.]*\d)")


@dataclass
class Submission:
    """A notebook that a student handed in for a chapter, or the reason why there is none."""

    student: str
    path: Path
    chapter: Path | None = None
    answers: dict[str, str] = field(default_factory=dict)  # source by the id of the exercise
    notes: list[str] = field(default_factory=list)  # what was odd, and cost nothing
    problem: str = ""  # why it cannot be graded

    @property
    def name(self) -> str:
        """The student and the section, for the report."""
        return f"{self.student} {section(self.chapter)}" if self.chapter else self.student


def find(folder: Path) -> list[Submission]:
    """All submissions in a folder: one file each, or a folder for each student.

    The layout of nbgrader, student/assignment/notebook.ipynb, is one of them.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise ToolError(f"{printable(str(folder))} is no folder.")
    visible = [path for path in sorted(folder.rglob("*")) if is_visible(path, folder)]
    found = [read_submission(path, folder) for path in visible if path.suffix == ".ipynb"]
    handed_in = {submission.student for submission in found}
    for path in visible:
        student = student_of(path, folder)
        if path.is_file() and student not in handed_in:
            handed_in.add(student)
            problem = f"there is no notebook, only {printable(path.name)}"
            found.append(Submission(student, path, problem=problem))
        elif path.is_dir() and path.parent == folder and not any(path.iterdir()):
            found.append(Submission(path.name, path, problem="the folder is empty"))
    if not found:
        raise ToolError(f"There is nothing in {printable(str(folder))}.")
    return only_the_newest(found)


def file_name(student: str) -> str:
    """A name for a file or folder, whatever a student calls themselves."""
    return re.sub(r"[^\w.-]+", "_", student).strip(".") or "_"


def is_visible(path: Path, folder: Path) -> bool:
    return not any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)


def student_of(path: Path, folder: Path) -> str:
    """The first folder on the way to a file; in a flat folder, what its name says beside a chapter.

    ana_4.4-softmax-regression-from-scratch.ipynb is Ana's, and so is 4.4 ana.ipynb.
    """
    parts = path.relative_to(folder).parts
    if len(parts) > 1:
        return parts[0]
    name = path.stem
    for chapter in chapters():
        name = name.replace(chapter.stem, "")
    name = NUMBER.sub("", re.sub(r"\(\d+\)$", "", name.strip()))  # (1): downloaded twice
    return name.strip(" _-.") or path.stem


def read_submission(path: Path, folder: Path) -> Submission:
    """Read a notebook without executing anything of it."""
    submission = Submission(student_of(path, folder), path)
    try:
        if path.is_symlink() or not path.is_file():
            raise ToolError("it is no file")
        if path.stat().st_size > LARGEST_FILE:
            raise ToolError(f"it is larger than {LARGEST_FILE // 2**20} MB")
        notebook = read(path)
    except (ToolError, OSError) as error:
        submission.problem = printable(str(error).replace(str(path), "the file"))[:200]
        return submission
    submission.chapter = chapter_of(notebook, path)
    if submission.chapter is None:
        submission.problem = "no chapter of the course: it should begin with a heading '# 4.4 …'"
        return submission
    take_answers(submission, notebook)
    return submission


def chapter_of(notebook: nbformat.NotebookNode, path: Path) -> Path | None:
    """The chapter that a notebook was made from: by its heading, its metadata, or its name."""
    by_section = {section(chapter): chapter for chapter in chapters()}
    texts = [str(cell.source) for cell in notebook.cells if cell.cell_type == "markdown"]
    headings = [found[1] for text in texts if (found := HEADING.search(text))]
    ours = notebook.metadata.get(OURS, {})
    ours = str(ours.get("chapter", "")) if isinstance(ours, dict) else ""
    in_name = NUMBER.findall(path.name) + NUMBER.findall(path.parent.name)
    for number in [*headings[:1], ours.partition("-")[0], *in_name]:
        if number in by_section:
            return by_section[number]
    return None


def take_answers(submission: Submission, notebook: nbformat.NotebookNode) -> None:
    """Take the answers of a notebook, and note what is odd about it."""
    assert submission.chapter is not None
    wanted = exercises(submission.chapter)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    by_id = defaultdict(list)
    for cell in cells:
        by_id[grade_id(cell)].append(str(cell.source))
    for exercise in wanted:
        copies = by_id[exercise.id]
        written = [source for source in copies if not is_stub(source, exercise)]
        if len(copies) > 1:
            submission.notes.append(f"{len(copies)} cells say that they answer {exercise.id}")
        if not written:
            written = [str(c.source) for c in cells if defines(c, exercise.answer)][-1:]
            written = [source for source in written if not is_stub(source, exercise)]
            if written:
                submission.notes.append(f"{exercise.id} was found by its name, {exercise.answer}")
            elif not copies:
                submission.notes.append(f"the cell for {exercise.id} is missing")
        if written:
            submission.answers[exercise.id] = written[0]
        if exercise.check not in by_id:
            submission.notes.append(f"the check of {exercise.id} is missing; ours is used")
    known = {exercise.id for exercise in wanted} | {exercise.check for exercise in wanted}
    if unknown := sorted(name for name in by_id if name and name not in known):
        submission.notes.append(f"cells of another version: {printable(', '.join(unknown))}")


def grade_id(cell: nbformat.NotebookNode) -> str:
    nbgrader = cell.metadata.get("nbgrader", {})
    return str(nbgrader.get("grade_id", "")) if isinstance(nbgrader, dict) else ""


def is_stub(source: str, exercise: Exercise) -> bool:
    """Whether a cell was left as it was handed out."""
    left_out = {"pass", *STUB.splitlines()}

    def lines(text: str) -> list[str]:
        return [line.strip() for line in text.splitlines() if line.strip() not in {"", *left_out}]

    return lines(source) == lines(exercise.stub)


def defines(cell: nbformat.NotebookNode, name: str) -> bool:
    """Whether a cell that is no check defines a function, a class or a variable."""
    if grade_id(cell).endswith(CHECK):
        return False
    try:
        statements = ast.parse(str(cell.source)).body
    except (SyntaxError, ValueError):
        return False
    for statement in statements:
        if getattr(statement, "name", None) == name:
            return True
        targets = getattr(statement, "targets", [getattr(statement, "target", None)])
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return True
    return False


def only_the_newest(found: list[Submission]) -> list[Submission]:
    """Of several notebooks of a student for a chapter, only the newest is graded."""
    newest: dict[tuple, Submission] = {}
    for submission in found:
        if submission.chapter:
            key = (submission.student, submission.chapter)
            if key not in newest or age(submission) > age(newest[key]):
                newest[key] = submission
    for submission in found:
        if submission.chapter:
            other = newest[submission.student, submission.chapter]
            if other is not submission:
                submission.problem = f"handed in twice: {printable(other.path.name)} is newer"
                submission.chapter = None
    return found


def age(submission: Submission) -> tuple[float, str]:
    return submission.path.stat().st_mtime, str(submission.path)
