"""Hold an executed chapter against what it must give.

usage: python -m tools.compare [-p NAME VALUE]... [SECTION...]    such as 4.4; default: all

Executes each chapter twice, with papermill and with nbclient, and names the cells whose outputs
differ: the same code gives the same bytes, but for cells whose tag says that they vary.
"""

import re
import sys
import tempfile
from functools import cache
from pathlib import Path

import nbformat
import yaml

from tools import refresh
from tools.course import NOT_COMPARED, ROOT, read, section, tags
from tools.terminal import run_tool

BANDS = ROOT / "tests" / "course" / "bands.yml"


def text_of(output: nbformat.NotebookNode) -> str:
    """What a reader of text sees of an output."""
    return output.get("text") or output.get("data", {}).get("text/plain", "")


@cache
def bands(of_section: str) -> dict[str, list[float]]:
    """The figures of a section and their bands: a pattern with one group, smallest, largest."""
    return yaml.safe_load(BANDS.read_text(encoding="utf-8")).get(of_section) or {}


def figures(pattern: str, outputs: list[nbformat.NotebookNode]) -> list[float]:
    """The numbers that a pattern finds in outputs."""
    found = (re.findall(pattern, text_of(output)) for output in outputs)
    return [float(number) for numbers in found for number in numbers]


def outside_bands(of_section: str, outputs: list[nbformat.NotebookNode]) -> list[str]:
    """A sentence for each figure in the outputs that is not where bands.yml wants it."""
    return [
        f"{pattern.replace('(.*)', f'{figure:g}')}, expected {low:g} to {high:g} (bands.yml)"
        for pattern, (low, high) in bands(of_section).items()
        for figure in figures(pattern, outputs)
        if not low <= figure <= high
    ]


def differences(one: nbformat.NotebookNode, other: nbformat.NotebookNode) -> list[str]:
    """The code of the cells whose outputs differ between two executions of the same notebook."""
    return [
        cell.source
        for cell, again in zip(one.cells, other.cells, strict=True)
        if cell.cell_type == "code" and not tags(cell) & NOT_COMPARED
        if uncounted(cell.outputs) != uncounted(again.outputs)
    ]


def uncounted(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """The outputs without the number of the execution."""
    return [nbformat.from_dict({**output, "execution_count": None}) for output in outputs]


def repeat(executed: Path, folder: Path) -> list[str]:
    """Execute again what papermill left at `executed`; return what differs.

    `folder` is where the chapter lies.
    """
    notebook = read(executed)
    again = refresh.execute(read(executed), folder)
    return differences(notebook, again)


def main() -> int:
    from tools.run.__main__ import main as run

    with tempfile.TemporaryDirectory() as output:
        sys.argv += ["--output", output]
        failed = run() != 0
        for path in sorted(Path(output, "notebooks").glob("*.ipynb")):
            differing = repeat(path, ROOT / "notebooks")
            for source in differing:
                print(f"{section(path)}: another output at the second execution of\n{source}\n")
            failed = failed or bool(differing)
            print(f"{path.name}: {'differs' if differing else 'the same twice'}", flush=True)
    return int(failed)


if __name__ == "__main__":
    run_tool(main)
