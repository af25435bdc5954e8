from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook


@pytest.fixture
def run_cells(tmp_path: Path) -> Callable[..., nbformat.NotebookNode]:
    """Return a function that executes code cells in a real kernel and returns the notebook."""

    def run(*sources: str, **options) -> nbformat.NotebookNode:
        notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
        resources = {"metadata": {"path": str(tmp_path)}}
        client = NotebookClient(notebook, kernel_name="python3", timeout=120, resources=resources)
        for name, value in options.items():
            setattr(client, name, value)
        return client.execute()

    return run
