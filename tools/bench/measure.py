"""Takes the times: in kernels that stay, in fresh kernels, and in fresh processes."""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tools.bench.jobs import JOBS, PROCESSES, WARM, preparation
from tools.bench.rows import BARE, D2L, Row
from tools.course import BUILD, ROOT
from tools.run.kernels import Manager
from tools.terminal import ToolError

D2L_FOLDER = BUILD / "d2l"
FITS = ("sweep", "softmax", "mlp")


def environment(side: str) -> dict[str, str]:
    """The environment of a side: the board draws as it does for a learner."""
    variables = {**os.environ, "HELPERS_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    if side == D2L:
        variables["PYTHONPATH"] = str(D2L_FOLDER)
    variables.pop("HELPERS_BOARD", None)
    return variables


class Kernel:
    """A running kernel that executes cells and says how long each took."""

    def __init__(self, client: NotebookClient) -> None:
        self.client = client

    def run(self, source: str):
        """Execute a cell and return it with its outputs."""
        cells = self.client.nb.cells
        cells.append(new_code_cell(source))
        return self.client.execute_cell(cells[-1], len(cells) - 1)


@contextmanager
def kernel(side: str, folder: Path):
    """Start a kernel in `folder`, and end it afterwards."""
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(
        new_notebook(),
        kernel_name="python3",
        kernel_manager_class=Manager,
        timeout=None,
        resources=resources,
        extra_arguments=["--log-level=ERROR"],  # a line of advice at each start is no error
    )
    with client.setup_kernel(env=environment(side)):
        yield Kernel(client)


def seconds(cell) -> float:
    """How long a cell took by the kernel's clock, with what it shows when it ends."""
    times = cell.metadata.execution
    start, end = (times[f"iopub.status.{state}"] for state in ("busy", "idle"))
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


class Bench:
    """Measures rows, one side at a time. What it needs is started when it is first asked for.

    `job_sizes` are those of `jobs.sizes`, for a quick trial.
    """

    def __init__(self, folder: Path, **job_sizes: int) -> None:
        self.folder, self.work, self.job_sizes = folder, folder / "notebooks", job_sizes
        self.work.mkdir(parents=True, exist_ok=True)
        self.stack = ExitStack()
        self.kernels: dict[str, Kernel] = {}
        self.cells: dict = {}

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *error) -> None:
        self.stack.close()

    def measure(self, row: Row, side: str) -> float:
        """Measure one row on one side, once, in the row's unit."""
        return getattr(self, row.how)(row.name, side)

    def warm(self, name: str, side: str) -> float:
        """Run a job in a kernel that has everything imported and loaded."""
        if side not in self.kernels:
            self.kernels[side] = self.stack.enter_context(kernel(side, self.work))
            self.kernels[side].run(preparation(side, **self.job_sizes))
            self.kernels[side].run(WARM[side])
        self.cells[name, side] = self.kernels[side].run(JOBS[name][side])
        return seconds(self.cells[name, side])

    def fresh(self, name: str, side: str) -> float:
        """Run the first fit of a kernel that has its data, and nothing else, in memory."""
        with kernel(side, self.work) as fresh_kernel:
            fresh_kernel.run(preparation(side, **{**self.job_sizes, "epochs": 1}))
            return seconds(fresh_kernel.run(JOBS["softmax"][side]))

    def process(self, name: str, side: str) -> float:
        """Time a statement in a fresh process."""
        before, statement = PROCESSES[name][side]
        code = f"import time\n{before}\nstart = time.perf_counter()\n{statement}\n"
        code += "print('\\n', time.perf_counter() - start)"
        run = subprocess.run(
            [sys.executable, "-c", code],
            cwd=self.work,
            env=environment(side),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return float(run.stdout.split()[-1])

    def outputs(self, name: str, side: str) -> float:
        """Count the megabytes that the outputs of the fits take in a notebook."""
        for fit in FITS:
            if (fit, side) not in self.cells:
                self.warm(fit, side)
        return sum(len(json.dumps(self.cells[fit, side].outputs)) for fit in FITS) / 1e6

    def course(self, name: str, side: str) -> float:
        """Execute every chapter as `make run` does; the bare loop beside it is that of the MLP."""
        if side == BARE:
            return self.warm("mlp", BARE)
        command = [sys.executable, "-m", "tools.run", "--jobs", "2", "--output", str(self.folder)]
        start = time.perf_counter()
        run = subprocess.run(command, cwd=ROOT, env=environment(side), stdout=subprocess.DEVNULL)
        if run.returncode != 0:
            raise ToolError(
                f"A chapter failed, so there is no time for all: see {self.folder}/report.json"
            )
        return time.perf_counter() - start
