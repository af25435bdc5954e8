"""Runs on a cluster: a real scheduler and real workers, one of which is killed."""

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from types import SimpleNamespace

import nbformat
import psutil
import pytest

from tools.compare import differences
from tools.course import ROOT, chapters, read
from tools.run import cluster, remote
from tools.run.done import BEFORE
from tools.run.processes import kill
from tools.terminal import ToolError

pytest.importorskip("distributed", reason="no dask here: make setup installs it")
worker = importlib.import_module("tools.run.worker")  # needs dask

WAIT_FOR_TWO = "import sys, distributed; distributed.Client(sys.argv[1]).wait_for_workers(2)"
SLEEPS = "import time\ntime.sleep(4)\nprint(seed)"
FAST = {  # so that a test need not wait for what takes minutes or gigabytes by default
    "DASK_DISTRIBUTED__COMM__SHARD": "1 MiB",
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "3s",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s",
    "DASK_DISTRIBUTED__WORKER__LIFETIME__RESTART": "False",
}


def dask(command, folder, *options, before=()):
    """Start a part of a cluster, without anything of the checkout within its reach."""
    program = f"from distributed.cli.dask_{command} import main; main()"
    options = ["--scheduler-file", folder / "scheduler.json", "--no-dashboard", *options]
    return subprocess.Popen(
        [*before, sys.executable, "-c", program, *map(str, options)],
        cwd=folder,
        env={**os.environ, **FAST, "TEST_FOLDER": str(folder), "TMPDIR": str(folder)},
        stdout=(folder / f"{command}.log").open("a"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


@pytest.fixture
def start_part(tmp_path):
    """Return a function that starts a part of a cluster, which ends with the test."""
    folder, started = tmp_path / "cluster", []
    folder.mkdir()

    def call(command, *options, before=()):
        started.append(dask(command, folder, *options, before=before))
        return started[-1]

    yield call
    for process in reversed(started):
        with suppress(psutil.NoSuchProcess):  # that the test has killed
            kill(psutil.Process(process.pid).children(recursive=True))
        process.kill()
        process.wait()


@pytest.fixture
def parts(start_part, tmp_path):
    """Start a scheduler and two workers; return them, and the address."""
    scheduler = start_part("scheduler", "--port", "0", "--host", "127.0.0.1")
    address = address_in(tmp_path / "cluster")
    workers = [start_part("worker", "--nthreads", "1", "--no-nanny") for _ in range(2)]
    wait_for_workers(address, 2)
    return scheduler, workers, address


def wait_for(condition, seconds=60):
    """Wait until a condition holds; return whether it does."""
    deadline = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return holds


def address_in(folder):
    """The address that a scheduler has written down."""
    file = folder / "scheduler.json"
    assert wait_for(file.exists)
    return json.loads(file.read_text())["address"]


def wait_for_workers(address, count):
    from distributed import Client

    with Client(address) as client:
        client.wait_for_workers(count, timeout=60)


def wait_for_job(folder):
    """Wait until a worker has begun to execute a notebook."""
    assert wait_for(lambda: list(folder.glob("job-*/out/notebooks/*.ipynb")), 120)


@pytest.fixture
def notebooks(tmp_path, write_notebook):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in "abc":
        write_notebook(folder / f"{name}.ipynb", SLEEPS)
    write_notebook(folder / "fails.ipynb", "print(open('beside.txt').read())", "1 / 0")
    (folder / "beside.txt").write_text("beside")
    return folder


def start(folder, *options, before=()):
    """Start tools.run on a folder of notebooks."""
    return start_run(
        "--notebooks", folder, "--trust", "--output", folder / "out", *options, before=before
    )


def start_run(*options, before=(), cwd=ROOT):
    return subprocess.Popen(
        [*before, sys.executable, "-m", "tools.run", *options],
        cwd=cwd,
        env={**os.environ, **FAST},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def report(folder, output="out"):
    found = json.loads((folder / output / "report.json").read_text())
    return {r["notebook"]: (r["status"], r["message"]) for r in found}


def outputs(folder, name):
    notebook = nbformat.read(folder / "out" / "notebooks" / name, as_version=4)
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


COMPLETE = {
    **{f"{name}.ipynb": ("ok", "") for name in "abc"},
    "fails.ipynb": ("failed", "ZeroDivisionError: division by zero"),
}


def test_a_worker_that_is_killed_costs_nothing_but_time(parts, notebooks, tmp_path, left_behind):
    scheduler, (first, second), address = parts
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
    left = {psutil.Process(scheduler.pid)}
    assert wait_for(lambda: set(left_behind(running, patience=0)) == left)


def test_without_its_scheduler_a_run_ends_and_says_so(parts, notebooks, tmp_path):
    scheduler, _, address = parts
    process = start(notebooks, "--cluster", address)
    wait_for_job(tmp_path / "cluster")
    scheduler.send_signal(signal.SIGKILL)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "the scheduler is gone" in out
    assert {status for status, _ in report(notebooks).values()} <= {"ok", "failed", "stopped"}


@pytest.mark.parametrize(
    "stop", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.weekly)]
)
def test_a_run_that_is_stopped_ends_its_jobs_and_a_second_goes_on(
    parts, notebooks, tmp_path, write_notebook, stop
):
    _, _, address = parts
    go_on = tmp_path / "go-on"  # without which the run does not end before it is stopped
    wait = f"import os, time\nwhile not os.path.exists({str(go_on)!r}):\n    time.sleep(0.1)"
    write_notebook(notebooks / "waits.ipynb", wait)
    process = start(notebooks, "--cluster", address)
    assert wait_for(lambda: list((notebooks / "out").glob("notebooks/*.done")), 120)
    wait_for_job(tmp_path / "cluster")
    process.send_signal(stop)
    _, err = process.communicate(timeout=60)
    assert err == ""
    if stop == signal.SIGINT:
        assert process.returncode == 1
        assert "stopped" in {status for status, _ in report(notebooks).values()}
    assert wait_for(lambda: not list((tmp_path / "cluster").glob("job-*")))  # nothing runs on
    before = [file.with_suffix(".ipynb").name for file in notebooks.glob("out/notebooks/*.done")]
    go_on.touch()
    process = start(notebooks, "--cluster", address, "--resume")
    out, err = process.communicate(timeout=120)
    done = {name: ("ok", BEFORE) for name in before}
    expected = {**COMPLETE, "waits.ipynb": ("ok", ""), **done}
    assert report(notebooks) == expected, out + err


@pytest.mark.weekly
def test_a_worker_that_comes_back_too_late_changes_nothing(parts, notebooks, tmp_path):
    """Its job is executed by the other worker meanwhile, and so begins twice."""
    _, (first, _), address = parts
    begun = tmp_path / "begun"
    for name in "abc":
        notebook = nbformat.read(notebooks / f"{name}.ipynb", as_version=4)
        notebook.cells[-1].source = f"open('{begun}', 'a').write('{name}')\n{SLEEPS}"
        nbformat.write(notebook, notebooks / f"{name}.ipynb")
    process = start(notebooks, "--cluster", address)
    assert wait_for(lambda: begun.exists() and len(begun.read_text()) == 2)
    os.kill(first.pid, signal.SIGSTOP)
    assert wait_for(lambda: len(begun.read_text()) >= 4)
    os.kill(first.pid, signal.SIGCONT)
    out, err = process.communicate(timeout=120)
    assert report(notebooks) == COMPLETE, out + err
    assert len(set(begun.read_text())) < len(begun.read_text())


@pytest.mark.weekly
def test_what_finds_a_full_disk_is_executed_by_another_worker(start_part, notebooks, tmp_path):
    if subprocess.run(["unshare", "--map-root-user", "--mount", "true"]).returncode:
        pytest.skip("no user namespaces here, in which to mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f'mount -t tmpfs -o size=1m none {disk} && TMPDIR={disk} exec "$@"'
    small = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    start_part("scheduler", "--port", "0", "--host", "127.0.0.1")
    address = address_in(tmp_path / "cluster")
    start_part("worker", "--nthreads", "1", "--no-nanny", before=small)
    wait_for_workers(address, 1)
    out, err = start(notebooks, "--cluster", address).communicate(timeout=120)
    assert {message for _, message in report(notebooks).values()} == {
        "on its worker: OSError: [Errno 28] No space left on device"
    }, out + err
    start_part("worker", "--nthreads", "1", "--no-nanny")
    wait_for_workers(address, 2)
    out, err = start(notebooks, "--cluster", address).communicate(timeout=120)
    assert report(notebooks) == COMPLETE, out + err


@pytest.mark.parametrize("switch", [[], pytest.param(["--fresh"], marks=pytest.mark.weekly)])
def test_kernels_on_a_worker_import_what_came_along(parts, tmp_path, write_notebook, switch):
    """And what is larger than a message of the workers arrives in pieces."""
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    write_notebook(notebooks / "a.ipynb", "import helpers\nprint(helpers.__file__)")
    write_notebook(notebooks / "b.ipynb", "print('x' * 9 * 2**20)")
    process = start(notebooks, "--cluster", parts[-1], *switch)
    out, err = process.communicate(timeout=120)
    assert report(notebooks) == {"a.ipynb": ("ok", ""), "b.ipynb": ("ok", "")}, out + err
    where = outputs(notebooks, "a.ipynb")[1][0].text
    assert where.startswith(str(tmp_path / "cluster" / "course-"))
    assert len(outputs(notebooks, "b.ipynb")[1][0].text) == 9 * 2**20 + 1


def test_a_cluster_of_this_process_gives_what_a_local_run_gives(notebooks, run_notebooks):
    options = ["--notebooks", notebooks, "--trust"]
    assert run_notebooks(*options, "--cluster", "local", "--output", notebooks / "out") == 1
    assert report(notebooks) == COMPLETE
    on_cluster = {name: outputs(notebooks, name) for name in COMPLETE}
    assert run_notebooks(*options, "--output", notebooks / "out") == 1
    assert {name: outputs(notebooks, name) for name in COMPLETE} == on_cluster


def test_what_fails_on_a_worker_is_told_and_stops_nothing(run_notebooks, notebooks, monkeypatch):
    errors = {"a.ipynb": OSError(28, "No space left on device"), "b.ipynb": TypeError("none")}
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
        "b.ipynb": ("failed", "on its worker: TypeError: none"),
    }


class OtherVersions:
    """A client of a scheduler and two workers, of which the last two differ."""

    scheduler = SimpleNamespace(address="tcp://0")

    def submit(self, *_, **__):
        return None

    get_executor = submit

    def run_on_scheduler(self, function):
        return {**function(), "filelock": ""}

    def run(self, function):
        return {"tcp://1": function(), "tcp://2": {**function(), "torch": "1.0", "pandas": ""}}


def test_a_cluster_with_other_versions_is_refused_by_name():
    here = remote.versions()
    with pytest.raises(ToolError) as error:
        cluster.Cluster(OtherVersions(), b"").refuse_other_versions()
    assert str(error.value) == (
        "The cluster differs from here: "
        f"tcp://0 has filelock missing, and here {here['filelock']}; "
        f"tcp://2 has torch 1.0, and here {here['torch']}; "
        f"tcp://2 has pandas missing, and here {here['pandas']}."
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
    start_part, tmp_path, notebooks, write_notebook
):
    """A nanny starts each worker anew; after four of them dask gives the notebook up."""
    write_notebook(
        notebooks / "kills.ipynb", "import psutil", "psutil.Process().parents()[2].kill()"
    )
    start_part("scheduler", "--port", "0", "--host", "127.0.0.1")
    address = address_in(tmp_path / "cluster")
    for _ in range(2):
        start_part("worker", "--nthreads", "1")
    wait_for_workers(address, 2)
    out, err = start(notebooks, "--cluster", address).communicate(timeout=300)
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
def test_with_certificates_nobody_without_one_is_heard(
    start_part, tmp_path, notebooks, certificates
):
    authority, certificate, key = certificates
    tls = ["--tls-ca-file", authority, "--tls-cert", certificate, "--tls-key", key]
    start_part("scheduler", "--port", "0", "--host", "tls://127.0.0.1", *tls)
    start_part("worker", "--nthreads", "2", "--no-nanny", *tls)
    address = address_in(tmp_path / "cluster")
    assert address.startswith("tls://")
    _, err = start(notebooks, "--cluster", address).communicate(timeout=120)
    assert "No scheduler answers at" in err
    process = start(notebooks, "--cluster", address, "--tls", *certificates)
    out, err = process.communicate(timeout=120)
    assert report(notebooks) == COMPLETE, out + err


class Network:
    """Machines with a network namespace each, on one switch, for whoever may have none for real."""

    def __init__(self):
        self._started = []
        self._switch = self._start("unshare", "--map-root-user", "--net")
        self._inside(self._switch, "ip", "link", "add", "switch", "type", "bridge")
        self._inside(self._switch, "ip", "link", "set", "switch", "up")

    def _start(self, *command):
        """Start a process that holds namespaces."""
        holder = subprocess.Popen([*command, "sleep", "infinity"])
        self._started.append(holder)
        assert wait_for(lambda: psutil.Process(holder.pid).name() == "sleep")
        return holder

    def _inside(self, holder, *command):
        subprocess.run([*self.enter(holder), *command], check=True, capture_output=True)

    @staticmethod
    def enter(holder):
        """The beginning of a command that is to run within the namespaces of a process."""
        target = ["--target", str(holder.pid), "--user", "--net", "--preserve-credentials"]
        return ["nsenter", *target]

    def machine(self, number):
        """Add a machine 10.77.0.`number`; return how a command begins that is to run there."""
        machine = self._start(*self.enter(self._switch), "unshare", "--net")
        cable = f"cable{number}"
        ends = ["type", "veth", "peer", "name", "eth0", "netns", str(machine.pid)]
        self._inside(self._switch, "ip", "link", "add", cable, *ends)
        self._inside(self._switch, "ip", "link", "set", cable, "master", "switch", "up")
        self._inside(machine, "ip", "address", "add", f"10.77.0.{number}/24", "dev", "eth0")
        for link in ("lo", "eth0"):
            self._inside(machine, "ip", "link", "set", link, "up")
        return self.enter(machine)

    def unplug(self, number, state="down"):
        self._inside(self._switch, "ip", "link", "set", f"cable{number}", state)

    def close(self):
        for holder in self._started:
            holder.kill()
            holder.wait()


@pytest.fixture
def network():
    trial = ["unshare", "--map-root-user", "--net", "ip", "link", "add", "switch", "type", "bridge"]
    if shutil.which("unshare") is None or subprocess.run(trial, capture_output=True).returncode:
        pytest.skip("no network namespaces here, or no ip: sudo apt-get install iproute2")
    network = Network()
    yield network
    network.close()


@pytest.fixture
def machines(network, start_part, tmp_path):
    """Start a scheduler and two workers on a machine each; return the workers, and how to join."""
    address = "tcp://10.77.0.1:8786"
    host = ["--host", "10.77.0.1", "--port", "8786"]
    start_part("scheduler", *host, before=network.machine(1))
    address_in(tmp_path / "cluster")
    options = ["--nthreads", "1", "--no-nanny"]
    workers = [start_part("worker", *options, before=network.machine(i)) for i in (2, 3)]
    here = network.machine(4)
    subprocess.run([*here, sys.executable, "-c", WAIT_FOR_TWO, address], check=True, timeout=60)
    return workers, here, address


@pytest.mark.weekly
def test_a_machine_without_its_cable_costs_nothing_but_time(machines, network, notebooks, tmp_path):
    _, here, address = machines
    process = start(notebooks, "--cluster", address, before=here)
    wait_for_job(tmp_path / "cluster")
    network.unplug(2)
    time.sleep(10)  # more than the scheduler waits for
    network.unplug(2, "up")
    out, err = process.communicate(timeout=300)
    assert report(notebooks) == COMPLETE, out + err


@pytest.mark.weekly
def test_the_course_on_two_machines_one_of_which_dies_is_that_of_one(
    machines, tmp_path, monkeypatch
):
    """Each has the system's copy of Fashion-MNIST or else the sample, and none of a checkout."""
    monkeypatch.setenv("HELPERS_OFFLINE", "1")
    (first, _), here, address = machines
    far, near, copy = (tmp_path / name for name in ("far", "near", "copy"))
    process = start_run("--cluster", address, "--output", far, before=here)
    assert wait_for(lambda: len(list(far.glob("notebooks/*.done"))) >= 5, 600)
    first.kill()
    out, err = process.communicate(timeout=1800)
    assert process.returncode == 0, out + err
    assert len(report(far, "")) == len(chapters())
    remote.unpack(cluster.archive(), copy)
    shutil.copytree(ROOT / "notebooks", copy / "notebooks")
    process = start_run("--output", near, cwd=copy)
    out, err = process.communicate(timeout=1800)
    assert process.returncode == 0, out + err
    for path in chapters():
        one, other = (read(folder / "notebooks" / path.name) for folder in (far, near))
        assert differences(one, other) == [], path.name
