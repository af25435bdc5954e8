"""The chapters, and the environment that they are executed in."""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
BUILD = ROOT / "build"

# Set for every kernel that the project starts, so that a run can be compared with any other.
KERNEL_ENVIRONMENT = {
    "HELPERS_BOARD": "last",  # nbval does not know displays that are updated
    "HELPERS_OFFLINE": "1",  # the data was obtained before; a kernel does not download
    "OMP_NUM_THREADS": "1",  # two kernels run side by side, and sums do not depend on the machine
    "PYTHON_COLORS": "0",  # from 3.13 on, Python colours the traceback of a program in a notebook
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # the debugger's advice does not belong in an output
}

# Tags of cells whose outputs differ: by the run, by what is installed, or in their last digits.
NOT_COMPARED = {"timing", "machine", "measured"}
WORDS_PER_MINUTE, SECONDS_PER_CODE_CELL = 150, 20


def kernel_environment() -> dict[str, str]:
    return {**os.environ, **KERNEL_ENVIRONMENT}


def chapters() -> list[Path]:
    """The notebooks in the order of their numbers."""
    return sorted(NOTEBOOKS.glob("*.ipynb"))


def choose(sections: Sequence[str]) -> list[Path]:
    """The chapters of the given sections, such as 4.4, or all."""
    by_section = {section(path): path for path in chapters()}
    unknown = sorted(set(sections) - set(by_section))
    if unknown:
        sys.exit(f"No chapter {', '.join(map(repr, unknown))}. There are: {', '.join(by_section)}")
    return [by_section[name] for name in sections or by_section]


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def section(path: Path) -> str:
    """`4.4` for 4.4-softmax-regression-from-scratch.ipynb."""
    return path.stem.split("-")[0]


def title(notebook: nbformat.NotebookNode) -> str:
    """The first line of a chapter without its number sign."""
    return notebook.cells[0].source.splitlines()[0].removeprefix("# ")


def stated_seconds(notebook: nbformat.NotebookNode) -> float:
    """How long a chapter says that it runs."""
    (seconds,) = re.findall(r"runs in (\d+) s", notebook.cells[0].source)
    return float(seconds)


def reading(notebook: nbformat.NotebookNode) -> tuple[int, int]:
    """How many minutes the main text of a chapter takes to read, and its exercises to do.

    150 words a minute and 20 seconds for each cell of code, to the nearest five minutes.
    """
    words = code_cells = exercises = 0
    for cell in notebook.cells:
        exercises += sum(map(int, re.findall(r"^### Exercise .*?(\d+) min\)$", cell.source, re.M)))
        if exercises:
            continue
        if cell.cell_type == "markdown":
            words += len(cell.source.split())
        else:
            code_cells += 1
    minutes = words / WORDS_PER_MINUTE + code_cells * SECONDS_PER_CODE_CELL / 60
    return max(5, 5 * round(minutes / 5)), exercises


def tags(cell: nbformat.NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))
