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
from tools.executor import OUTPUT_LIMIT
from tools.processes import Family
from tools.reasons import plain, reason
from tools.sandbox import SANDBOX

LOOK_EVERY = 0.1  # seconds between two looks at a running notebook


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
    time_limit: float = 600  # seconds
    memory_limit: float = 6000  # MB; chapter 4.2 takes 2,300 with its worker processes
    output_limit: float = 20  # MB
    apart: bool = False  # each notebook works in a folder of its own, under `scratch`
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
            message=plain(" ".join(message.split()))[:300],
            output=str(output) if output.exists() else "",
        )

    def _watch(self, notebook: Path, output: Path) -> tuple[str, str, int]:
        """Return the status, the reason for it, and the most bytes that were in use."""
        output.unlink(missing_ok=True)  # what an earlier run left says nothing about this one
        log = output.with_suffix(".log")
        own = self._own_folder(notebook)
        env = {**kernel_environment(), OUTPUT_LIMIT: str(self.output_limit)}
        if self.sandbox:
            env[SANDBOX] = str(own)
        start, peak, status, message = time.perf_counter(), 0, "", ""
        with (
            log.open("w") as log_file,
            Family(
                self._command(notebook, output, own / "notebooks"),
                cwd=ROOT,  # not the output folder, from where Python would import what it finds
                env=env,
                stdout=log_file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches this tool, which then ends the kernels
            ) as family,
        ):
            while not status and family.head.poll() is None:
                memory = family.look()
                peak = max(peak, memory)
                written = log.stat().st_size
                status, message = self._objection(time.perf_counter() - start, memory, written)
                self.stop.wait(LOOK_EVERY)
        if not status:
            returncode = family.head.returncode
            status, message = "ok", ""
            if returncode:
                status, message = "failed", reason(output, log, returncode)
        return status, message, peak

    def _own_folder(self, notebook: Path) -> Path:
        """Where a notebook works, in `notebooks`; some chapters write to `../data`, too."""
        own = self.folder.parent
        if self.apart:
            own = own / "scratch" / notebook.name
            shutil.rmtree(own, ignore_errors=True)
        (own / "notebooks").mkdir(parents=True, exist_ok=True)
        return own

    def _objection(self, seconds: float, memory: int, written: int) -> tuple[str, str]:
        if self.stop.is_set():
            return "stopped", "the run was stopped"
        if seconds > self.time_limit:
            return "too slow", f"not done after {self.time_limit:g} s"
        if memory > self.memory_limit * 2**20:
            return "too large", f"took more than {self.memory_limit:g} MB of memory"
        if written > self.output_limit * 2**20:  # past the notebook, by a program that it started
            return "too large", f"wrote more than {self.output_limit:g} MB to its log"
        return "", ""

    def _command(self, notebook: Path, output: Path, work: Path) -> list[str]:
        command = [sys.executable, "-m", "tools.executor", "--no-progress-bar"]
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
    results = []
    write(report, results)
    with ThreadPoolExecutor(jobs) as pool:
        pending = {pool.submit(run.execute, notebook) for notebook in notebooks}
        try:
            while pending:
                # A short wait, since on Windows a signal is noticed only between two.
                done, pending = wait(pending, LOOK_EVERY, return_when=FIRST_COMPLETED)
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
    return f"{plain(r.notebook)}  {r.seconds:.1f} s  {r.status}{why}"


def write(report: Path, results: list[Result]) -> None:
    report.write_text(json.dumps([asdict(r) for r in results], indent=2) + "\n")
