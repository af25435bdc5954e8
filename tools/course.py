"""The chapters, and the environment that they are executed in."""

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nbformat

from tools.terminal import ToolError, printable

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
BUILD = ROOT / "build"
SETTINGS = BUILD / "settings"
BADGES = re.compile(r"^(\[!\[|<!-- badges).*$", re.MULTILINE)
CHAPTER = re.compile(r"(\d+)\.(\d+)-[a-z0-9-]+\.ipynb")

# Set for every kernel that the project starts, so that a run can be compared with any other.
KERNEL_ENVIRONMENT = {
    "HELPERS_BOARD": "last",  # nbval does not know displays that are updated
    "HELPERS_OFFLINE": "1",  # the data was obtained before; a kernel does not download
    "OMP_NUM_THREADS": "1",  # two kernels run side by side, and sums do not depend on the machine
    "PYTHON_COLORS": "0",  # from 3.13 on, Python colours the traceback of a program in a notebook
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # the debugger's advice does not belong in an output
    # The settings of whoever runs a chapter must not show in its outputs.
    "IPYTHONDIR": str(SETTINGS / "ipython"),
    "MPLCONFIGDIR": str(SETTINGS / "matplotlib"),
    "JUPYTER_RUNTIME_DIR": str(SETTINGS / "runtime"),
    "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel named python3 is the one of this environment
}
KERNELS = "TOOLS_KERNELS"  # environment variable: where one of the tools keeps a kernel of its own
LONGEST_FOLDER = 70  # characters, so that a folder and the name of a socket follow
OWN_SETTINGS = {"MPLBACKEND", "MATPLOTLIBRC", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH"}
KEPT_OF_PYTHON = {"PYTHONPATH", "PYTHONUTF8", "PYTHONHOME"}

# Tags of cells whose outputs differ: by the run, by what is installed, or in their last digits.
NOT_COMPARED = {"timing", "machine", "measured"}
WORDS_PER_MINUTE, SECONDS_PER_CODE_CELL = 150, 20


def short_folder() -> str:
    """The folder for temporary files, or one with a shorter name.

    The name of a socket has at most 103 characters on macOS, and 107 on Linux.
    """
    folder = tempfile.gettempdir()
    is_short = os.name != "posix" or len(os.fsencode(folder)) <= LONGEST_FOLDER
    return folder if is_short else "/tmp"  # noqa: S108  # where each makes a folder of its own


def kernel_environment() -> dict[str, str]:
    """The environment of a kernel: that of this process, without the user's own settings."""
    for folder in ("ipython", "matplotlib", "runtime"):
        (SETTINGS / folder).mkdir(parents=True, exist_ok=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in OWN_SETTINGS and (not name.startswith("PYTHON") or name in KEPT_OF_PYTHON)
    }
    kernels = {"JUPYTER_PATH": os.environ[KERNELS]} if KERNELS in os.environ else {}
    # A kernel talks to the workers of its loaders through sockets in that folder.
    return {**kept, **KERNEL_ENVIRONMENT, **kernels, "TMPDIR": short_folder()}


def adopt_kernel_environment() -> None:
    """Let the kernels that this process starts have that environment."""
    environment = kernel_environment()
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)


def chapters() -> list[Path]:
    """The notebooks in the order of their numbers."""
    return sorted((path for path in NOTEBOOKS.glob("*.ipynb") if is_chapter(path)), key=number)


def is_chapter(path: Path) -> bool:
    return CHAPTER.fullmatch(path.name) is not None


def number(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in section(path).split("."))


def choose(sections: Sequence[str]) -> list[Path]:
    """The chapters of the given sections, such as 4.4, or all; says which notebook is none."""
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if not is_chapter(path):
            name = printable(path.name)
            print(f"{NOTEBOOKS.name}/{name} is left out: a chapter is named like 4.4-title.ipynb")
    by_section = {section(path): path for path in chapters()}
    unknown = sorted(set(sections) - set(by_section))
    if unknown:
        names = printable(", ".join(map(repr, unknown)))
        raise ToolError(f"No chapter {names}. There are: {', '.join(by_section)}")
    return [by_section[name] for name in sections or by_section]


def read(path: Path) -> nbformat.NotebookNode:
    """The notebook at `path`.

    Raises:
        ToolError: when it is none.
    """
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # whatever nbformat raises for what is no notebook
        raise ToolError(f"{printable(str(path))} cannot be read as a notebook: {error}") from error


def section(path: Path) -> str:
    """`4.4` for 4.4-softmax-regression-from-scratch.ipynb."""
    return path.stem.split("-")[0]


def title(notebook: nbformat.NotebookNode) -> str:
    """The first line of a chapter without its number sign."""
    first = notebook.cells[0].source if notebook.cells else ""
    return first.partition("\n")[0].removeprefix("# ") or "without a title"


def stated_seconds(notebook: nbformat.NotebookNode) -> float:
    """How long a chapter says that it runs; 0 if it does not say."""
    first = notebook.cells[0].source if notebook.cells else ""
    found = re.search(r"runs in (\d+) s", first)
    return float(found[1]) if found else 0


def count_words(cell: nbformat.NotebookNode) -> int:
    """The words of a text cell, without the badges of a published chapter."""
    return len(BADGES.sub("", cell.source).split())


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
            words += count_words(cell)
        else:
            code_cells += 1
    minutes = words / WORDS_PER_MINUTE + code_cells * SECONDS_PER_CODE_CELL / 60
    return max(5, 5 * round(minutes / 5)), exercises


def tags(cell: nbformat.NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))
