from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import yaml

from tools.course import ROOT, chapters, read, section
from tools.editions import student


@pytest.fixture(scope="session")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the student edition of three chapters."""
    folder = tmp_path_factory.mktemp("edition")
    student.write([p for p in chapters() if section(p) in ("0.1", "2.1", "2.3")], folder, False)
    return folder


@pytest.fixture(scope="session")
def right_answers() -> Callable[[str], dict[str, str]]:
    """Return a function that gives right answers to the exercises of a section."""

    def load(number: str) -> dict[str, str]:
        file = ROOT / "tests" / "course" / "answers" / f"{number}.yml"
        answers = yaml.safe_load(file.read_text(encoding="utf-8"))
        return {name: kinds["right"][0] for name, kinds in answers.items()}

    return load


@pytest.fixture(scope="session")
def hand_in(edition: Path) -> Callable[..., nbformat.NotebookNode]:
    """Return a function that writes a submission with answers, and returns its notebook.

    A function `change` may do with the notebook what students do.
    """

    def write(path: Path, answers: dict[str, str], number: str = "2.1", change=None):
        (chapter,) = edition.glob(f"{number}-*.ipynb")
        notebook = read(chapter)
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if name in answers:
                cell.source += f"\n\n{answers[name]}"  # below what is given
        if change:
            change(notebook)
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
        return notebook

    return write
