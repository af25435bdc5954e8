"""Execute the chapters with papermill, two at a time, and report on each.

usage: python -m tools.run [-p NAME VALUE]... [--jobs N] [--time-limit SECONDS]
           [--memory-limit MB] [--output-limit MB] [--fresh] [SECTION...]
       python -m tools.run --notebooks FOLDER [--trust]    for notebooks that are no chapters

Several notebooks are executed by processes that are forked from one with all imports (on Linux),
which saves seconds for each; --fresh starts Python for each instead.

Other notebooks may be anybody's. Each works in a folder of its own, and where bubblewrap is
installed it can write nowhere else, unless it is trusted.
"""

import argparse
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tools.course import BUILD, choose, read, stated_seconds
from tools.run.batch import Run, execute_all
from tools.run.cluster import Cluster, connect
from tools.run.files import parameter_names
from tools.run.limits import Limits
from tools.run.result import Result
from tools.run.sandbox import obstacle
from tools.terminal import ToolError, printable, run_tool

WITHOUT_SANDBOX = (
    "These notebooks can write wherever you can. If you do not know them, stop this, and install "
    "bubblewrap (on Linux), or work in a container."
)


def check_names(parameters: dict[str, str], notebooks: list[Path]) -> None:
    """Refuse a parameter that none of the notebooks has."""
    known = set().union(*map(parameter_names, notebooks))
    unknown = sorted(set(parameters) - known)
    if unknown:
        names = ", ".join(sorted(known))
        raise ToolError(
            f"No chapter has a parameter {printable(', '.join(unknown))}. There are: {names}"
        )


def find(folder: Path, output: Path) -> list[Path]:
    """The notebooks in a folder and in those below it, such as one for each student."""
    folder, output = folder.resolve(), output.resolve()
    found = [
        path
        for path in sorted(folder.rglob("*.ipynb"))
        if not any(part.startswith(".") for part in path.parent.relative_to(folder).parts)
        if folder not in output.parents or output not in path.parents
    ]
    if not found:
        raise ToolError(f"No file in {printable(str(folder))} ends in .ipynb.")
    return found


def longest_first(notebooks: list[Path]) -> list[Path]:
    """Chapters in an order in which none is left to run alone at the end."""
    return sorted(notebooks, key=lambda path: -stated_seconds(read(path)))


def table(results: list[Result], name: str) -> str:
    """The results by `name`, which is "section" or "notebook"."""
    width = max([9, *(len(printable(getattr(r, name))) + 2 for r in results)])
    rows = [f"{name:<{width}}{'seconds':>8}{'peak MB':>9}  status"]
    for r in sorted(results, key=lambda r: r.notebook):
        shown = printable(getattr(r, name))
        rows.append(f"{shown:<{width}}{r.seconds:>8.1f}{r.peak_mb:>9}  {r.status}")
    return "\n".join(rows)


@contextmanager
def stop_on_signals(stop: threading.Event) -> Iterator[None]:
    """Let Ctrl-C, being terminated, and a terminal that closes set an event, however often."""
    numbers = [getattr(signal, n) for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]
    heeded = [n for n in numbers if signal.getsignal(n) != signal.SIG_IGN]  # nohup ignores one
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            # Whoever has stopped the run, and goes on pressing Ctrl-C, must not cut off its end.
            signal.signal(number, signal.SIG_IGN if stop.is_set() else handler)


@contextmanager
def exclusive_use_of(folder: Path) -> Iterator[None]:
    """Refuse to run beside another run that writes to the same folder."""
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise ToolError(
            f"Another run writes to {printable(str(folder))}. "
            "Wait until it is done, or give another folder with --output."
        ) from None


def at_least_one(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"got {text}, expected 1 or more")
    return int(text)


def add_cluster_options(parser: argparse.ArgumentParser) -> None:
    """The options that say where the notebooks of a batch are executed."""
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help='of a dask scheduler, such as tls://host:8786; "local" starts one (docs/cluster.md)',
    )
    parser.add_argument(
        "--tls", nargs=3, metavar=("CA", "CERT", "KEY"), help="files with certificates, for tls://"
    )


@contextmanager
def on_cluster(options: argparse.Namespace) -> Iterator[Cluster | None]:
    """The cluster that the options name; None if they name none."""
    if not options.cluster:
        yield None
        return
    with connect(options.cluster, options.jobs, options.tls) as cluster:
        yield cluster


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="such as 4.4; default: all")
    parser.add_argument("-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"))
    parser.add_argument("--notebooks", type=Path, metavar="FOLDER", help="in place of the chapters")
    parser.add_argument("--trust", action="store_true", help="let those write where they like")
    parser.add_argument("--jobs", type=at_least_one, default=2, help="chapters at a time")
    parser.add_argument("--output", type=Path, default=BUILD, help="folder for what is made")
    parser.add_argument(
        "--time-limit", type=float, default=Limits.seconds, help="seconds for one chapter"
    )
    parser.add_argument(
        "--memory-limit", type=float, default=Limits.memory_mb, help="MB for one chapter"
    )
    parser.add_argument(
        "--output-limit", type=float, default=Limits.output_mb, help="MB that one may print"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="start Python for each, in place of forking it"
    )
    parser.add_argument("--resume", action="store_true", help="go on where a run was stopped")
    add_cluster_options(parser)
    # What argparse would take for an option, since it begins with a dash, may be a value.
    arguments, parameters = sys.argv[1:], []
    while "-p" in arguments[:-2]:
        at = arguments.index("-p")
        parameters.append(arguments[at + 1 : at + 3])
        del arguments[at : at + 3]
    options = parser.parse_args(arguments)
    options.p += parameters
    if options.notebooks and options.sections:
        parser.error("SECTION chooses among the chapters; --notebooks takes all of a folder")
    return options


def main() -> int:
    options = read_options()
    if options.notebooks:
        root, notebooks = options.notebooks.resolve(), find(options.notebooks, options.output)
    else:
        notebooks = longest_first(choose(options.sections))
        root = notebooks[0].parent
    parameters = dict(options.p)
    check_names(parameters, notebooks)
    folder = options.output.resolve() / "notebooks"
    if any(notebook.parent.resolve() == folder for notebook in notebooks):
        raise ToolError(f"The results would replace the notebooks in {printable(str(folder))}.")
    folder.mkdir(parents=True, exist_ok=True)
    limits = Limits(options.time_limit, options.memory_limit, options.output_limit)
    run = Run(folder, parameters, root, limits, preload=not options.fresh, resume=options.resume)
    run.own_folders = bool(options.notebooks)
    if options.notebooks and not options.trust:
        problem = "" if options.cluster else obstacle()  # each worker looks for itself
        run.sandbox = not problem
        if problem:
            print(f"{WITHOUT_SANDBOX} ({printable(problem)})", flush=True)
    with (
        exclusive_use_of(folder.parent),
        on_cluster(options) as run.cluster,
        stop_on_signals(run.stop),
    ):
        return run_and_report(run, notebooks, options)


def run_and_report(run: Run, notebooks: list[Path], options: argparse.Namespace) -> int:
    start, report = time.perf_counter(), run.folder.parent / "report.json"
    where = printable(str(run.folder))
    jobs = run.cluster.threads() if run.cluster else options.jobs
    print(f"{len(notebooks)} notebooks, {jobs} at a time, to {where}", flush=True)
    results = execute_all(run, notebooks, options.jobs, report)

    name = "notebook" if options.notebooks else "section"
    seconds = time.perf_counter() - start
    print(f"\n{table(results, name)}\n{seconds:.0f} s in all; details in {printable(str(report))}")
    failed = [r for r in results if r.status != "ok"]
    for r in failed:
        print(f"{printable(getattr(r, name))} {r.status}: {r.message}")
        if r.output:
            print(f"    as far as it came: {printable(r.output)}")
    if len(results) < len(notebooks):
        print(f"Stopped before {len(notebooks) - len(results)} of {len(notebooks)} began.")
    return 1 if failed or len(results) < len(notebooks) else 0


if __name__ == "__main__":
    run_tool(main)
