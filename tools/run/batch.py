"""Notebooks executed with papermill, several at a time, within limits."""

import json
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

import psutil

from tools.course import ROOT, kernel_environment, section
from tools.run import done
from tools.run.cluster import Cluster
from tools.run.executor import CELL_LIMIT, OUTPUT_LIMIT
from tools.run.failures import explain, one_line
from tools.run.files import PYTHON, copy_neighbours, language_of, parameter_names, template
from tools.run.kernels import ISOLATED, OFFLINE, SANDBOX
from tools.run.limits import Limits
from tools.run.preloaded import Preloaded, preload
from tools.run.processes import TREE_ID, ProcessTree, new_tree_id
from tools.run.progress import Progress
from tools.run.result import Result
from tools.terminal import printable

CHECK_EVERY = 0.1  # seconds between two looks at a running notebook


@dataclass
class Run:
    """One run over several notebooks, and the limits for each."""

    folder: Path
    parameters: dict[str, str]
    root: Path  # the notebooks are called by their path from here
    limits: Limits = field(default_factory=Limits)
    own_folders: bool = False  # each notebook works in a folder of its own, under `scratch`
    sandbox: bool = False  # and can write nowhere else
    isolated: bool = False  # a kernel sees helpers and data, and nothing else
    stop: threading.Event = field(default_factory=threading.Event)
    preload: bool = True  # fork the processes from one that has imported what they need
    server: Preloaded | None = None
    cluster: Cluster | None = None  # workers that execute the notebooks in place of this machine
    offline: bool = False  # a kernel in a sandbox has no network
    resume: bool = False  # what an earlier run has executed to its end is not executed again

    def execute(self, notebook: Path) -> Result:
        """Execute one notebook, unless that was done before; what goes wrong is in the result."""
        output, given = self.folder / self.name(notebook), done.inputs(self, notebook)
        if self.resume and (before := done.recall(output, given)):
            return before
        done.forget(output)
        execute = self.cluster.execute if self.cluster else Run._execute_here
        result = execute(self, notebook)
        if self.is_done(notebook, result):
            done.remember(output, result, given)
        return result

    def is_done(self, notebook: Path, result: Result) -> bool:
        """Whether a notebook was executed to its end, so that it need not be executed again."""
        return result.status == "ok"

    def _execute_here(self, notebook: Path) -> Result:
        """Execute one notebook in a process of its own."""
        name = self.name(notebook)
        output, start = self.folder / name, time.perf_counter()
        try:
            status, message, peak = self._watch(notebook, output)
        except OSError as error:  # such as a full disk
            status, message, peak = "failed", str(error), 0
        return Result(
            notebook=name,
            section=section(notebook),
            seconds=time.perf_counter() - start,
            peak_mb=peak // 2**20,
            status=status,
            message=one_line(message),
            output=str(output) if output.exists() else "",
        )

    def parameters_of(self, notebook: Path) -> dict[str, str]:
        """The parameters that one notebook is executed with, as far as it has them."""
        return self.parameters

    def name(self, notebook: Path) -> str:
        """What a notebook is called in the report: its path from `root`."""
        return notebook.relative_to(self.root).as_posix()

    def _watch(self, notebook: Path, output: Path) -> tuple[str, str, int]:
        """Return the status, the reason for it, and the most bytes that were in use."""
        output.parent.mkdir(parents=True, exist_ok=True)
        output.unlink(missing_ok=True)  # what an earlier run left says nothing about this one
        language = language_of(notebook)
        if language.lower() not in PYTHON:
            return "failed", f"it is written in {language}; only Python is executed", 0
        log = output.with_suffix(".log")
        own = self._own_folder(notebook)
        tree_id = new_tree_id()
        env = {**kernel_environment(), TREE_ID: tree_id, OUTPUT_LIMIT: str(self.limits.output_mb)}
        if self.isolated or self.sandbox:
            env[SANDBOX] = ISOLATED if self.isolated else str(own)
        if self.offline:
            env[OFFLINE] = "1"
        if self.limits.cell_seconds:
            env[CELL_LIMIT] = str(self.limits.cell_seconds)
        start, peak, status, message = time.perf_counter(), 0, "", ""
        with (
            log.open("w") as log_file,
            ProcessTree(
                self._start(self._arguments(notebook, output, own / "notebooks"), env, log_file),
                tree_id,
            ) as tree,
        ):
            while not status and tree.root.poll() is None:
                memory = tree.measure_memory()
                peak = max(peak, memory)
                seconds, log_size = time.perf_counter() - start, log.stat().st_size
                processes = len(tree.members)
                status, message = self.limits.exceeded(seconds, memory, log_size, processes)
                if self.stop.wait(CHECK_EVERY):
                    status, message = "stopped", "the run was stopped"
        if not status:
            returncode = tree.root.returncode
            status, message = "ok", ""
            if returncode:
                status, message = "failed", explain(output, log, returncode)
        return status, message, peak

    def _own_folder(self, notebook: Path) -> Path:
        """Where a notebook works, in `notebooks`; some chapters write to `../data`, too."""
        own = self.folder.parent
        if self.own_folders:
            own = own / "scratch" / self.name(notebook)
            shutil.rmtree(own, ignore_errors=True)
            copy_neighbours(notebook, own / "notebooks", self.folder.parent)
        (own / "notebooks").mkdir(parents=True, exist_ok=True)
        return own

    def _start(self, arguments: list[str], env: dict[str, str], log: TextIO) -> psutil.Process:
        """Start papermill in a process, which has a session of its own.

        So Ctrl-C reaches this tool only, which then ends the kernels. The process works in ROOT,
        not in the folder for the output, from where Python would import what it finds.
        """
        if self.server:
            try:
                return self.server.start(arguments, env, ROOT, log)
            except OSError:
                self.server = None
        return psutil.Popen(
            [sys.executable, "-m", "tools.run.entry", *arguments],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _arguments(self, notebook: Path, output: Path, work: Path) -> list[str]:
        # Whatever kernel a notebook names, or none: the course's own has what it needs.
        options = ["--no-progress-bar", "--kernel", "python3", "--language", "python"]
        known = parameter_names(notebook)
        for name, value in self.parameters_of(notebook).items():
            if name in known:
                options += ["-p", name, value]
        return [*options, "--cwd", str(work), template(notebook), template(output)]


def execute_all(run: Run, notebooks: list[Path], jobs: int, report: Path) -> list[Result]:
    """Execute the notebooks, `jobs` at a time; report on each as soon as it is done.

    On a cluster, as many at a time as its workers have threads. None begins after a stop.
    """
    results: list[Result] = []
    jobs = run.cluster.threads() if run.cluster else jobs
    few = len(notebooks) <= jobs  # for which it does not pay to import everything beforehand
    write(report, results)

    def execute(notebook: Path) -> Result | None:
        if run.stop.is_set():  # perhaps by what ended just now and left its place to this one
            return None
        progress.start(run.name(notebook))
        return run.execute(notebook)

    with (
        preload(run.preload and not few and not run.cluster) as run.server,
        Progress(len(notebooks)) as progress,
        ThreadPoolExecutor(jobs) as pool,
    ):
        pending = {pool.submit(execute, notebook) for notebook in notebooks}
        try:
            while pending:
                # A short wait, since on Windows a signal is noticed only between two.
                done, pending = wait(pending, CHECK_EVERY, return_when=FIRST_COMPLETED)
                for result in filter(None, (future.result() for future in done)):
                    results.append(result)
                    write(report, results)
                    progress.finish(result.notebook, line(result))
        except BaseException:  # such as nobody to print to
            run.stop.set()
            raise
    return results


def line(r: Result) -> str:
    why = f": {r.message}" if r.message else ""
    return f"{printable(r.notebook)}  {r.seconds:.1f} s  {r.status}{why}"


def write(report: Path, results: list[Result]) -> None:
    report.write_text(json.dumps([asdict(r) for r in results], indent=2) + "\n")
