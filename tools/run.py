"""Execute the chapters with papermill, two at a time, and report on each.

usage: python -m tools.run [-p NAME VALUE]... [--jobs N] [--time-limit SECONDS] [SECTION...]
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import papermill
import psutil

from tools.course import BUILD, chapters, kernel_environment, read, section, stated_seconds

LOOK_EVERY = 0.1  # seconds between two looks at a running notebook


@dataclass
class Result:
    """What became of one chapter."""

    notebook: str
    section: str
    seconds: float
    peak_mb: int
    status: str  # "ok", "failed", "too slow" or "stopped"
    message: str
    output: str


class Run:
    """One run over several chapters."""

    def __init__(self, folder: Path, parameters: dict[str, str], time_limit: float) -> None:
        self.folder, self.parameters, self.time_limit = folder, parameters, time_limit
        self.stop = threading.Event()

    def execute(self, notebook: Path) -> Result:
        """Execute one chapter in a process of its own, and watch its time and memory."""
        output, log = self.folder / notebook.name, self.folder / f"{notebook.stem}.log"
        start, peak, status = time.perf_counter(), 0, ""
        with log.open("w") as log_file:
            process = psutil.Popen(
                self._command(notebook, output),
                cwd=self.folder,
                env=kernel_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log_file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches this tool, which then ends the kernels
            )
            while not status and process.poll() is None:
                peak = max(peak, memory_of(process))
                status = "stopped" if self.stop.is_set() else ""
                if time.perf_counter() - start > self.time_limit:
                    status = "too slow"
                time.sleep(LOOK_EVERY)
            if status:
                end(process)
        seconds = time.perf_counter() - start
        status = status or ("ok" if process.returncode == 0 else "failed")
        messages = {"ok": "", "too slow": f"not done after {self.time_limit:.0f} s"}
        message = messages[status] if status in messages else last_line(log)
        peak_mb = peak // 2**20
        return Result(
            notebook.name, section(notebook), seconds, peak_mb, status, message, str(output)
        )

    def _command(self, notebook: Path, output: Path) -> list[str]:
        command = [
            sys.executable,
            "-m",
            "papermill",
            "--no-progress-bar",
            "--cwd",
            str(self.folder),
        ]
        known = papermill.inspect_notebook(str(notebook))
        for name, value in self.parameters.items():
            if name in known:
                command += ["-p", name, value]
        return [*command, str(notebook), str(output)]


def family(process: psutil.Process) -> list[psutil.Process]:
    """A process and all that it started."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def memory_of(process: psutil.Process) -> int:
    """Bytes that a process and all that it started hold in memory."""
    total = 0
    for member in family(process):
        with suppress(psutil.NoSuchProcess):
            total += member.memory_info().rss
    return total


def end(process: psutil.Popen) -> None:
    """End a process and all that it started: papermill gets two seconds to keep its output."""
    members = family(process)
    process.terminate()
    psutil.wait_procs(members, timeout=2)
    for member in members:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(members, timeout=2)


def last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else "no message"


def check_names(parameters: dict[str, str], notebooks: list[Path]) -> None:
    """Refuse a parameter that none of the notebooks has."""
    known = {name for notebook in notebooks for name in papermill.inspect_notebook(str(notebook))}
    unknown = sorted(set(parameters) - known)
    if unknown:
        names = ", ".join(sorted(known))
        sys.exit(f"No chapter has a parameter {', '.join(unknown)}. There are: {names}")


def choose(sections: list[str]) -> list[Path]:
    """The chapters of the given sections, or all; longest first, so that none ends alone."""
    by_section = {section(path): path for path in chapters()}
    unknown = sorted(set(sections) - set(by_section))
    if unknown:
        sys.exit(f"No chapter {', '.join(unknown)}. There are: {', '.join(by_section)}")
    chosen = [by_section[name] for name in sections or by_section]
    return sorted(chosen, key=lambda path: -stated_seconds(read(path)))


def table(results: list[Result]) -> str:
    rows = [f"{'section':<9}{'seconds':>8}{'peak MB':>9}  status"]
    for r in sorted(results, key=lambda r: r.notebook):
        rows.append(f"{r.section:<9}{r.seconds:>8.1f}{r.peak_mb:>9}  {r.status}")
    return "\n".join(rows)


def execute_all(run: Run, notebooks: list[Path], jobs: int) -> list[Result]:
    """Execute the notebooks, `jobs` at a time, with a line of progress for each that is done."""
    results = []
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(run.execute, notebook) for notebook in notebooks]
        try:
            for future in as_completed(futures):
                r = future.result()
                results.append(r)
                count, why = f"{len(results)}/{len(notebooks)}", f": {r.message}" * bool(r.message)
                print(f"[{count}] {r.notebook}  {r.seconds:.1f} s  {r.status}{why}", flush=True)
        except KeyboardInterrupt:
            run.stop.set()
            pool.shutdown(cancel_futures=True)
            results = [f.result() for f in futures if f.done() and not f.cancelled()]
            print("Stopped; what is done is kept.")
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="such as 4.4; default: all")
    parser.add_argument("-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"))
    parser.add_argument("--jobs", type=int, default=2, help="chapters at a time")
    parser.add_argument("--output", type=Path, default=BUILD, help="folder for what is made")
    parser.add_argument("--time-limit", type=float, default=600, help="seconds for one chapter")
    options = parser.parse_args()

    notebooks, parameters = choose(options.sections), dict(options.p)
    check_names(parameters, notebooks)
    folder = options.output.resolve() / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)

    start = time.perf_counter()
    print(f"{len(notebooks)} chapters, {options.jobs} at a time, to {folder}", flush=True)
    run = Run(folder, parameters, options.time_limit)
    results = execute_all(run, notebooks, options.jobs)

    report = folder.parent / "report.json"
    report.write_text(json.dumps([asdict(r) for r in results], indent=2) + "\n")
    print(f"\n{table(results)}\n{time.perf_counter() - start:.0f} s in all; details in {report}")
    failed = [r for r in results if r.status != "ok"]
    for r in failed:
        print(f"{r.section} {r.status}: {r.message}\n    as far as it came: {r.output}")
    return 1 if failed or len(results) < len(notebooks) else 0


if __name__ == "__main__":
    sys.exit(main())
