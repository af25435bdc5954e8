"""Execute chapters in place: their committed outputs become what the code gives now.

usage: python -m tools.refresh [SECTION...]    such as 4.4; default: all

A notebook with a cell that fails is left as it was.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools.course import ROOT, adopt_kernel_environment, choose, read
from tools.run.kernels import Manager
from tools.streams import joined
from tools.terminal import run_tool

BOARD_CHAPTER = "4.4-softmax-regression-from-scratch.ipynb"
BOARD_PICTURE = ROOT / "docs" / "pictures" / "training-board.svg"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "name": "python",
        "file_extension": ".py",
        "nbconvert_exporter": "python",  # or an exported script would keep `%pip` as it is
        "pygments_lexer": "ipython3",
    },
}


def execute(notebook: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """Execute a notebook in place, as if it lay in `folder`, and return it.

    What differs from machine to machine is taken out.
    """
    adopt_kernel_environment()
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        kernel_manager_class=Manager,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    # A figure that cannot be drawn leaves an error, and the cell still counts as executed.
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise CellExecutionError.from_cell_and_msg(cell, output)
        if "outputs" in cell:
            cell.outputs = joined(cell.outputs)
        describe_pictures(cell)
    notebook.metadata = nbformat.from_dict(METADATA)
    return notebook


def describe_pictures(cell: nbformat.NotebookNode) -> None:
    """Put what a cell's pictures show in words where the rendered course looks for it."""
    cell.metadata.pop("mystnb", None)
    words = [
        output.data.get("text/plain", "")
        for output in cell.get("outputs", [])
        if "image/svg+xml" in output.get("data", {})
    ]
    if words:
        cell.metadata["mystnb"] = {"image": {"alt": " ".join(". ".join(words).split())}}


def board_picture(notebook: nbformat.NotebookNode) -> str:
    """The last training board in a chapter: the README shows that of 4.4."""
    boards = [
        output.data["image/svg+xml"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "val_acc" in output.get("data", {}).get("text/plain", "")
        and "image/svg+xml" in output.data
    ]
    return boards[-1]


def refresh(path: Path) -> str:
    """Execute the chapter at `path` in place; return what went wrong, or nothing."""
    try:
        notebook = execute(read(path), path.parent)
    except CellExecutionError as error:
        return f"{path.name} was left as it was, since a cell failed:\n{error}"
    nbformat.write(notebook, path)
    if path.name == BOARD_CHAPTER:
        BOARD_PICTURE.write_text(board_picture(notebook), encoding="utf-8")
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="such as 4.4; default: all")
    paths = choose(parser.parse_args().sections)
    failed = False
    with ProcessPoolExecutor(2) as pool:
        for path, problem in zip(paths, pool.map(refresh, paths), strict=True):
            print(problem or f"{path.name}: executed", flush=True)
            failed = failed or bool(problem)
    return int(failed)


if __name__ == "__main__":
    run_tool(main)
