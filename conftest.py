"""Lets the kernels that nbval and the tests start run as those of `make run` do."""

import signal
from pathlib import Path

import nbval.kernel
import pytest
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell

from helpers._internal.checksums import DataError
from helpers._internal.sources import default_root, load_files
from tools.compare import outside_bands
from tools.course import NOTEBOOKS, adopt_kernel_environment, is_chapter, section
from tools.run.forked_kernels import forking
from tools.run.kernels import OverSockets

adopt_kernel_environment()


def execute_with_history(self: RunningKernel, cell_input: str, allow_stdin: bool | None = None):
    """Execute a cell as a notebook does.

    nbval itself asks the kernel to keep no history. But that is where IPython looks for the
    semicolon which hides the value of a cell's last line.
    """
    return self.kc.execute(cell_input, allow_stdin=allow_stdin, stop_on_error=False)


RunningKernel.execute_cell_input = execute_with_history
# Forked as those of `make run`; and a port could be taken before the kernel has it.
nbval.kernel.KernelManager = forking(OverSockets)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out a notebook that is no chapter, such as one that JupyterLab calls Untitled."""
    stray = collection_path.suffix == ".ipynb" and not is_chapter(collection_path)
    return True if stray and collection_path.parent == NOTEBOOKS else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item):
    """Hold the figures in a chapter's cell to their bands, after nbval has executed it."""
    yield
    if isinstance(item, IPyNbCell) and item.test_outputs:
        problems = outside_bands(section(item.path), item.test_outputs)
        if problems:
            item.raise_cell_error("; ".join(problems))


def pytest_configure() -> None:
    """Heed Ctrl-C, which a shell lets those ignore that it starts in the background.

    What the tests start would ignore it, too, and some of them look at what comes of it.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch for the tests that take long, or that measure times."""
    parser.addoption("--weekly", action="store_true", help="also the tests marked weekly")
    parser.addoption(
        "--draw",
        type=int,
        default=0,
        metavar="SEED",
        help="execute the chapters' exercises with other parameters, drawn with this seed",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked weekly, unless it is asked for."""
    if config.getoption("--weekly"):
        return
    weekly = [item for item in items if item.get_closest_marker("weekly")]
    items[:] = [item for item in items if not item.get_closest_marker("weekly")]
    config.hook.pytest_deselected(items=weekly)


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Say what was left out."""
    if not config.getoption("--weekly"):
        terminalreporter.write_line(
            "Left out: the tests marked weekly, which `make test ARGS=--weekly` runs as well."
        )


def pytest_report_header() -> str:
    """Say on which data the chapters are compared: what they print belongs to the full set."""
    try:
        _, source = load_files(default_root())
    except DataError as error:
        return str(error)
    advice = ": chapters 4 and 5 print other numbers on it" if source == "sample" else ""
    return f"Fashion-MNIST: {source}{advice}"
