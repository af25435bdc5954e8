"""Lets the kernels that nbval and the tests start run as those of `make run` do."""

import os

from nbval.kernel import RunningKernel

from helpers._internal.checksums import DataError
from helpers._internal.sources import default_root, load_files
from tools.course import KERNEL_ENVIRONMENT

os.environ.update(KERNEL_ENVIRONMENT)


def execute_with_history(self: RunningKernel, cell_input: str, allow_stdin: bool | None = None):
    """Execute a cell as a notebook does.

    nbval itself asks the kernel to keep no history. But that is where IPython looks for the
    semicolon which hides the value of a cell's last line.
    """
    return self.kc.execute(cell_input, allow_stdin=allow_stdin, stop_on_error=False)


RunningKernel.execute_cell_input = execute_with_history


def pytest_report_header() -> str:
    """Say on which data the chapters are compared: what they print belongs to the full set."""
    try:
        _, source = load_files(default_root())
    except DataError as error:
        return str(error)
    advice = ": chapters 4 and 5 print other numbers on it" if source == "sample" else ""
    return f"Fashion-MNIST: {source}{advice}"
