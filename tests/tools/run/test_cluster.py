"""Runs on a cluster: a real scheduler and real workers, one of which is killed."""

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import pytest

from tools.course import ROOT
from tools.run import cluster, remote
from tools.run.processes import is_alive
from tools.terminal import ToolError

pytest.importorskip("distributed", reason="no dask here: make setup installs it")
worker = importlib.import_module("tools.run.worker")  # needs dask

SLEEPS = "import time\ntime.sleep(4)\nprint(seed)"
FAST = {  # so that a test need not wait for what takes minutes by default
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s",
    "DASK_DISTRIBUTED__WORKER__LIFETIME__RESTART": "False",
}


def dask(command, folder, *options):
    """Start a part of a cluster, without anything of the checkout within its reach."""
    program = f"from distributed.cli.dask_{command} import main; main()"
    options = ["--scheduler-file", folder / "scheduler.json", "--no-dashboard", *options]
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, options)],
        cwd=folder,
        env={**os.environ, **FAST, "TEST_FOLDER": str(folder), "TMPDIR": str(folder)},
        stdout=(folder / f"{command}.log").open("a"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


@pytest.fixture
def parts(tmp_path):
    """Start a scheduler and two workers; return them, and the address."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    scheduler = dask("scheduler", folder, "--port", "0", "--host", "127.0.0.1")
    address = address_in(folder)
    workers = [dask("worker", folder, "--nthreads", "1", "--no-nanny") for _ in range(2)]
    yield scheduler, workers, address
    for process in (*workers, scheduler):
        process.kill()
        process.wait()


def address_in(folder):
    """The address that a scheduler has written down."""
    file = folder / "scheduler.json"
    deadline = time.monotonic() + 60
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    return json.loads(file.read_text())["address"]


def wait_for_workers(address, count):
    from distributed import Client

    with Client(address) as client:
        client.wait_for_workers(count, timeout=60)


def wait_for_job(folder):
    """Wait until a worker has begun to execute a notebook."""
    deadline = time.monotonic() + 120
    while not list(folder.glob("job-*/out/notebooks/*.ipynb")) and time.monotonic() < deadline:
        time.sleep(0.1)


@pytest.fixture
def notebooks(tmp_path, write_notebook):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in "abc":
        write_notebook(folder / f"{name}.ipynb", SLEEPS)
    write_notebook(folder / "fails.ipynb", "print(open('beside.txt').read())", "1 / 0")
    (folder / "beside.txt").write_text("beside")
    return folder


def start(folder, *options):
    """Start tools.run on a folder of notebooks."""
    command = [sys.executable, "-m", "tools.run", "--notebooks", folder, "--trust"]
    return subprocess.Popen(
        [*command, "--output", folder / "out", *options],
        cwd=ROOT,
        env={**os.environ, **FAST},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def report(folder):
    found = json.loads((folder / "out" / "report.json").read_text())
    return {r["notebook"]: (r["status"], r["message"]) for r in found}


def outputs(folder, name):
    notebook = nbformat.read(folder / "out" / "notebooks" / name, as_version=4)
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


COMPLETE = {
    **{f"{name}.ipynb": ("ok", "") for name in "abc"},
    "fails.ipynb": ("failed", "ZeroDivisionError: division by zero"),
}


def test_a_worker_that_is_killed_costs_nothing_but_time(parts, notebooks, tmp_path, left_behind):
    _, (first, second), address = parts
    wait_for_workers(address, 2)
    process = start(notebooks, "--cluster", address)
    running = tmp_path / "cluster"
    wait_for_job(running)
    first.send_signal(signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert report(notebooks) == COMPLETE, out + err
    assert process.returncode == 1  # because of fails.ipynb
    assert outputs(notebooks, "fails.ipynb")[1][0].text == "beside\n"
    second.kill()
    second.wait()
    deadline = time.monotonic() + 20
    while any(map(is_alive, of_jobs(running, left_behind))) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(is_alive, of_jobs(running, left_behind)))


def of_jobs(folder, left_behind):
    """The processes that belong to a cluster, but for the scheduler."""
    return [p for p in left_behind(folder) if "dask_scheduler" not in " ".join(p.cmdline())]


def test_without_its_scheduler_a_run_ends_and_says_so(parts, notebooks, tmp_path):
    scheduler, _, address = parts
    wait_for_workers(address, 2)
    process = start(notebooks, "--cluster", address)
    wait_for_job(tmp_path / "cluster")
    scheduler.send_signal(signal.SIGKILL)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "the scheduler is gone" in out
    assert {status for status, _ in report(notebooks).values()} <= {"ok", "failed", "stopped"}


def test_a_cluster_of_this_process_gives_what_a_local_run_gives(notebooks, run_notebooks):
    options = ["--notebooks", notebooks, "--trust"]
    assert run_notebooks(*options, "--cluster", "local", "--output", notebooks / "out") == 1
    assert report(notebooks) == COMPLETE
    on_cluster = {name: outputs(notebooks, name) for name in COMPLETE}
    assert run_notebooks(*options, "--output", notebooks / "out") == 1
    assert {name: outputs(notebooks, name) for name in COMPLETE} == on_cluster


def test_what_fails_on_a_worker_is_told_and_stops_nothing(run_notebooks, notebooks, monkeypatch):
    errors = {"a.ipynb": OSError(28, "No space left on device"), "b.ipynb": TimeoutError("late")}
    execute = worker.execute

    def fail(job):
        if job["name"] in errors:
            raise errors[job["name"]]
        return execute(job)

    monkeypatch.setattr(worker, "execute", fail)
    options = ["--notebooks", notebooks, "--trust", "--output", notebooks / "out"]
    assert run_notebooks(*options, "--cluster", "local") == 1
    full = "on its worker: OSError: [Errno 28] No space left on device"
    assert report(notebooks) == {
        **COMPLETE,
        "a.ipynb": ("failed", full),
        "b.ipynb": ("failed", "on its worker: TimeoutError: late"),
    }


class OtherVersions:
    """A client of two workers, one of which differs."""

    def submit(self, *_, **__):
        return None

    get_executor = submit

    def run(self, function):
        return {"tcp://a": function(), "tcp://b": {**function(), "torch": "1.0", "pandas": ""}}


def test_workers_with_other_versions_are_refused_by_name():
    here = remote.versions()
    with pytest.raises(ToolError) as error:
        cluster.Cluster(OtherVersions(), b"").refuse_other_versions()
    assert str(error.value) == (
        f"The workers differ from here: tcp://b has torch 1.0, and here {here['torch']}; "
        f"tcp://b has pandas missing, and here {here['pandas']}."
    )


def test_an_address_without_a_scheduler_is_named(run_notebooks, notebooks, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT", 1)
    with pytest.raises(ToolError, match="No scheduler answers"):
        run_notebooks(
            *("--notebooks", notebooks, "--trust", "--output", notebooks / "out"),
            *("--cluster", "tcp://127.0.0.1:9"),
        )


def test_what_travels_is_the_same_each_time_and_complete():
    assert cluster.archive() == cluster.archive()


@pytest.mark.weekly
def test_a_notebook_that_kills_its_workers_is_blamed_and_no_other(
    tmp_path, notebooks, write_notebook
):
    """A nanny starts each worker anew; after four of them dask gives the notebook up."""
    write_notebook(
        notebooks / "kills.ipynb", "import psutil", "psutil.Process().parents()[2].kill()"
    )
    folder = tmp_path / "cluster"
    folder.mkdir()
    scheduler = dask("scheduler", folder, "--port", "0", "--host", "127.0.0.1")
    workers = [dask("worker", folder, "--nthreads", "1") for _ in range(2)]
    try:
        address = address_in(folder)
        wait_for_workers(address, 2)
        process = start(notebooks, "--cluster", address)
        out, err = process.communicate(timeout=300)
    finally:
        for part in (*workers, scheduler):
            part.terminate()
            part.wait()
    message = "4 workers ended while they executed it"
    assert report(notebooks) == {**COMPLETE, "kills.ipynb": ("failed", message)}, out + err


@pytest.fixture
def certificates(tmp_path):
    """Return the files of an authority, and of a certificate and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here: sudo apt-get install openssl")
    names = authority, authority_key, certificate, key = [
        str(tmp_path / name) for name in ("ca.pem", "ca-key.pem", "cert.pem", "key.pem")
    ]
    request = str(tmp_path / "request.pem")
    new_key = ["-newkey", "rsa:2048", "-nodes", "-subj"]
    commands = [
        [
            "req",
            "-x509",
            *new_key,
            "/CN=authority",
            "-days",
            "2",
            "-keyout",
            authority_key,
            "-out",
            authority,
        ],
        ["req", *new_key, "/CN=course", "-keyout", key, "-out", request],
        [
            *("x509", "-req", "-in", request, "-CA", authority, "-CAkey", authority_key),
            *("-CAcreateserial", "-days", "2", "-out", certificate),
        ],
    ]
    for command in commands:
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    return names[0], names[2], names[3]


@pytest.mark.weekly
def test_with_certificates_nobody_without_one_is_heard(tmp_path, notebooks, certificates):
    folder = tmp_path / "cluster"
    folder.mkdir()
    authority, certificate, key = certificates
    tls = ["--tls-ca-file", authority, "--tls-cert", certificate, "--tls-key", key]
    scheduler = dask("scheduler", folder, "--port", "0", "--host", "tls://127.0.0.1", *tls)
    worker = dask("worker", folder, "--nthreads", "2", "--no-nanny", *tls)
    try:
        address = address_in(folder)
        assert address.startswith("tls://")
        without = start(notebooks, "--cluster", address)
        _, err = without.communicate(timeout=120)
        assert "No scheduler answers at" in err
        process = start(notebooks, "--cluster", address, "--tls", *certificates)
        out, err = process.communicate(timeout=120)
    finally:
        for part in (worker, scheduler):
            part.kill()
            part.wait()
    assert report(notebooks) == COMPLETE, out + err
