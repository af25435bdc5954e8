"""File names, parameters and errors that try to be more than text; and code that would let them."""

import ast
import io
import json
import os
import sys

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tools.course import ROOT, chapters, read
from tools.terminal import printable

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


@pytest.mark.slow
def test_names_are_only_names(main, tmp_path, capsys, write_notebook):
    notebooks, out = tmp_path / "notebooks", tmp_path / "out"
    notebooks.mkdir()
    code = f"import sys\nopen('relative.txt', 'w').close()\nraise ValueError({CONTROL + chr(10)!r})"
    for name in NAMES:
        write_notebook(notebooks / f"{name}.ipynb", "print(seed)", code)
    for folder in (notebooks, out / "notebooks"):  # a module that papermill must not import
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "papermill.py").write_text("raise SystemExit('hacked')")
    before, in_root = files_in(notebooks), {path.name for path in ROOT.iterdir()}

    assert main("--notebooks", notebooks, "--output", out, "-p", "seed", "3") == 1

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
    main, monkeypatch, tmp_path, write_notebook
):
    terminal = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    for name in ("ü.ipynb", os.fsdecode(b"\xff.ipynb")):
        write_notebook(tmp_path / name, "1")
    assert main("--notebooks", tmp_path, "--output", tmp_path / "out") == 1
    terminal.flush()
    shown = terminal.buffer.getvalue().decode("ascii")
    assert "\n\\xfc.ipynb  " in shown
    assert "\n\\udcff.ipynb failed: UnicodeEncodeError" in shown
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert {r["notebook"]: r["status"] for r in report} == {
        "ü.ipynb": "ok",
        "\udcff.ipynb": "failed",
    }


def test_values_arrive_as_what_they_are(main, tmp_path, write_notebook):
    names = [*VALUES, *NUMBERS]
    write_notebook(
        tmp_path / "a.ipynb",
        f"import json\nprint(json.dumps([{', '.join(names)}]))",
        parameters="\n".join(f"{name} = 0" for name in names),
    )
    texts = [*VALUES.values(), *(text for text, _ in NUMBERS.values())]
    parameters = [p for name, text in zip(names, texts, strict=True) for p in ("-p", name, text)]
    out = tmp_path / "out"
    assert main(*parameters, "--notebooks", tmp_path, "--output", out) == 0
    expected = [*VALUES.values(), *(number for _, number in NUMBERS.values())]
    assert json.loads(streams(out / "notebooks" / "a.ipynb")) == expected
    made = {path for path in files_in(out) if path.parts[0] != "scratch"}
    assert {path.name for path in made} == {
        ".lock",
        "report.json",
        "notebooks",
        "a.ipynb",
        "a.log",
    }
    assert not list(out.rglob("hacked"))
    assert not (ROOT / "hacked").exists()


@pytest.mark.parametrize("name", ["seed = 1; import os", "../seed", CONTROL, "-"])
def test_a_name_that_is_no_parameter_is_refused(main, name):
    with pytest.raises(SystemExit, match="No chapter has a parameter") as error:
        main("-p", name, "1")
    assert str(error.value).isprintable()


@pytest.mark.parametrize("name", ["../4.4", "/etc/passwd", "4.4-*", CONTROL])
def test_a_section_is_no_path(main, name):
    with pytest.raises(SystemExit, match="No chapter ") as error:
        main(name)
    assert str(error.value).isprintable()


# Code that runs what it is given to read. What a name is an alias of is not followed.
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
CALLS = {"eval", "exec", "os.system", "os.popen", "read_pickle", "yaml.load", "unsafe_load"}


def dangers(source):
    """The calls and imports in a piece of Python that can execute what is only data."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [n.name for n in node.names if n.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names} & {"system", "popen", "read_pickle"}
            found += names or [node.module] * ((node.module or "").split(".")[0] in MODULES)
        elif isinstance(node, ast.Call):
            name, given = (
                ast.unparse(node.func),
                {k.arg: ast.unparse(k.value) for k in node.keywords},
            )
            last = name.split(".")[-1]
            unsafe_torch = name == "torch.load" and given.get("weights_only") != "True"
            asked = given.get("shell", "False") != "False" or "True" in given.get(
                "allow_pickle", ""
            )
            if name in CALLS or (last in CALLS - {"eval", "exec"}) or unsafe_torch or asked:
                found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import pickle as p",
        "from pickle import loads",
        "import joblib",
        "from os import system",
        "import os; os.system('ls')",
        "pd.read_pickle('x')",
        "torch.load('x')",
        "torch.load('x', weights_only=False)",
        "np.load('x', allow_pickle=True)",
        "subprocess.run('ls', shell=True)",
        "eval('1')",
        "exec('1')",
        "yaml.load(text, Loader=Loader)",
    ],
)
def test_a_danger_is_seen(source):
    assert dangers(source)


@pytest.mark.parametrize(
    "source",
    ["net.eval()", "torch.load('x', weights_only=True)", "yaml.safe_load(x)", "np.load('x')"],
)
def test_what_is_harmless_is_not_called_a_danger(source):
    assert not dangers(source)


PYTHON = [ROOT / "conftest.py", *(ROOT / "helpers").rglob("*.py"), *(ROOT / "tools").rglob("*.py")]


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_executes_what_it_reads(path):
    assert not dangers(path.read_text())


@pytest.mark.parametrize("path", chapters(), ids=lambda path: path.name)
def test_no_chapter_executes_what_it_reads(path):
    """With IPython's own syntax in cells, such as `!ls`, written as the call that it stands for."""
    cells = [cell.source for cell in read(path).cells if cell.cell_type == "code"]
    code = "\n".join(TransformerManager().transform_cell(cell) for cell in cells)
    assert not dangers(code)
    assert "get_ipython().system" not in code
    assert "get_ipython().getoutput" not in code
