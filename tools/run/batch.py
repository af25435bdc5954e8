"""Notebooks executed with papermill, several at a time, within limits."""

import json
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import papermill

from tools.course import ROOT, kernel_environment, section
from tools.run.executor import OUTPUT_LIMIT
from tools.run.failures import explain, one_line
from tools.run.limits import Limits
from tools.run.processes import ProcessTree
from tools.run.sandbox import SANDBOX
from tools.terminal import printable

CHECK_EVERY = 0.1  # seconds between two looks at a running notebook


@dataclass
class Result:
    """What became of one notebook."""

    notebook: str
    section: str
    seconds: float
    peak_mb: int
    status: str  # "ok", "failed", "too slow", "too large" or "stopped"
    message: str
    output: str  # the notebook as far as it came; "" if there is none


@dataclass
class Run:
    """One run over several notebooks, and the limits for each."""

    folder: Path
    parameters: dict[str, str]
    limits: Limits = field(default_factory=Limits)
    own_folders: bool = False  # each notebook works in a folder of its own, under `scratch`
    sandbox: bool = False  # and can write nowhere else
    stop: threading.Event = field(default_factory=threading.Event)

    def execute(self, notebook: Path) -> Result:
        """Execute one notebook in a process of its own; what goes wrong is part of the result."""
        output, start = self.folder / notebook.name, time.perf_counter()
        try:
            status, message, peak = self._watch(notebook, output)
        except OSError as error:  # such as a full disk
            status, message, peak = "failed", str(error), 0
        return Result(
            notebook=notebook.name,
            section=section(notebook),
            seconds=time.perf_counter() - start,
            peak_mb=peak // 2**20,
            status=status,
            message=one_line(message),
            output=str(output) if output.exists() else "",
        )

    def _watch(self, notebook: Path, output: Path) -> tuple[str, str, int]:
        """Return the status, the reason for it, and the most bytes that were in use."""
        output.unlink(missing_ok=True)  # what an earlier run left says nothing about this one
        log = output.with_suffix(".log")
        own = self._own_folder(notebook)
        env = {**kernel_environment(), OUTPUT_LIMIT: str(self.limits.output_mb)}
        if self.sandbox:
            env[SANDBOX] = str(own)
        start, peak, status, message = time.perf_counter(), 0, "", ""
        with (
            log.open("w") as log_file,
            ProcessTree(
                self._command(notebook, output, own / "notebooks"),
                cwd=ROOT,  # not the output folder, from where Python would import what it finds
                env=env,
                stdout=log_file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches this tool, which then ends the kernels
            ) as tree,
        ):
            while not status and tree.root.poll() is None:
                memory = tree.measure_memory()
                peak = max(peak, memory)
                seconds, log_size = time.perf_counter() - start, log.stat().st_size
                status, message = self.limits.exceeded(seconds, memory, log_size)
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
            own = own / "scratch" / notebook.name
            shutil.rmtree(own, ignore_errors=True)
        (own / "notebooks").mkdir(parents=True, exist_ok=True)
        return own

    def _command(self, notebook: Path, output: Path, work: Path) -> list[str]:
        command = [sys.executable, "-m", "tools.run.entry", "--no-progress-bar"]
        command += ["--cwd", str(work)]
        known = parameter_names(notebook)
        for name, value in self.parameters.items():
            if name in known:
                command += ["-p", name, value]
        return [*command, template(notebook), template(output)]


def template(path: Path) -> str:
    """An absolute path as papermill wants it, which fills in what stands in braces."""
    return str(path.absolute()).replace("{", "{{").replace("}", "}}")


def parameter_names(notebook: Path) -> set[str]:
    """The parameters that a notebook has; none if it cannot be read, as executing it will tell."""
    with suppress(Exception):  # whatever a file that is no notebook makes papermill raise
        return set(papermill.inspect_notebook(template(notebook)))
    return set()


def execute_all(run: Run, notebooks: list[Path], jobs: int, report: Path) -> list[Result]:
    """Execute the notebooks, `jobs` at a time; report on each as soon as it is done."""
    results: list[Result] = []
    write(report, results)
    with ThreadPoolExecutor(jobs) as pool:
        pending = {pool.submit(run.execute, notebook) for notebook in notebooks}
        try:
            while pending:
                # A short wait, since on Windows a signal is noticed only between two.
                done, pending = wait(pending, CHECK_EVERY, return_when=FIRST_COMPLETED)
                if run.stop.is_set():
                    pending = {future for future in pending if not future.cancel()}
                for future in done:
                    results.append(future.result())
                    write(report, results)
                    print(f"[{len(results)}/{len(notebooks)}] {line(results[-1])}", flush=True)
        finally:  # all is done, unless there was an error here, such as nobody to print to
            run.stop.set()
            pool.shutdown(cancel_futures=True)
    return results


def line(r: Result) -> str:
    why = f": {r.message}" if r.message else ""
    return f"{printable(r.notebook)}  {r.seconds:.1f} s  {r.status}{why}"


def write(report: Path, results: list[Result]) -> None:
    report.write_text(json.dumps([asdict(r) for r in results], indent=2) + "\n")
