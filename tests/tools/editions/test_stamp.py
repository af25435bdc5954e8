import shutil
import sys
import types
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_markdown_cell, new_notebook

import helpers
from tools.course import NOTEBOOKS, chapters, count_words, read, tags
from tools.editions import stamp
from tools.editions.stamp import Address
from tools.terminal import ToolError

NOWHERE, SOMEWHERE = Address(), Address("owner/name", "v1.0")
RUN_MAKE_STAMP = "run `make stamp`"


def test_the_committed_chapters_hold_what_make_stamp_writes(tmp_path):
    """Before the course is published and after."""
    copies = [Path(shutil.copy(path, tmp_path)) for path in chapters()]
    for path, copy in zip(chapters(), copies, strict=True):
        stamp.stamp(copy, stamp.stored_address(), copies)
        assert copy.read_text(encoding="utf-8") == path.read_text(encoding="utf-8"), RUN_MAKE_STAMP


def test_the_readme_has_a_row_for_each_chapter_with_its_times():
    readme = stamp.README.read_text(encoding="utf-8")
    assert stamp.table(stamp.stored_address()) in readme, RUN_MAKE_STAMP
    for path in chapters():
        assert f"]({NOTEBOOKS.name}/{path.name})" in readme


def test_an_address_adds_no_words_to_read(tmp_path):
    """So a chapter of as many words as are allowed can be published."""
    copies = [Path(shutil.copy(path, tmp_path)) for path in chapters()]
    for path, copy in zip(chapters(), copies, strict=True):
        stamp.stamp(copy, SOMEWHERE, copies)
        before, after = read(path).cells[0], read(copy).cells[0]
        assert "colab-badge" in after.source
        assert count_words(after) == count_words(before)


@pytest.fixture
def copy(tmp_path):
    return Path(shutil.copy(chapters()[-1], tmp_path))


def test_an_address_is_written_and_taken_out_again(copy):
    stamp.stamp(copy, NOWHERE, [copy])
    without = copy.read_text(encoding="utf-8")
    assert "git+https" not in without
    assert "colab.research.google.com" not in without
    stamp.stamp(copy, SOMEWHERE, [copy])
    stamped = copy.read_text(encoding="utf-8")
    place = f"owner/name/blob/student-v1.0/notebooks/{copy.name}"
    ours = f"owner/name/blob/v1.0/notebooks/{copy.name}"
    assert f"[with solutions](https://colab.research.google.com/github/{ours})" in stamped
    assert f"colab.research.google.com/github/{place}" in stamped
    assert f"kaggle.com/kernels/welcome?src=https://github.com/{place}" in stamped
    assert "git+https://github.com/owner/name@v1.0" in stamped
    stamp.stamp(copy, SOMEWHERE, [copy])
    assert copy.read_text(encoding="utf-8") == stamped
    stamp.stamp(copy, Address("other/place", "v2"), [copy])
    assert "owner/name" not in copy.read_text(encoding="utf-8")
    stamp.stamp(copy, NOWHERE, [copy])
    assert copy.read_text(encoding="utf-8") == without


def test_the_readme_gets_badges_for_each_chapter(tmp_path):
    copy = Path(shutil.copy(stamp.README, tmp_path))
    stamp.stamp_readme(copy, NOWHERE)
    without = copy.read_text(encoding="utf-8")
    stamp.stamp_readme(copy, SOMEWHERE)
    stamped = copy.read_text(encoding="utf-8")
    for path in chapters():
        assert stamped.count(f"blob/student-v1.0/{NOTEBOOKS.name}/{path.name}") == 2
        assert stamped.count(f"blob/v1.0/{NOTEBOOKS.name}/{path.name}") == 1
    assert "codespaces.new/owner/name?ref=v1.0" in stamped
    stamp.stamp_readme(copy, NOWHERE)
    assert copy.read_text(encoding="utf-8") == without


def test_the_address_is_kept_in_one_place(tmp_path, monkeypatch):
    project = Path(shutil.copy(stamp.PROJECT, tmp_path))
    monkeypatch.setattr(stamp, "PROJECT", project)
    before = project.stat().st_mtime_ns
    stamp.store(SOMEWHERE, project)
    assert project.stat().st_mtime_ns == before, "make would install everything again"
    assert stamp.stored_address() == SOMEWHERE
    stamp.store(NOWHERE, project)
    assert stamp.stored_address() == NOWHERE


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--repo", "a/b", "--ref", "v2"], Address("a/b", "v2")),
        (["--remove"], NOWHERE),
        ([], SOMEWHERE),
    ],
)
def test_without_options_the_stored_address_is_written_again(monkeypatch, options, expected):
    monkeypatch.setattr(stamp, "stored_address", lambda: SOMEWHERE)
    monkeypatch.setattr(sys, "argv", ["stamp", *options])
    assert stamp.read_address() == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--repo", "a/b"], "Give both"),
        (["--repo", "a", "--ref", "v1"], "expected owner/name"),
        (["--repo", "a/b", "--ref", "v 1"], "expected a tag"),
    ],
)
def test_half_an_address_is_refused(monkeypatch, options, message):
    monkeypatch.setattr(sys, "argv", ["stamp", *options])
    with pytest.raises(ToolError, match=message):
        stamp.read_address()


@pytest.fixture
def run_setup(monkeypatch):
    """Return a function that executes a setup cell and returns the magics that it called."""
    monkeypatch.setattr(sys, "path", [*sys.path])

    def run(address: Address) -> list[tuple]:
        magics = []
        shell = types.SimpleNamespace(run_line_magic=lambda *called: magics.append(called))
        code = TransformerManager().transform_cell(stamp.setup_cell(address))
        exec(code, {"get_ipython": lambda: shell})
        return magics

    return run


@pytest.mark.parametrize("address", [NOWHERE, SOMEWHERE])
def test_the_setup_cell_finds_helpers(run_setup, address):
    assert run_setup(address) == []


@pytest.mark.parametrize(
    ("address", "remedy"), [(NOWHERE, "run `make setup`"), (SOMEWHERE, "uninstall it")]
)
def test_the_setup_cell_refuses_another_version_and_a_package_of_the_same_name(
    run_setup, monkeypatch, address, remedy
):
    wanted = f"not helpers {helpers.__version__} of the course: {remedy}"
    with monkeypatch.context() as patched:
        patched.setattr(helpers, "course_version", "0.0.1")
        with pytest.raises(ImportError, match=wanted):
            run_setup(address)
    foreign = types.ModuleType("helpers")
    foreign.__version__ = helpers.__version__  # the same number, by accident
    foreign.__spec__ = helpers.__spec__
    monkeypatch.setitem(sys.modules, "helpers", foreign)
    with pytest.raises(ImportError, match=wanted):
        run_setup(address)


def test_without_helpers_the_line_that_fails_says_what_to_do(run_setup, monkeypatch):
    monkeypatch.setitem(sys.modules, "helpers", None)
    with pytest.raises(ModuleNotFoundError):
        run_setup(NOWHERE)
    (line,) = [n for n in stamp.setup_cell(NOWHERE).splitlines() if n.startswith("import helpers")]
    assert "run `make setup` in the course's folder" in line


def test_without_helpers_the_setup_cell_installs_the_tag_without_dependencies(
    run_setup, monkeypatch
):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    expected = "install --quiet --no-deps git+https://github.com/owner/name@v1.0"
    assert run_setup(SOMEWHERE) == [("pip", expected)]


def test_the_setup_cell_is_short():
    for address, most in ((NOWHERE, 6), (SOMEWHERE, 8)):
        lines = [line for line in stamp.setup_cell(address).splitlines() if line]
        assert len([line for line in lines if not line.startswith("#")]) <= most


def test_every_chapter_has_one_setup_cell():
    for path in chapters():
        assert len([cell for cell in read(path).cells if "setup" in tags(cell)]) == 1


def test_links_lead_to_the_neighbours_under_their_titles(tmp_path, write_notebook):
    paths = [tmp_path / f"1.{i}-a.ipynb" for i in (1, 2, 10)]
    for i, path in enumerate(paths):
        notebook = new_notebook(
            cells=[new_markdown_cell(f"# 1.{i} Title"), new_markdown_cell(NEXT)]
        )
        nbformat.write(notebook, path)
    for path in paths:
        stamp.stamp(path, NOWHERE, paths)
    table = "[the table of chapters](../README.md)"
    assert [read(path).cells[-1].source for path in paths] == [
        f"**Next:** [1.1 Title](1.2-a.ipynb) · **Before:** {table}",
        "**Next:** [1.2 Title](1.10-a.ipynb) · **Before:** [1.0 Title](1.1-a.ipynb)",
        f"**Next:** {table} · **Before:** [1.1 Title](1.2-a.ipynb)",
    ]


NEXT = "**Next:** wherever it was · **Before:** as well"
