"""Measure how many notebooks a cluster executes in a minute, with more and more workers.

usage: python -m tools.bench.throughput [--docs]

One and two workers execute a chapter. For more this machine has too few cores: from 1 to 32 workers
the jobs only sleep, so that what is measured is the way of a notebook to a worker and back.
"""

import argparse
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from distributed import Client, LocalCluster
from matplotlib.figure import Figure

from helpers._internal.svg import to_svg
from tools.course import BUILD, ROOT, choose
from tools.run import remote
from tools.run.batch import Run, execute_all
from tools.run.cluster import Cluster
from tools.run.result import Result
from tools.terminal import ToolError, run_tool

CHAPTER = "2.1"
REAL, SIMULATED = (1, 2), (1, 2, 4, 8, 16, 32)  # workers
SLEEP = 2.0  # seconds
JOBS = 6  # for each worker
DOCS = ROOT / "docs" / "cluster.md"
PICTURE = ROOT / "docs" / "pictures" / "throughput.svg"
SECTION = re.compile(r"(?<=<!-- throughput -->\n).*(?=<!-- end of throughput -->)", re.DOTALL)
Execute = Callable[..., dict[str, Any]]


def sleep(seconds: float, _: bytes, job: dict[str, Any]) -> dict[str, Any]:
    """Take the time of a notebook and none of its work; answer with the notebook as it came."""
    time.sleep(seconds)
    result = Result(job["name"], "", seconds, 0, "ok", "", "")
    return {**asdict(result), "files": {".ipynb": job["files"][job["name"]]}}


def measure(workers: int, execute: Execute, folder: Path) -> float:
    """Hand some copies of a chapter to each worker; return how many are done in a minute."""
    (chapter,) = choose([CHAPTER])
    shutil.rmtree(folder, ignore_errors=True)
    sources = folder / "sources"
    sources.mkdir(parents=True)
    copies = [sources / f"{i:03}.ipynb" for i in range(JOBS * workers)]
    for copy in copies:
        shutil.copy(chapter, copy)
    run = Run(folder / "notebooks", {}, sources)
    run.folder.mkdir()
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as local,
        Client(local) as client,
    ):
        run.cluster = Cluster(client, b"", execute)
        # Before the clock starts, each worker imports what it needs.
        execute_all(run, copies[:workers], workers, folder / "report.json")
        start = time.perf_counter()
        results = execute_all(run, copies, workers, folder / "report.json")
        seconds = time.perf_counter() - start
    failed = [result.message for result in results if result.status != "ok"]
    if failed or len(results) < len(copies):
        raise ToolError(f"{len(failed)} of {len(copies)} failed: {failed[:1]}")
    found = 60 * len(copies) / seconds
    print(f"{workers} workers: {found:.0f} notebooks a minute", flush=True)
    return found


def table(real: dict[int, float], simulated: dict[int, float]) -> str:
    """The measured numbers as Markdown."""
    lines = [
        f"| workers | chapter {CHAPTER}, notebooks a minute | sleeping jobs, notebooks a minute | "
        "of a straight line |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for workers, found in simulated.items():
        of_chapter = f"{real[workers]:.0f}" if workers in real else ""
        share = found / (workers * 60 / SLEEP)
        lines.append(f"| {workers} | {of_chapter} | {found:.0f} | {share:.0%} |")
    return "\n".join(lines)


def picture(simulated: dict[int, float]) -> str:
    """The throughput over the number of workers, beside a straight line, as SVG."""
    figure = Figure(figsize=(5, 3.5), layout="constrained")
    axes = figure.add_subplot(xscale="log", yscale="log")
    workers = list(simulated)
    axes.plot(workers, [n * 60 / SLEEP for n in workers], "k--", lw=1, label="straight line")
    axes.plot(workers, list(simulated.values()), "o-", label="measured")
    axes.set_xticks(workers, [str(n) for n in workers])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set(xlabel="workers", ylabel="notebooks a minute")
    axes.legend()
    return to_svg(figure, title="Notebooks a minute over the number of workers")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--docs", action="store_true", help="write them into docs/cluster.md")
    options = parser.parse_args()
    folder = BUILD / "throughput"
    real = {n: measure(n, remote.execute, folder) for n in REAL}
    simulated = {n: measure(n, partial(sleep, SLEEP), folder) for n in SIMULATED}
    found = table(real, simulated)
    print(f"\n{found}")
    if options.docs:
        PICTURE.write_text(picture(simulated), encoding="utf-8")
        shown = (
            f"\n{found}\n\n![Notebooks a minute over the number of workers, beside a straight "
            "line: the numbers of the table.](pictures/throughput.svg)\n\n*As `python -m "
            f"tools.bench.throughput --docs` measured it: {JOBS} notebooks for each worker, jobs "
            f"that sleep for {SLEEP:g} s, {date.today().isoformat()}.*\n\n"
        )
        text = DOCS.read_text(encoding="utf-8")
        DOCS.write_text(SECTION.sub(lambda _: shown, text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    run_tool(main)
