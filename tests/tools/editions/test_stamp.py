import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import helpers
from tools.course import NOTEBOOKS, ROOT, chapters, read, tags
from tools.editions import stamp

CHAPTER = chapters()[-1]


def test_the_committed_chapters_hold_what_make_stamp_writes():
    for path in chapters():
        (setup,) = [cell for cell in read(path).cells if "setup" in tags(cell)]
        assert setup.source == stamp.setup_cell(None, None)


def test_the_readme_has_a_row_for_each_chapter_with_its_stated_times():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert stamp.table(None, None) in readme
    for path in chapters():
        assert f"]({NOTEBOOKS.name}/{path.name})" in readme


def test_without_an_address_nothing_links_or_installs():
    for path in [*chapters(), ROOT / "README.md"]:
        text = path.read_text(encoding="utf-8")
        assert "colab.research.google.com" not in text
        assert '"git+https' not in text


@pytest.fixture
def copy(tmp_path):
    return shutil.copy(CHAPTER, tmp_path / CHAPTER.name)


def test_an_address_is_written_and_taken_out_again(copy):
    before = copy.read_bytes()
    stamp.stamp(copy, "owner/name", "v1.0")
    stamped = copy.read_bytes()
    link = f"colab.research.google.com/github/owner/name/blob/v1.0/notebooks/{copy.name}"
    assert link.encode() in stamped
    assert b"git+https://github.com/owner/name@v1.0" in stamped
    stamp.stamp(copy, "owner/name", "v1.0")
    assert copy.read_bytes() == stamped
    stamp.stamp(copy, "other/place", "v2")
    assert b"owner/name" not in copy.read_bytes()
    stamp.stamp(copy, None, None)
    assert copy.read_bytes() == before


def test_the_readme_gets_a_badge_for_each_chapter(tmp_path):
    copy = Path(shutil.copy(ROOT / "README.md", tmp_path))
    before = copy.read_bytes()
    stamp.stamp_readme(copy, "owner/name", "v1.0")
    stamped = copy.read_text(encoding="utf-8")
    for path in chapters():
        assert stamped.count(f"blob/v1.0/{NOTEBOOKS.name}/{path.name}") == 1
    stamp.stamp_readme(copy, "owner/name", "v1.0")
    assert copy.read_text(encoding="utf-8") == stamped
    stamp.stamp_readme(copy, None, None)
    assert copy.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--repo", "a/b"], "Give both"), (["--repo", "a", "--ref", "v1"], "expected owner/name")],
)
def test_half_an_address_is_refused(options, message):
    command = [sys.executable, "-m", "tools.editions.stamp", *options]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 1
    assert message in run.stderr


@pytest.fixture
def run_setup(run_cells):
    """Return a function that executes a setup cell in an empty folder, after other code."""

    def run(before: str, setup: str):
        return run_cells(before, setup, allow_errors=True).cells[1].outputs

    return run


def test_the_setup_cell_finds_helpers(run_setup):
    assert run_setup("", stamp.setup_cell(None, None)) == []


@pytest.mark.parametrize(
    ("address", "source"),
    [((None, None), "the checkout"), (("a/b", "v1.0"), "git+https://github.com/a/b@v1.0;")],
)
def test_the_setup_cell_refuses_another_version_and_says_which_fits(run_setup, address, source):
    wrong = "import helpers\nhelpers.__version__ = '0.0.1'"
    (error,) = run_setup(wrong, stamp.setup_cell(*address))
    assert error.ename == "ImportError"
    assert f"this chapter needs helpers {helpers.__version__}, from {source}" in error.evalue


HIDE = """
import importlib.util, subprocess, sys
importlib.util.find_spec = lambda name: None
sys.modules["helpers"] = None  # so that importing it fails
subprocess.run = lambda command, check: print(command[1:])
"""


def test_without_helpers_and_address_the_setup_cell_says_what_to_do(run_setup):
    (error,) = run_setup(HIDE, stamp.setup_cell(None, None))
    assert "run `make setup`" in error.evalue


def test_without_helpers_the_setup_cell_installs_the_tag_without_dependencies(run_setup):
    printed, _ = run_setup(HIDE, stamp.setup_cell("owner/name", "v1.0"))
    assert printed.text == (
        "['-m', 'pip', 'install', '--quiet', '--no-deps', "
        "'git+https://github.com/owner/name@v1.0']\n"
    )
