"""Kernels that are forked from a process with all imports, beside those that are started."""

import json
import re
import subprocess
import sys
import textwrap
from statistics import median

import nbformat
import pytest

from tools.course import ROOT
from tools.run.preloaded import HAS_FORK
from tools.run.processes import TREE_ID

pytestmark = pytest.mark.skipif(not HAS_FORK, reason="kernels are forked on Linux only")

FACTS = """
import gc, json, locale, multiprocessing, os, random, signal, sys, threading
import numpy, pandas, torch, torchvision

print(json.dumps({
    "path": sys.path,
    "arguments": sys.argv[:2],
    "environment": dict(os.environ),
    "folder": os.path.basename(os.getcwd()),
    "process": [multiprocessing.current_process().name, multiprocessing.parent_process() is None],
    "threads": sorted(t.name.partition("-")[0] for t in threading.enumerate()),
    "session": os.getsid(0) == os.getpid(),
    "signals": [str(signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)],
    "locale": locale.setlocale(locale.LC_ALL),
    "module": [hasattr(sys.modules["__main__"], "__file__"), __name__],
    "tools": [name for name in sys.modules if name.partition(".")[0] == "tools"],
    "collector": [gc.isenabled(), gc.get_threshold()],
    "torch": [torch.get_num_threads(), str(torch.get_default_dtype())],
    "standard input": os.isatty(0),
}))
"""
RANDOM = """
import random, tempfile, uuid
import numpy, torch

print([numpy.random.rand(), torch.rand(1).item(), random.random()])
print([str(uuid.uuid4()), tempfile.mktemp()])
"""
SHOWS = """
import helpers, pandas as pd, torch, warnings

print("printed", end="")
print()
helpers.plot(torch.arange(3), [torch.arange(3)], "x", "y")
"""
WORKS = """
torch.manual_seed(0)
data = helpers.FashionMNIST(limit=64, num_workers=2)
helpers.Trainer(1).fit(helpers.SoftmaxRegression(10, lr=0.1), data)
"""
TABLE = "pd.DataFrame({f'a long name of column {i}': [i] for i in range(30)})"
WARNING = "warnings.warn('careful'); warnings.warn('old', DeprecationWarning)"
FAILS = "def f():\n    return 1 / 0\n\nf()"


def outputs(folder, name):
    notebook = nbformat.read(folder / "notebooks" / f"{name}.ipynb", as_version=4)
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


@pytest.fixture(scope="module")
def folders(tmp_path_factory, write_notebook, run_notebooks):
    """Return the folder of a run whose kernels were forked, and of one whose were started."""
    folder = tmp_path_factory.mktemp("preloaded")
    write_notebook(folder / "facts.ipynb", FACTS)
    write_notebook(folder / "random.ipynb", RANDOM)
    write_notebook(folder / "random2.ipynb", RANDOM)
    write_notebook(folder / "shows.ipynb", SHOWS, TABLE, WARNING, WORKS, FAILS)
    made = []
    for options in ([], ["--fresh"]):
        made.append(folder / f"out{len(options)}")
        status = run_notebooks("--notebooks", folder, "--trust", "--output", made[-1], *options)
        assert status == 1  # the error in shows.ipynb
    return made


def test_a_forked_kernel_is_as_one_that_was_started(folders):
    forked, started = (json.loads(outputs(folder, "facts")[0].text) for folder in folders)
    environments = [facts.pop("environment") for facts in (forked, started)]
    assert forked == started
    forked, started = (set(environment.items()) for environment in environments)
    of_torch = {"TORCHINDUCTOR_CACHE_DIR"}  # it sets that one when it is imported
    assert {name for name, _ in forked ^ started} - of_torch == {"JPY_PARENT_PID", TREE_ID}


def test_outputs_are_the_same_to_the_byte(folders):
    forked, started = (outputs(folder, "shows") for folder in folders)
    kinds = [output.output_type for output in started]
    assert set(kinds) == {"stream", "display_data", "execute_result", "error"}
    assert kinds.count("display_data") == 2
    assert without_numbers(forked) == without_numbers(started)


def without_numbers(outputs):
    """The outputs without the number of the process, after which a cell's file is named."""
    return re.sub(r"ipykernel_\d+", "ipykernel", json.dumps(outputs))


def test_each_kernel_has_random_numbers_of_its_own(folders):
    first, second = (outputs(folders[0], name)[0].text for name in ("random", "random2"))
    assert set(re.findall(r"[^][, \n]+", first)).isdisjoint(re.findall(r"[^][, \n]+", second))


def test_the_server_has_one_thread_and_is_asked_for_nothing_else(
    tmp_path, write_notebook, run_notebooks
):
    look = """
        import json, psutil
        server = psutil.Process().parents()[1]
        print(json.dumps([server.cmdline()[-2:], server.num_threads(), sorted(server.environ())]))
    """
    write_notebook(tmp_path / "looks.ipynb", "\n".join(map(str.strip, look.splitlines())))
    write_notebook(tmp_path / "second.ipynb", "1")
    options = ["--notebooks", tmp_path, "--trust", "--jobs", 1, "--output", tmp_path / "out"]
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("SECRET", "hush")
        assert run_notebooks(*options) == 0
    command, threads, environment = json.loads(outputs(tmp_path / "out", "looks")[0].text)
    assert command == ["tools.run.entry", "serve"]
    assert threads == 1
    assert "SECRET" not in environment


def test_without_its_server_a_run_goes_on(
    tmp_path, write_notebook, run_notebooks, left_behind, capsys
):
    write_notebook(tmp_path / "1.ipynb", "import psutil", "psutil.Process().parents()[1].kill()")
    write_notebook(tmp_path / "2.ipynb", "print(seed)")
    options = ["--notebooks", tmp_path, "--trust", "--jobs", 1, "--output", tmp_path / "out"]
    assert run_notebooks(*options) == 1
    assert "1.ipynb failed: papermill, which executes the notebook, was ended" in (
        capsys.readouterr().out
    )
    assert outputs(tmp_path / "out", "2")[0].text == "0\n"
    assert left_behind(tmp_path) == []


def test_where_a_sandbox_cannot_be_entered_it_says_so_and_ends():
    """So the kernel is started in the sandbox, as where there is no fork."""
    source = """
        import os
        from tools.run.waiting_kernel import WaitingKernel

        kernel = WaitingKernel(os.open(os.devnull, os.O_RDONLY))
        in_no_sandbox = os.getpid()
        print(kernel.start([], {}, "/", in_no_sandbox), kernel.wait())
    """
    command = [sys.executable, "-c", textwrap.dedent(source)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.stdout == "False 1\n"
    assert "could not join the sandbox" in run.stderr


@pytest.mark.weekly
def test_a_forked_kernel_starts_in_a_third_of_the_time(run_notebooks, write_notebook, tmp_path):
    for name in "abcde":
        write_notebook(tmp_path / f"{name}.ipynb", "import pandas, torchvision, helpers")
    seconds = []
    for switch in ([], ["--fresh"]):
        options = ["--notebooks", tmp_path, "--output", tmp_path / "out", "--jobs", "1"]
        assert run_notebooks(*options, "--trust", *switch) == 0
        report = json.loads((tmp_path / "out" / "report.json").read_text())
        seconds.append(median(result["seconds"] for result in report))
    assert seconds[0] <= seconds[1] / 3
