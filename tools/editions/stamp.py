"""Write into every chapter, and the README, where the course is published.

usage: python -m tools.editions.stamp [--repo OWNER/NAME --ref TAG | --remove]

The address stands in pyproject.toml; without options, what is there is written again. Each chapter
gets the same setup cell, badges, its reading time and links to its neighbours; solutions, code of
figures and outputs to be guessed are folded. With an address,
the setup cell can install helpers on Colab and Kaggle, at the very tag that fits, and badges link
there; without one, nothing links or installs anywhere.
"""

import argparse
import os
import re
import tomllib
from pathlib import Path
from typing import NamedTuple

import nbformat

import helpers
from tools.course import (
    NOTEBOOKS,
    ROOT,
    chapters,
    choose,
    read,
    reading,
    stated_seconds,
    tags,
    title,
)
from tools.terminal import ToolError, run_tool

PROJECT, README = ROOT / "pyproject.toml", ROOT / "README.md"
BADGE_LINE = re.compile(r"^.*<!-- badges -->$", re.MULTILINE)
TIMES = re.compile(r"^≈ .*?(?= · runs in)", re.MULTILINE)
TABLE = re.compile(r"(?<=<!-- chapters -->\n).*(?=<!-- end of chapters -->)", re.DOTALL)
STUDENT = "student-"  # begins the branch with the student edition of a tag, see publish.yml
COLAB = "https://colab.research.google.com"
KAGGLE = "https://kaggle.com"
CODESPACES = "https://codespaces.new"

SETUP = """\
# @title Setup: finds helpers, the package that the chapters share
import sys

sys.path.append("..")
import helpers  # not found? run `make setup` in the course's folder

if getattr(helpers, "course_version", None) != "{version}":
    raise ImportError("not helpers {version} of the course: run `make setup` in its folder")
"""
SETUP_WITH_ADDRESS = """\
# @title Setup: finds or installs helpers, the package that the chapters share
import importlib.util
import sys

sys.path.append("..")
if importlib.util.find_spec("helpers") is None:
    %pip install --quiet --no-deps git+https://github.com/{repo}@{ref}
import helpers

if getattr(helpers, "course_version", None) != "{version}":
    raise ImportError("not helpers {version} of the course: uninstall it, then restart")
"""
# JupyterLab folds the cell, Colab shows its title only.
FOLDED = {"jupyter": {"source_hidden": True}, "cellView": "form"}
FOLDED_OUTPUT = {"jupyter": {"outputs_hidden": True}}


class Address(NamedTuple):
    """Where the course is published: a repository on GitHub and a tag; both may be empty."""

    repo: str = ""
    ref: str = ""


def stored_address() -> Address:
    return Address(**tomllib.loads(PROJECT.read_text(encoding="utf-8"))["tool"]["course"])


def store(address: Address, project: Path = PROJECT) -> None:
    text, stat = project.read_text(encoding="utf-8"), project.stat()
    for name, value in address._asdict().items():
        text = re.sub(rf'^{name} = ".*"$', f'{name} = "{value}"', text, flags=re.MULTILINE)
    project.write_text(text, encoding="utf-8")
    # Nothing has to be installed for that: `make setup` goes by the time.
    os.utime(project, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def setup_cell(address: Address) -> str:
    form = SETUP_WITH_ADDRESS if address.repo else SETUP
    return form.format(version=helpers.__version__, **address._asdict()).rstrip()


def badges(path: Path, address: Address) -> str:
    """Badges that open the chapter without its solutions, and a link to the one with them.

    Nothing while there is no address.
    """
    if not address.repo:
        return ""
    place = f"{address.repo}/blob/{STUDENT}{address.ref}/{NOTEBOOKS.name}/{path.name}"
    colab = f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({COLAB}/github/{place})"
    link = f"{KAGGLE}/kernels/welcome?src=https://github.com/{place}"
    kaggle = f"[![Open in Kaggle]({KAGGLE}/static/images/open-in-kaggle.svg)]({link})"
    ours = f"{address.repo}/blob/{address.ref}/{NOTEBOOKS.name}/{path.name}"
    return f"{colab} {kaggle} [with solutions]({COLAB}/github/{ours})"


def codespaces_badge(address: Address) -> str:
    """A badge that opens the whole course in GitHub Codespaces."""
    link = f"{CODESPACES}/{address.repo}?ref={address.ref}"
    return f"[![Open in GitHub Codespaces](https://github.com/codespaces/badge.svg)]({link})"


def times(notebook: nbformat.NotebookNode) -> str:
    """How long it takes to read a chapter and to do its exercises."""
    minutes, exercises = reading(notebook)
    return f"≈ {minutes} min to read · exercises {exercises} min"


def links(path: Path, paths: list[Path]) -> str:
    """Links to the chapters after and before `path` in the order of `paths`."""
    i = paths.index(path)
    after = link(paths[i + 1]) if i + 1 < len(paths) else "[the table of chapters](../README.md)"
    before = link(paths[i - 1]) if i else "[the table of chapters](../README.md)"
    return f"**Next:** {after} · **Before:** {before}"


def link(path: Path) -> str:
    return f"[{title(read(path))}]({path.name})"


def stamp(path: Path, address: Address, paths: list[Path]) -> None:
    """Stamp the chapter at `path`, leaving the file alone where nothing changes.

    `paths` are all chapters, in their order.
    """
    notebook = read(path)
    if not notebook.cells:
        return
    before = nbformat.writes(notebook)
    first, line = notebook.cells[0], f"{badges(path, address)}<!-- badges -->"
    first.source = BADGE_LINE.sub(lambda _: line, first.source)
    first.source = TIMES.sub(lambda _: times(notebook), first.source)
    if notebook.cells[-1].source.startswith("**Next:**"):
        notebook.cells[-1].source = links(path, paths)
    for cell in notebook.cells:
        if "setup" in tags(cell):
            cell.source = setup_cell(address)
        if tags(cell) & {"setup", "figure"} or "### BEGIN SOLUTION" in cell.source:
            cell.metadata.update(FOLDED)
        if "guess" in tags(cell):
            cell.metadata.update(FOLDED_OUTPUT)
    if nbformat.writes(notebook) != before:
        nbformat.write(notebook, path)


def table(address: Address) -> str:
    """The README's table of chapters, with a column of badges if there is an address."""
    rows = [["chapter", "to read", "exercises", "to run"], ["---", "---:", "---:", "---:"]]
    for path in chapters():
        notebook = read(path)
        link = f"[{title(notebook)}]({NOTEBOOKS.name}/{path.name})"
        minutes, exercises = reading(notebook)
        seconds = stated_seconds(notebook)
        rows.append([link, f"{minutes} min", f"{exercises} min", f"{seconds:.0f} s"])
    if address.repo:
        column = ["open", "---", *(badges(path, address) for path in chapters())]
        rows = [[*row, cell] for row, cell in zip(rows, column, strict=True)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if address.repo:
        lines += ["", codespaces_badge(address)]
    return "\n" + "\n".join(lines) + "\n\n"


def stamp_readme(path: Path, address: Address) -> None:
    """Renew the table of chapters in the README at `path`."""
    text = path.read_text(encoding="utf-8")
    path.write_text(TABLE.sub(lambda _: table(address), text), encoding="utf-8")


def read_address() -> Address:
    """What the command line says, or else what is stored."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repo", default="", help="OWNER/NAME on GitHub")
    parser.add_argument("--ref", default="", help="the tag that learners get")
    parser.add_argument("--remove", action="store_true", help="take the address out again")
    options = parser.parse_args()
    if options.remove:
        return Address()
    if bool(options.repo) != bool(options.ref):
        raise ToolError("Give both, as in make stamp REPO=owner/name REF=v1.0, or none of them.")
    if not options.repo:
        return stored_address()
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", options.repo):
        raise ToolError(f"REPO is {options.repo!r}, expected owner/name.")
    if not re.fullmatch(r"[\w./-]+", options.ref):
        raise ToolError(f"REF is {options.ref!r}, expected a tag such as v1.0.")
    return Address(options.repo, options.ref)


def main() -> None:
    address = read_address()
    store(address)
    paths = choose([])
    for path in paths:
        stamp(path, address, paths)
    stamp_readme(README, address)
    where = f"{address.repo} at {address.ref}" if address.repo else "without an address"
    print(f"{len(paths)} chapters and the README: {where}")


if __name__ == "__main__":
    run_tool(main)
