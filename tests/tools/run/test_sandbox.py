"""Notebooks by others: what they can write to, and what they see of the machine."""

import json
import os

import nbformat
import pytest

from tools.course import ROOT
from tools.run import __main__ as run
from tools.run import sandbox
from tools.run.batch import Run, execute_all
from tools.run.limits import Limits


@pytest.fixture(scope="module")
def bubblewrap():
    """Skip where there can be no sandbox."""
    obstacle = sandbox.obstacle()
    if obstacle:
        pytest.skip(f"no sandbox here ({obstacle}): sudo apt-get install bubblewrap")


ATTEMPTS = {
    "writes": "open({target!r}, 'a').write('hacked')",
    "truncates": "open({target!r}, 'w')",
    "deletes": "os.remove({target!r})",
    "renames": "os.rename({target!r}, {target!r} + '2')",
    "replaces": "open('mine', 'w'); os.replace('mine', {target!r})",
    "links": "os.link({target!r}, 'linked'); open('linked', 'w')",
    "follows": "os.symlink({target!r}, 'followed'); open('followed', 'w')",
    "changes": "os.chmod({target!r}, 0o777)",
    "climbs": "open(os.path.relpath({target!r}), 'w')",
    "meddles": "open('../../../notebooks/works.ipynb', 'w')",
    "makes": "os.mkdir({target!r} + '-folder')",
    "remounts": "subprocess.run(['mount', '-o', 'remount,rw', '/']); open({target!r}, 'w')",
    "nests": "subprocess.run(['unshare', '-Urm', 'sh', '-c', "
    "'mount -o remount,rw / ; echo hacked >' + {target!r}], check=True)",
    "kills": "os.kill({pid}, 9)",
}
WORKS = """
import tempfile, torch, helpers
from pathlib import Path
Path("mine.txt").write_text("a")
Path("../data").mkdir()
Path("../data/table.csv").write_text("a,b")
tempfile.TemporaryFile().write(b"a")
data = helpers.FashionMNIST(limit=64, num_workers=1)
helpers.Trainer(1).fit(helpers.SoftmaxRegression(10, lr=0.1), data)
"""


@pytest.fixture(scope="module", params=["forked", "started"])
def submissions(bubblewrap, run_notebooks, tmp_path_factory, write_notebook, request):
    """Run a notebook that attempts everything, and an honest one, in the sandbox."""
    folder = tmp_path_factory.mktemp("submissions")
    target = folder / "grades.csv"
    target.write_text("untouched")
    attempts = [a.format(target=str(target), pid=os.getpid()) for a in ATTEMPTS.values()]
    cells = [
        f"try:\n    {attempt}\nexcept Exception as error:\n    print(type(error).__name__)"
        for attempt in attempts
    ]
    write_notebook(folder / "attacks.ipynb", "import os, subprocess", *cells)
    write_notebook(folder / "works.ipynb", WORKS)
    before = tree(folder)
    out = folder / "out" / ("long" * 20)  # a name that is no place for a socket
    options = ["--jobs", 1] if request.param == "forked" else ["--fresh"]
    status = run_notebooks("--notebooks", folder, "--output", out, *options)
    return folder, before, status, out


def tree(folder):
    """Names, contents and permissions of all outside `out`."""
    return {
        path: (path.stat().st_mode, path.is_file() and path.read_bytes())
        for path in folder.rglob("*")
        if folder / "out" not in [path, *path.parents]
    }


def test_nothing_is_written_outside_of_the_output_folder(submissions):
    folder, before, status, _ = submissions
    assert tree(folder) == before
    assert status == 0


def test_each_attempt_fails(submissions):
    *_, out = submissions
    notebook = nbformat.read(out / "notebooks" / "attacks.ipynb", as_version=4)
    cells = notebook.cells[-len(ATTEMPTS) :]
    got = {
        name: "".join(output.get("text", "") for output in cell.outputs if output.name == "stdout")
        for name, cell in zip(ATTEMPTS, cells, strict=True)
    }
    refused = {"OSError\n", "PermissionError\n"}
    expected = {"nests": {"CalledProcessError\n"}, "kills": {"ProcessLookupError\n"}}
    assert {n: g for n, g in got.items() if g not in expected.get(n, refused)} == {}


def test_an_honest_notebook_works_as_ever(submissions):
    *_, out = submissions
    own = out / "scratch" / "works.ipynb"
    assert (own / "notebooks" / "mine.txt").read_text() == "a"
    assert (own / "data" / "table.csv").read_text() == "a,b"
    notebook = nbformat.read(out / "notebooks" / "works.ipynb", as_version=4)
    assert "image/svg+xml" in notebook.cells[-1].outputs[-1].data


@pytest.mark.weekly
def test_what_hangs_or_dies_in_the_sandbox_leaves_no_process(
    bubblewrap, run_notebooks, left_behind, monkeypatch, tmp_path, write_notebook, capsys
):
    leave = "import subprocess\nsubprocess.Popen(['sleep', '300'], start_new_session=True)\n"
    write_notebook(tmp_path / "hangs.ipynb", f"{leave}import time\nprint(1)\ntime.sleep(300)")
    write_notebook(tmp_path / "dies.ipynb", f"{leave}import os\nos._exit(1)")
    write_notebook(tmp_path / "ends.ipynb", leave)
    monkeypatch.setenv("TEST_FOLDER", str(tmp_path))
    options = ["--notebooks", tmp_path, "--output", tmp_path / "out", "--time-limit", "20"]
    assert run_notebooks(*options) == 1
    shown = capsys.readouterr().out
    assert "hangs.ipynb too slow: not done after 20 s" in shown
    assert "dies.ipynb failed: the kernel died in the cell that begins `import subprocess`" in shown
    assert "ends.ipynb  " in shown
    kept = nbformat.read(tmp_path / "out" / "notebooks" / "hangs.ipynb", as_version=4)
    assert kept.cells[-1].outputs[0].text == "1\n"
    assert left_behind(tmp_path) == []


def test_without_a_sandbox_it_says_so(run_notebooks, monkeypatch, tmp_path, write_notebook, capsys):
    write_notebook(tmp_path / "a.ipynb", "open('mine', 'w')")
    monkeypatch.setattr(run, "obstacle", lambda: "no\x1b[31m")
    options = ["--notebooks", tmp_path, "--output", tmp_path / "out"]
    assert run_notebooks(*options) == 0
    assert "can write wherever you can" in capsys.readouterr().out
    assert (tmp_path / "out/scratch/a.ipynb/notebooks/mine").exists()
    assert run_notebooks(*options, "--trust") == 0
    assert "can write wherever you can" not in capsys.readouterr().out


LOOK_AROUND = """
import json, os, socket
from pathlib import Path

def target(descriptor):
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:  # another thread has closed it since, or it was that of the list itself
        return ""


status = dict(line.split(":", 1) for line in open("/proc/self/status"))
rights = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
opened = [target(name) for name in os.listdir("/proc/self/fd")]
print(json.dumps({
    "rights": [int(status[name], 16) for name in rights],
    "no new rights": int(status["NoNewPrivs"]),
    "processes": sum(name.isdigit() for name in os.listdir("/proc")),
    "networks": [name for _, name in socket.if_nameindex()],
    "checkout": sorted({*os.listdir(CHECKOUT)} - {".venv"}),  # where Python may be installed
    "secret": "hush" in Path("/proc/self/environ").read_text() + str(os.environ),
    "folder": os.getcwd(),
    "home": os.path.expanduser("~"),
    "files": sorted({Path(path).suffix for path in opened if Path(path).suffix}),
}))
"""


@pytest.fixture(scope="module", params=["forked", "started"])
def seen(bubblewrap, tmp_path_factory, write_notebook, request):
    """Return what an isolated notebook sees of the machine."""
    folder = tmp_path_factory.mktemp("isolated")
    source = LOOK_AROUND.replace("CHECKOUT", repr(str(ROOT)))
    for name in ("a.ipynb", "b.ipynb"):
        write_notebook(folder / name, source)
    (folder / "out").mkdir()
    run = Run(
        folder / "out", {}, folder, Limits(), isolated=True, preload=request.param == "forked"
    )
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("SECRET", "hush")
        results = execute_all(run, sorted(folder.glob("*.ipynb")), 1, folder / "report.json")
    assert [(r.status, r.message) for r in results] == [("ok", "")] * 2
    notebook = nbformat.read(folder / "out" / "a.ipynb", as_version=4)
    return json.loads(notebook.cells[-1].outputs[0].text)


def test_an_isolated_notebook_has_no_rights_and_sees_nothing(seen):
    assert seen.pop("processes") < 5  # bubblewrap's own, and the kernel
    assert seen == {
        "rights": [0] * 5,
        "no new rights": 1,
        "networks": ["lo"],
        "checkout": ["data", "helpers"],
        "secret": False,
        "folder": sandbox.WORK + "/notebooks",
        "home": sandbox.WORK,
        "files": [".log"],  # that of the run, which counts what comes in
    }


def test_on_a_cluster_a_notebook_has_no_network(
    bubblewrap, run_notebooks, tmp_path, write_notebook
):
    """It would reach the scheduler, and so all workers."""
    pytest.importorskip("distributed", reason="no dask here: make setup installs it")
    look = "import os, socket\nprint(socket.if_nameindex(), os.path.exists('mine'))"
    write_notebook(tmp_path / "a.ipynb", "open('mine', 'w').close()", look)
    options = ["--notebooks", tmp_path, "--cluster", "local", "--output", tmp_path / "out"]
    for more in ([], ["--fresh"]):
        assert run_notebooks(*options, *more) == 0
        notebook = nbformat.read(tmp_path / "out" / "notebooks" / "a.ipynb", as_version=4)
        assert notebook.cells[-1].outputs[0].text == "[(1, 'lo')] True\n"
