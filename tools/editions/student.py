"""Make the student edition: the chapters without solutions, and without what gives them away.

usage: python -m tools.editions.student [--answers] [SECTION...]

It is written to build/student, through nbgrader's converter. Solutions and hidden tests are gone,
and so are the outputs of solutions, checks and guesses; every other output stays. Answers to
questions, which are folded in the chapters, are left out unless --answers is given.
"""

import argparse
import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat

from tools.course import BUILD, NOTEBOOKS, ROOT, choose, read, tags
from tools.terminal import run_tool

FOLDER = BUILD / "student"
STUB = "# Write your answer here.\npass"
ANSWER = re.compile(r"\s*<details>.*?</details>", re.DOTALL)
OURS = "deep_learning_that_runs"  # key of our own metadata in a notebook


def is_solution(cell: nbformat.NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def version(path: Path) -> str:
    """What tells one version of a chapter from another: a checksum of its cells."""
    sources = "\0".join(cell.source for cell in read(path).cells)
    return hashlib.sha256(sources.encode()).hexdigest()[:16]


def without_what_tells(path: Path, answers: bool) -> nbformat.NotebookNode:
    """A chapter without the outputs and the texts that would tell an answer."""
    notebook = read(path)
    notebook.metadata[OURS] = {"chapter": path.stem, "version": version(path)}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            if not answers:
                cell.source = ANSWER.sub("", cell.source)
            continue
        cell.execution_count = None
        if is_solution(cell):
            for name in ("jupyter", "cellView"):  # what is folded is not seen to be empty
                cell.metadata.pop(name, None)
        if is_solution(cell) or tags(cell) & {"check", "guess"}:
            cell.outputs = []
            cell.metadata.pop("mystnb", None)  # what the pictures show, in words
    return notebook


def write(paths: list[Path], folder: Path, answers: bool) -> None:
    """Write the student edition of chapters to an existing folder."""
    # Imported here: it takes a second, and needs the extra `teach`.
    from nbgrader import preprocessors
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    config = Config()
    config.ClearSolutions.code_stub = {"python": STUB}
    config.GenerateAssignment.no_database = True
    config.GenerateAssignment.preprocessors = [
        preprocessors.LockCells,
        preprocessors.ClearSolutions,
        preprocessors.ClearHiddenTests,
        preprocessors.ComputeChecksums,
        preprocessors.CheckCellMetadata,
    ]
    with tempfile.TemporaryDirectory() as root:
        course = CourseDirectory(root=root, assignment_id="course", config=config)
        source = Path(root, course.source_directory, "course")
        source.mkdir(parents=True)
        for path in paths:
            nbformat.write(without_what_tells(path, answers), source / path.name)
        converter = GenerateAssignment(coursedir=course, config=config)
        converter.log.setLevel("ERROR")
        converter.start()
        for path in paths:
            converted = Path(root, course.release_directory, "course", path.name)
            shutil.move(converted, folder / path.name)


@contextmanager
def renewed(folder: Path) -> Iterator[Path]:
    """Give a folder to fill, which takes the place of `folder` when all is done."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as temporary:
        new = Path(temporary) / "edition"
        new.mkdir()
        yield new
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="such as 4.4; default: all")
    parser.add_argument("--answers", action="store_true", help="keep the answers to questions")
    options = parser.parse_args()
    paths = choose(options.sections)
    with renewed(FOLDER) as folder:
        for name in ("README.md", "LICENSE"):
            shutil.copy(ROOT / name, folder)
        notebooks = folder / NOTEBOOKS.name
        notebooks.mkdir()
        write(paths, notebooks, options.answers)
    print(f"{len(paths)} chapters without solutions: {FOLDER / NOTEBOOKS.name}")


if __name__ == "__main__":
    run_tool(main)
