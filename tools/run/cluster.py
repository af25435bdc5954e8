"""The same batch on a cluster: notebooks and results travel as bytes, dask does the rest.

A worker needs the environment, but no checkout and no disk that it shares with others.
"""

import io
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, TimeoutError
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tools.course import ROOT, section
from tools.run import remote
from tools.run.failures import one_line
from tools.run.files import neighbours
from tools.run.result import Result
from tools.terminal import ToolError, printable

if TYPE_CHECKING:
    from distributed import Client

    from tools.run.batch import Run

LOCAL = "local"
CHECK_EVERY = 0.1  # seconds between two looks at a job
CONNECT = 20  # seconds
TRAVELS = ("helpers", "tools", "data/fashion-mnist-sample", "pyproject.toml")


def archive() -> bytes:
    """What a worker needs beside the environment; the same files give the same bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for start in TRAVELS:
            path = ROOT / start
            for found in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if found.is_file() and "__pycache__" not in found.parts:
                    info = zipfile.ZipInfo(found.relative_to(ROOT).as_posix())
                    file.writestr(info, found.read_bytes())
    return content.getvalue()


class ByValue:
    """A function that travels with its code; dask does so only where it stands by itself."""

    def __init__(self, function: Callable[..., Any], cloudpickle: ModuleType) -> None:
        self._call, self._reduced = function, (cloudpickle.loads, (cloudpickle.dumps(function),))

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        return self._reduced


class Cluster:
    """Workers that execute notebooks.

    Args:
        client: is connected to their scheduler.
        travels: an archive of what they need; empty if they are in this process.
        execute: what a worker does with the archive and a job.
    """

    def __init__(
        self,
        client: "Client",
        travels: bytes,
        execute: Callable[..., dict[str, Any]] = remote.execute,
    ) -> None:
        import cloudpickle  # type: ignore[import-untyped]

        cloudpickle.register_pickle_by_value(remote)
        self._client, self._execute = client, ByValue(execute, cloudpickle)
        # As a task, so that it is made again when the worker that holds it is gone.
        self._archive = client.submit(bytes, travels, pure=False)
        self._executor = client.get_executor(pure=False)  # the same notebook twice is two jobs

    def threads(self) -> int:
        """How many notebooks can be executed at a time."""
        return sum(self._client.nthreads().values())

    def refuse_other_versions(self) -> None:
        """Refuse workers whose packages would give other outputs than those here.

        And a scheduler with others, as it reads what is sent to them.

        Raises:
            ToolError: with the address of each, and what it has in place of what.
        """
        here = remote.versions()
        found = self._client.run(remote.versions)
        found[self._client.scheduler.address] = self._client.run_on_scheduler(remote.versions)
        sentences = [
            f"{address} has {name} {there.get(name) or 'missing'}, and here {version or 'none'}"
            for address, there in sorted(found.items())
            for name, version in here.items()
            if there.get(name) != version
        ]
        if sentences:
            raise ToolError("The cluster differs from here: " + "; ".join(sentences) + ".")

    def execute(self, run: "Run", notebook: Path) -> Result:
        """Execute a notebook on a worker, and write what it left to where a local run would.

        Where a worker fails, for example because its disk is full, another one is tried.
        """
        work, failing = job(run, notebook), set[str]()
        where: dict[str, Any] = {}
        while True:
            future = self._executor.submit(self._execute, self._archive, work, **where)
            answer = self._answer(run, notebook, future)
            if isinstance(answer, Result):
                return answer
            if "problem" not in answer:
                return received(run, notebook, answer)
            failing.add(answer["worker"])
            others = sorted({*self._client.nthreads()} - failing)
            if not others:
                return failed(run, notebook, f"on its worker: {answer['problem']}")
            where = {"workers": others, "allow_other_workers": True}  # should those be gone, too

    def _answer(self, run: "Run", notebook: Path, future: Future) -> dict[str, Any] | Result:
        """Wait for what a worker answers; if nothing comes, return why."""
        from distributed import KilledWorker

        while True:
            try:
                return future.result(CHECK_EVERY)
            except TimeoutError:
                if run.stop.is_set():
                    future.cancel()
                    return failed(run, notebook, "the run was stopped", "stopped")
            except KilledWorker as error:
                times = error.allowed_failures + 1
                return failed(run, notebook, f"{times} workers ended while they executed it")
            except CancelledError as error:
                run.stop.set()
                return failed(run, notebook, f"the scheduler is gone: {error}", "stopped")
            except Exception as error:
                return failed(run, notebook, f"on its worker: {type(error).__name__}: {error}")


def job(run: "Run", notebook: Path) -> dict[str, Any]:
    """A notebook and what lies beside it, as tools.run.worker wants it."""
    files = {run.name(notebook): notebook.read_bytes()}
    if run.own_folders:
        files |= {
            path.relative_to(run.root).as_posix(): path.read_bytes()
            for path in neighbours(notebook, run.folder.parent)
        }
    flags = {"own_folders": run.own_folders, "sandbox": run.sandbox, "isolated": run.isolated}
    known = {**flags, "preload": run.preload, "limits": asdict(run.limits)}
    return {
        **known,
        "name": run.name(notebook),
        "files": files,
        "parameters": run.parameters_of(notebook),
    }


def received(run: "Run", notebook: Path, answer: dict[str, Any]) -> Result:
    """Write the files of an answer; return the result in it."""
    output = run.folder / run.name(notebook)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.unlink(missing_ok=True)
    for suffix, content in answer.pop("files").items():
        output.with_suffix(suffix).write_bytes(content)
    answer |= {"section": section(notebook), "output": str(output) if output.exists() else ""}
    return Result(**answer)


def failed(run: "Run", notebook: Path, message: str, status: str = "failed") -> Result:
    return Result(run.name(notebook), section(notebook), 0, 0, status, one_line(message), "")


@contextmanager
def connect(address: str, jobs: int, certificates: list[str] | None) -> Iterator[Cluster]:
    """The cluster of a scheduler's address; "local" is one in this process, for `jobs` at a time.

    Args:
        certificates: files for TLS: of the authority, of this client, and its key.

    Raises:
        ToolError: when it cannot be reached, has no worker, or differs from here.
    """
    try:
        from distributed import Client, LocalCluster
        from distributed.security import Security
    except ImportError:
        raise ToolError("A cluster needs dask.distributed: `make setup` installs it.") from None
    security = None
    if certificates:
        authority, certificate, key = certificates
        security = Security(
            tls_ca_file=authority,
            tls_client_cert=certificate,
            tls_client_key=key,
            require_encryption=True,
        )
    if address == LOCAL:
        # In this process, so that no port is opened that others on this machine could use.
        local = LocalCluster(
            n_workers=1, threads_per_worker=jobs, processes=False, dashboard_address=None
        )
        client = Client(local)
    else:
        try:
            client = Client(address, security=security, timeout=CONNECT)
        except (OSError, ValueError, TypeError) as error:
            where = printable(address)
            raise ToolError(f"No scheduler answers at {where}: {printable(str(error))}") from None
    try:
        cluster = Cluster(client, b"" if address == LOCAL else archive())
        if not cluster.threads():
            raise ToolError("The scheduler has no worker: start one with `dask worker ADDRESS`.")
        cluster.refuse_other_versions()
        yield cluster
    finally:
        with suppress(Exception):  # the scheduler may be gone
            client.close(timeout=2)
        if address == LOCAL:
            local.close()
