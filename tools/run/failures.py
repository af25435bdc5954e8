"""Why a notebook failed, in one line that a terminal can show."""

from contextlib import suppress
from pathlib import Path

import nbformat

from tools.run.executor import DEAD_KERNEL, TOO_MUCH
from tools.terminal import printable

NOBODY_TO_ASK = "input() has nobody to ask in a batch: use a parameter instead"


def explain(output: Path, log: Path, returncode: int) -> str:
    """The error of the cell that failed, or what ended its kernel or papermill."""
    cells = code_cells(output)
    errors = [o for cell in cells for o in cell.outputs if o.output_type == "error"]
    is_given_up = bool(errors) and errors[-1].ename == TOO_MUCH  # and its kernel with it
    if returncode == DEAD_KERNEL and not is_given_up:
        where = f"the kernel died in the cell that begins `{last_started_cell(cells)}`"
        return f"{where}: its code ended the process, or the system did for lack of memory"
    if errors:
        error = errors[-1]
        asks = error.ename == "StdinNotImplementedError"
        return f"{error.ename}: {NOBODY_TO_ASK if asks else error.evalue}"
    if returncode < 0:
        return f"papermill, which executes the notebook, was ended by signal {-returncode}"
    return last_line(log)


def one_line(message: str) -> str:
    return printable(" ".join(message.split()))[:300]


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    """The code cells of a notebook; none if it cannot be read."""
    with suppress(OSError, ValueError):
        return [
            cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"
        ]
    return []


def last_started_cell(cells: list[nbformat.NotebookNode]) -> str:
    """The first line of the cell that papermill started last."""
    started = [c for c in cells if c.metadata.get("papermill", {}).get("start_time")]
    return started[-1].source.strip().partition("\n")[0][:60] if started else ""


def last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "no message"
