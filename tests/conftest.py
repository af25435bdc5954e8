import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import nbformat
import psutil
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers._internal import sources
from helpers._internal.checksums import FULL, SAMPLE, DataError, read_folder
from tools.course import chapters, section
from tools.run import __main__ as run
from tools.run import batch
from tools.run.forked_kernels import forking, server
from tools.run.kernels import Manager

collect_ignore = ["misbehaving"]  # no chapters: nbval must not execute them


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    """Close the figures that a test leaves open: the next test in the process must not find them.

    Which modules share a process is up to pytest-xdist, and differs from run to run.
    """
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotebookClient]:
    """Start a real kernel, in an empty folder, for all tests of a module."""
    resources = {"metadata": {"path": str(tmp_path_factory.mktemp("kernel"))}}
    client = NotebookClient(
        new_notebook(),
        kernel_name="python3",
        kernel_manager_class=forking(Manager),
        timeout=120,
        resources=resources,
    )
    with client.setup_kernel():
        yield client


@pytest.fixture
def run_cells(kernel: NotebookClient) -> Callable[..., list[nbformat.NotebookNode]]:
    """Return a function that executes code cells, without the variables of earlier ones."""

    def execute(*sources: str, allow_errors: bool = False) -> list[nbformat.NotebookNode]:
        kernel.allow_errors = allow_errors
        cells = [new_code_cell(source) for source in ("%reset -f", *sources)]
        for cell in cells:
            kernel.nb.cells.append(cell)
            kernel.execute_cell(cell, len(kernel.nb.cells) - 1)
        return cells[1:]

    return execute


@pytest.fixture(scope="session")
def chapter() -> Callable[[str], Path]:
    """Return a function that finds the chapter of a section, or skips where it was taken out."""

    def find(number: str) -> Path:
        found = [path for path in chapters() if section(path) == number]
        if not found:
            pytest.skip(f"this course has no chapter {number}")
        return found[0]

    return find


@pytest.fixture(scope="session")
def write_notebook() -> Callable[..., None]:
    """Return a function that writes a notebook of a title, a cell of parameters, and code cells."""

    def write(path: Path, *sources: str, parameters: str = "seed = 0  # a seed") -> None:
        title = new_markdown_cell("# 1.1 A test\n\n≈ 1 min to read · runs in 3 s on a CPU")
        first = new_code_cell(parameters, metadata={"tags": ["parameters"]})
        cells = [title, first, *map(new_code_cell, sources)]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)

    return write


@pytest.fixture(scope="session")
def run_notebooks() -> Callable[..., int]:
    """Return a function that calls `python -m tools.run` with arguments; it returns the status."""

    def call(*arguments: object) -> int:
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(sys, "argv", ["run", *map(str, arguments)])
            return run.main()

    return call


@pytest.fixture(scope="module")
def one_fork_server() -> Iterator[None]:
    """Let the runs of a module fork from one server: to start its own takes each some seconds."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(batch, "preload", lambda _: nullcontext(server()))
        yield


@pytest.fixture(scope="session")
def left_behind() -> Callable[..., list[psutil.Process]]:
    """Return a function that finds the processes which have to do with a folder.

    TEST_FOLDER=folder is in their environment, or they work in the folder or have one of its files
    open. What is forked has the environment that the fork server was started with. It waits for
    some seconds until there are none: one that was killed may take a moment to be gone.
    """

    def is_of(process: psutil.Process, folder: Path) -> bool:
        if process.environ().get("TEST_FOLDER") == str(folder):
            return True
        paths = [process.cwd(), *(file.path for file in process.open_files())]
        return any(Path(path).is_relative_to(folder) for path in paths)

    def look(folder: Path) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if is_of(process, folder):
                    found.append(process)
        return found

    def find(folder: Path, patience: float = 10) -> list[psutil.Process]:
        deadline = time.monotonic() + patience
        while (found := look(folder)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    return find


@pytest.fixture(scope="session")
def sample_files() -> dict[str, bytes]:
    """Return the content of the sample's four files by name."""
    return read_folder(sources.SAMPLE_FOLDER, SAMPLE)


@pytest.fixture(scope="session")
def full_set() -> dict[str, bytes]:
    """Return the files of the full set, or skip where they are not."""
    for _, find in sources.local_sources():
        try:
            return read_folder(find(sources.default_root()), FULL)
        except DataError:
            continue
    pytest.skip("the full set of Fashion-MNIST is not here: make data, with a network")


@pytest.fixture
def copy_sample() -> Callable[[Path], Path]:
    """Return a function that copies the sample's four files to a folder and returns it."""

    def copy(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name in SAMPLE:
            shutil.copy(sources.CHECKOUT_DATA / "fashion-mnist-sample" / f"{name}.gz", folder)
        return folder

    return copy


@pytest.fixture
def data_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return an empty folder for data, and let the sample's files stand for the full set.

    So a test can make and break copies. Nothing is downloaded unless the test plays it.
    """

    def refuse(folder: Path, deadline: float) -> Path:
        raise DataError("no network here")

    monkeypatch.setattr(sources, "FULL", SAMPLE)
    monkeypatch.setattr(sources, "SYSTEM_FOLDER", tmp_path / "system")
    monkeypatch.setattr(sources, "mirror_download", refuse)
    monkeypatch.setattr(sources, "apt_download", refuse)
    monkeypatch.delenv("HELPERS_OFFLINE")
    return tmp_path / "data"
