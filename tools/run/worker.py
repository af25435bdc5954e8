"""Executes a notebook on a worker of a cluster, and sends back what came out."""

import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from distributed import get_worker

from tools.run.batch import Run
from tools.run.limits import Limits
from tools.run.preloaded import HAS_FORK, Preloaded
from tools.run.result import Result
from tools.run.sandbox import obstacle

STARTING = threading.Lock()
SERVERS: list[Preloaded] = []  # one for this process, once a job has needed it


class Released(threading.Event):
    """Is set when nobody waits for the result of this thread's task any more."""

    def __init__(self) -> None:
        super().__init__()
        self.worker = get_worker()
        self.key = self.worker.get_current_task()

    def is_set(self) -> bool:
        task = self.worker.state.tasks.get(self.key)
        return task is None or task.state == "cancelled"

    def wait(self, timeout: float | None = None) -> bool:
        time.sleep(timeout or 0)
        return self.is_set()


def server() -> Preloaded | None:
    """The process that kernels are forked from, which lives as long as this worker."""
    with STARTING:
        if not SERVERS and HAS_FORK:
            started = Preloaded()
            if not started.is_ready():
                return None
            SERVERS.append(started)
    return SERVERS[0] if SERVERS else None


def execute(job: dict[str, Any]) -> dict[str, Any]:
    """Execute a notebook; return the fields of its result, and the files that it left.

    Args:
        job: `name` of the notebook, `files` by their names, `parameters`, `limits`, and flags, as
            in tools.run.batch.Run.
    """
    with tempfile.TemporaryDirectory(prefix="job-") as temporary:
        root = Path(temporary, "notebooks")
        for name, content in job["files"].items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        run = Run(
            Path(temporary, "out", "notebooks"), job["parameters"], root, Limits(**job["limits"])
        )
        run.own_folders, run.sandbox, run.isolated = (
            job[flag] for flag in ("own_folders", "sandbox", "isolated")
        )
        run.offline = run.sandbox  # the scheduler is within reach of the worker
        run.server, run.stop = server() if job["preload"] else None, Released()
        notebook = root / job["name"]
        result = refused(run, notebook) or run.execute(notebook)
        output = run.folder / job["name"]
        left = [path for path in (output, output.with_suffix(".log")) if path.exists()]
        return {**asdict(result), "files": {path.suffix: path.read_bytes() for path in left}}


def refused(run: Run, notebook: Path) -> Result | None:
    """Why a notebook is not executed here, or None."""
    problem = obstacle() if run.sandbox or run.isolated else ""
    if not problem:
        return None
    message = f"no sandbox on the worker {get_worker().address}: {problem}"
    return Result(run.name(notebook), "", 0, 0, "failed", message, "")
