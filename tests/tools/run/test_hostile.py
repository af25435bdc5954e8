"""File names, parameters and errors that try to be more than text."""

import io
import json
import os
import sys

import nbformat
import pytest

from tools.course import ROOT
from tools.run import __main__ as run
from tools.terminal import ToolError, printable, run_tool

pytestmark = pytest.mark.usefixtures("one_fork_server")
CONTROL = "\x1b[31m\x07\u202e"  # red, a bell, and writing from right to left
NAMES = [
    "-p seed 7",
    "--help",
    "..{seed}{0.__class__}",
    "ünïcödé 数",
]
if os.name != "nt":  # Windows has no such names
    NAMES += [
        "'\"; touch hacked; $(touch hacked) `touch hacked` | & * \\",
        f"a\nnew line {CONTROL}",
    ]

VALUES = {
    "quotes": "'\"''' \"\"\" \\' \\\" \\",
    "braces": "{0} {seed} {{}} %s ${HOME}",
    "lines": "a\nb\r\n# c\n\tseed = 7",
    "code": "__import__('os').system('touch hacked')",
    "shell": '$(touch hacked); `touch hacked` | touch hacked & "; import os',
    "option": "--cwd",
    "dash": "-",
    "control": CONTROL,
    "yes": "yes",
}
NUMBERS = {"small": ("-1e-3", -0.001), "whole": ("-7", -7), "truth": ("False", False)}


def files_in(folder):
    return {path.relative_to(folder) for path in folder.rglob("*")}


def streams(path):
    cells = nbformat.read(path, as_version=4).cells
    return "".join(o.get("text", "") for cell in cells for o in cell.get("outputs", []))


def test_names_are_only_names(run_notebooks, tmp_path, capsys, write_notebook):
    notebooks, out = tmp_path / "notebooks", tmp_path / "out"
    notebooks.mkdir()
    code = f"import sys\nopen('relative.txt', 'w').close()\nraise ValueError({CONTROL + chr(10)!r})"
    for name in NAMES:
        write_notebook(notebooks / f"{name}.ipynb", "print(seed)", code)
    for folder in (notebooks, out / "notebooks"):  # a module that papermill must not import
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "papermill.py").write_text("raise SystemExit('hacked')")
    before, in_root = files_in(notebooks), {path.name for path in ROOT.iterdir()}

    assert run_notebooks("--notebooks", notebooks, "--output", out, "-p", "seed", "3") == 1

    assert files_in(notebooks) == before
    assert {path.name for path in tmp_path.iterdir()} == {"notebooks", "out"}
    assert {path.name for path in ROOT.iterdir()} == in_root
    made = {path.name for path in (out / "notebooks").iterdir()}
    assert made == {f"{n}.{e}" for n in NAMES for e in ("ipynb", "log")} | {"papermill.py"}
    for name in NAMES:
        assert (out / "scratch" / f"{name}.ipynb" / "notebooks" / "relative.txt").exists()
        assert streams(out / "notebooks" / f"{name}.ipynb") == "3\n"
    report = json.loads((out / "report.json").read_text())
    assert {r["notebook"] for r in report} == {f"{name}.ipynb" for name in NAMES}
    assert {r["message"] for r in report} == {r"ValueError: \x1b[31m\x07\u202e"}
    shown = capsys.readouterr().out
    assert all(c.isprintable() for c in shown.replace("\n", ""))
    for name in NAMES:
        assert f"\n{printable(name)}.ipynb failed: ValueError" in shown


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_text_or_that_a_terminal_cannot_show(
    monkeypatch, tmp_path, write_notebook
):
    terminal = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    for name in ("ü.ipynb", os.fsdecode(b"\xff.ipynb")):
        write_notebook(tmp_path / name, "1")
    options = ["--notebooks", str(tmp_path), "--output", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["run", *options])
    with pytest.raises(SystemExit) as ended:
        run_tool(run.main)
    assert ended.value.code == 1
    terminal.flush()
    shown = terminal.buffer.getvalue().decode("ascii")
    assert "\n\\xfc.ipynb  " in shown
    assert "\n\\udcff.ipynb failed: UnicodeEncodeError" in shown
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert {r["notebook"]: r["status"] for r in report} == {
        "ü.ipynb": "ok",
        "\udcff.ipynb": "failed",
    }


def test_values_arrive_as_what_they_are(run_notebooks, tmp_path, write_notebook):
    names = [*VALUES, *NUMBERS]
    write_notebook(
        tmp_path / "a.ipynb",
        f"import json\nprint(json.dumps([{', '.join(names)}]))",
        parameters="\n".join(f"{name} = 0" for name in names),
    )
    texts = [*VALUES.values(), *(text for text, _ in NUMBERS.values())]
    parameters = [p for name, text in zip(names, texts, strict=True) for p in ("-p", name, text)]
    out = tmp_path / "out"
    assert run_notebooks(*parameters, "--notebooks", tmp_path, "--output", out) == 0
    expected = [*VALUES.values(), *(number for _, number in NUMBERS.values())]
    assert json.loads(streams(out / "notebooks" / "a.ipynb")) == expected
    made = {path for path in files_in(out) if path.parts[0] != "scratch"}
    assert {path.name for path in made} == {
        ".lock",
        "a.done",
        "report.json",
        "notebooks",
        "a.ipynb",
        "a.log",
    }
    assert not list(out.rglob("hacked"))
    assert not (ROOT / "hacked").exists()


@pytest.mark.parametrize("name", ["seed = 1; import os", "../seed", CONTROL, "-"])
def test_a_name_that_is_no_parameter_is_refused(run_notebooks, name):
    with pytest.raises(ToolError, match="No chapter has a parameter") as error:
        run_notebooks("-p", name, "1")
    assert str(error.value).isprintable()


@pytest.mark.parametrize("name", ["../4.4", "/etc/passwd", "4.4-*", CONTROL])
def test_a_section_is_no_path(run_notebooks, name):
    with pytest.raises(ToolError, match="No chapter ") as error:
        run_notebooks(name)
    assert str(error.value).isprintable()
