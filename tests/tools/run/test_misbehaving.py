"""tools.run on the notebooks in tests/misbehaving, and on a run that is stopped.

`make test` runs those that need the machinery most; the weekly run has all of them.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest

from tools.course import ROOT
from tools.run.processes import is_alive

pytestmark = pytest.mark.skipif(
    os.name == "nt", reason="Windows has no signals to end a process with"
)

MISBEHAVING = ROOT / "tests" / "misbehaving"
IN_EVERY_RUN = ["exits", "kills-papermill", "no-notebook", "prints-for-ever", "takes-memory"]
HANG = "import time\ntime.sleep(600)"
LIMITS = ["--time-limit", "60", "--memory-limit", "600", "--output-limit", "3"]


def start(folder, *options, **more):
    """Start tools.run on the notebooks in a folder."""
    command = [sys.executable, "-m", "tools.run", "--notebooks", folder, "--output", folder / "out"]
    return subprocess.Popen(
        [*command, "--trust", *options],  # in a sandbox they could not do their worst
        cwd=ROOT,
        env={**os.environ, "TEST_FOLDER": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell lets what it starts in the background ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        **more,
    )


def read_report(folder):
    report = json.loads((folder / "out" / "report.json").read_text())
    return {r["notebook"].removesuffix(".ipynb"): r for r in report}


def work(folder, name):
    """The folder that a notebook runs in."""
    return folder / "out" / "scratch" / f"{name}.ipynb" / "notebooks"


def printed(folder, name):
    """What the kept notebook has in its streams."""
    notebook = nbformat.read(folder / "out" / "notebooks" / f"{name}.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.get("text", "") for output in outputs)


EXPECTED = {
    "good": ("ok", ""),
    "fails": ("failed", "ValueError: no such thing"),
    "hangs": ("too slow", "not done after 60 s"),
    "exits": ("failed", "the kernel died in the cell that begins `import subprocess`"),
    "killed": ("failed", "the kernel died in the cell that begins `import os`"),
    "kills-papermill": ("failed", "papermill, which executes the notebook, was ended by signal 9"),
    "prints": ("failed", "TooMuchOutput: more than 3 MB; print and show less, or raise"),
    "prints-at-once": ("failed", "TooMuchOutput: more than 3 MB"),
    "prints-for-ever": ("failed", "TooMuchOutput: more than 3 MB"),
    # Either limit may be noticed first: that of the notebook, or that of the log.
    "prints-past-the-notebook": ("failed or too large", "more than 3 MB"),
    "asks": ("failed", "StdinNotImplementedError: input() has nobody to ask in a batch"),
    "takes-memory": ("too large", "took more than 600 MB of memory"),
    "leaves-processes": ("ok", ""),
    "no-notebook": ("failed", "nbformat.reader.NotJSONError: Notebook does not appear to be JSON"),
}


def weekly(name: str):
    return pytest.param(name, marks=[] if name in IN_EVERY_RUN else pytest.mark.weekly)


each_notebook = pytest.mark.parametrize("name", [weekly(name) for name in EXPECTED])


@pytest.fixture(scope="module")
def batch(tmp_path_factory, request):
    """Run the notebooks that this run tests, all in one batch."""
    folder = tmp_path_factory.mktemp("faults")
    for name in EXPECTED if request.config.getoption("--weekly") else IN_EVERY_RUN:
        shutil.copy(MISBEHAVING / f"{name}.ipynb", folder)
    process = start(folder, "--jobs", "3", *LIMITS)
    out, err = process.communicate()
    return folder, process.returncode, out, err


@each_notebook
def test_the_report_says_what_became_of_it(batch, name):
    folder, _, out, _ = batch
    status, message = EXPECTED[name]
    result = read_report(folder)[name]
    assert result["status"] in status.split(" or ")
    assert message in result["message"]
    assert f"{name}.ipynb  {result['seconds']:.1f} s  {result['status']}" in out
    if result["status"] != "ok":
        assert f"\n{name}.ipynb {result['status']}: " in out


@pytest.mark.parametrize("name", [weekly(name) for name in EXPECTED if name != "no-notebook"])
def test_what_came_before_is_kept(batch, name):
    folder, *_ = batch
    text = printed(folder, name)
    assert text.startswith("first\n")
    assert ("before" in text) == (name in ("hangs", "exits", "kills-papermill"))


def test_the_run_is_over_with_status_1_and_no_traceback(batch):
    folder, returncode, _, err = batch
    assert returncode == 1
    assert err == ""
    assert set(read_report(folder)) == {path.stem for path in folder.glob("*.ipynb")}


def test_no_process_is_left(batch, left_behind):
    folder, *_ = batch
    assert left_behind(folder) == []
    without_mark = int((work(folder, "exits") / "pid.txt").read_text())
    assert without_mark not in {p.pid for p in psutil.process_iter() if is_alive(p)}


@pytest.mark.parametrize("name", [weekly(n) for n in EXPECTED if n.startswith("prints")])
def test_output_without_end_costs_little(batch, name):
    folder, *_ = batch
    result = read_report(folder)[name]
    assert result["peak_mb"] < 600
    assert (folder / "out" / "notebooks" / f"{name}.ipynb").stat().st_size < 4 * 2**20


@pytest.fixture
def hanging(tmp_path, write_notebook):
    """Start a run of three notebooks: one gets done, one hangs, one is not started."""
    write_notebook(tmp_path / "1.ipynb", "seed")
    write_notebook(tmp_path / "2.ipynb", "open('started', 'w')", HANG)
    write_notebook(tmp_path / "3.ipynb", "seed")
    process = start(tmp_path, "--jobs", "1")
    deadline = time.monotonic() + 120
    while not (work(tmp_path, "2") / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    yield tmp_path, process
    process.terminate()
    process.communicate()


def to_the_tool(pid):
    os.kill(pid, signal.SIGINT)


def to_all(pid):
    os.killpg(pid, signal.SIGINT)


def again_and_again(pid):
    for _ in range(8):
        os.kill(pid, signal.SIGINT)
        time.sleep(0.1)


def terminate(pid):
    os.kill(pid, signal.SIGTERM)


@pytest.mark.parametrize(
    "stop",
    [
        again_and_again,
        pytest.param(to_the_tool, marks=pytest.mark.weekly),
        pytest.param(to_all, marks=pytest.mark.weekly),
        pytest.param(terminate, marks=pytest.mark.weekly),
    ],
)
def test_a_stopped_run_ends_soon_and_keeps_what_is_done(hanging, left_behind, stop):
    """A second run into the same folder says so and ends, and does the first one no harm."""
    folder, process = hanging
    if stop is again_and_again:
        second = start(folder)
        _, err = second.communicate(timeout=60)
        assert second.returncode == 1
        assert err.startswith(f"Another run writes to {folder / 'out'}. Wait until it is done, or")
    stop(process.pid)
    out, err = process.communicate(timeout=60)  # the notebook itself would take ten minutes
    assert process.returncode == 1
    assert err == ""
    assert left_behind(folder) == []
    assert {name: r["status"] for name, r in read_report(folder).items()} == {
        "1": "ok",
        "2": "stopped",
    }
    assert "Stopped before 1 of 3 began." in out


def test_when_the_tool_itself_is_killed_its_kernels_end_too(hanging, left_behind):
    folder, process = hanging
    process.kill()
    process.wait()
    assert left_behind(folder, patience=60) == []
    assert {name: r["status"] for name, r in read_report(folder).items()} == {"1": "ok"}
