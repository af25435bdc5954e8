"""Kernels that nbval and the tests start: forked, and as useful as those that are started."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import nbval.kernel
import psutil
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook

from tools.course import ROOT
from tools.run.forked_kernels import forking
from tools.run.kernels import Manager
from tools.run.preloaded import HAS_FORK
from tools.run.processes import is_alive

pytestmark = pytest.mark.skipif(not HAS_FORK, reason="kernels are forked on Linux only")
LOOK = "import sys, os\nprint(sorted({'torch', 'tools', 'pytest'} & set(sys.modules)), os.getpid())"


def text(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


def test_it_has_the_imports_and_nothing_of_ours(run_cells):
    (cell,) = run_cells(LOOK)
    assert text(cell).startswith("['torch'] ")
    assert os.getpid() not in psutil.Process(int(text(cell).split()[-1])).parents()[:1]


def test_nbval_has_such_kernels():
    manager, client = nbval.kernel.start_new_kernel(kernel_name="python3")
    try:
        shown = []
        client.execute_interactive(LOOK, output_hook=shown.append)
        texts = [message["content"].get("text", "") for message in shown]
        assert "".join(texts).startswith("['torch'] ")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_kernel_of_another_python_is_started(tmp_path, monkeypatch):
    """Such as that of `make colab`."""
    folder = tmp_path / "kernels" / "other"
    folder.mkdir(parents=True)
    argv = ["/usr/bin/env", sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Other", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    notebook = new_notebook(cells=[new_code_cell(LOOK)])
    NotebookClient(notebook, kernel_name="other", kernel_manager_class=forking(Manager)).execute()
    assert text(notebook.cells[0]).startswith("[] ")


def test_it_is_interrupted_and_goes_on(kernel, run_cells):
    kernel.timeout, kernel.interrupt_on_timeout = 2, True
    kernel.error_on_timeout = {"ename": "TimeoutError", "evalue": "", "traceback": []}
    try:
        waiting, after = run_cells("import time\ntime.sleep(100)", "1 + 1", allow_errors=True)
    finally:
        kernel.timeout, kernel.interrupt_on_timeout = 120, False
    assert "KeyboardInterrupt" in str(waiting.outputs)
    assert after.outputs[0].data["text/plain"] == "2"


def test_it_ends_when_the_program_that_wanted_it_is_killed():
    program = """
        import asyncio, time
        from tools.run.forked_kernels import forking
        from tools.run.kernels import Manager

        manager = forking(Manager)(kernel_name="python3")
        asyncio.run(manager.start_kernel())
        print(manager.provisioner.pid, flush=True)
        time.sleep(1000)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert process.stdout
    kernel = psutil.Process(int(process.stdout.readline()))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 60
    while is_alive(kernel):
        assert time.monotonic() < deadline, "the kernel is still there"
        time.sleep(0.1)


def test_that_it_has_died_is_noticed():
    cells = [new_code_cell("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")]
    client = NotebookClient(
        new_notebook(cells=cells), kernel_name="python3", kernel_manager_class=forking(Manager)
    )
    with pytest.raises(DeadKernelError):
        client.execute()
