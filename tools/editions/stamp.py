"""Write into every chapter, and the README, where the course is published.

usage: python -m tools.editions.stamp [--repo OWNER/NAME --ref TAG]

Each chapter gets the same setup cell. With an address, that cell can install helpers on Colab, at
the very tag that fits, and badges link there; without one, nothing links or installs anywhere.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat

import helpers
from tools.course import (
    NOTEBOOKS,
    ROOT,
    chapters,
    read,
    stated_minutes,
    stated_seconds,
    tags,
    title,
)

BADGE_LINE = re.compile(r"^.*<!-- colab -->$", re.MULTILINE)
TABLE = re.compile(r"(?<=<!-- chapters -->\n).*(?=<!-- end of chapters -->)", re.DOTALL)
COLAB = "https://colab.research.google.com"

SETUP = """\
# @title Setup: finds the helpers package that this chapter was written for
import importlib.util
import pathlib
import subprocess
import sys

VERSION, ADDRESS = "{version}", "{address}"
checkout = pathlib.Path.cwd().parent
if importlib.util.find_spec("helpers") is None:
    if (checkout / "helpers").is_dir():
        sys.path.insert(0, str(checkout))
    elif ADDRESS:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([*pip, ADDRESS], check=True)
        importlib.invalidate_caches()
    else:
        raise ModuleNotFoundError("no helpers: run `make setup` in the course's folder")

import helpers

if getattr(helpers, "__version__", None) != VERSION:
    source = ADDRESS or "the checkout that it belongs to"
    wanted = f"this chapter needs helpers {{VERSION}}, from {{source}}"
    raise ImportError(f"{{wanted}}; this is another one: {{helpers.__file__}}")
"""
# JupyterLab folds the cell, Colab shows its title only.
FOLDED = {"jupyter": {"source_hidden": True}, "cellView": "form"}


def setup_cell(repo: str | None, ref: str | None) -> str:
    address = f"git+https://github.com/{repo}@{ref}" if repo else ""
    return SETUP.format(version=helpers.__version__, address=address).rstrip()


def badge(path: Path, repo: str | None, ref: str | None) -> str:
    """A badge that opens the chapter on Colab; nothing while there is no address."""
    if not repo:
        return ""
    link = f"{COLAB}/github/{repo}/blob/{ref}/{NOTEBOOKS.name}/{path.name}"
    return f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({link})"


def stamp(path: Path, repo: str | None, ref: str | None) -> None:
    """Stamp the chapter at `path`, leaving the file alone where nothing changes."""
    notebook = read(path)
    before = nbformat.writes(notebook)
    first, line = notebook.cells[0], f"{badge(path, repo, ref)}<!-- colab -->"
    first.source = BADGE_LINE.sub(lambda _: line, first.source)
    for cell in notebook.cells:
        if "setup" in tags(cell):
            cell.source = setup_cell(repo, ref)
            cell.metadata.update(FOLDED)
    if nbformat.writes(notebook) != before:
        nbformat.write(notebook, path)


def table(repo: str | None, ref: str | None) -> str:
    """The README's table of chapters, with a column of badges if there is an address."""
    rows = [["chapter", "to read", "to run"], ["---", "---:", "---:"]]
    for path in chapters():
        notebook = read(path)
        link = f"[{title(notebook)}]({NOTEBOOKS.name}/{path.name})"
        minutes, seconds = stated_minutes(notebook), stated_seconds(notebook)
        rows.append([link, f"{minutes} min", f"{seconds:.0f} s"])
    if repo:
        colab = ["on Colab", "---", *(badge(path, repo, ref) for path in chapters())]
        rows = [[*row, cell] for row, cell in zip(rows, colab, strict=True)]
    return "\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows) + "\n"


def stamp_readme(path: Path, repo: str | None, ref: str | None) -> None:
    """Renew the table of chapters in the README at `path`."""
    text = path.read_text(encoding="utf-8")
    path.write_text(TABLE.sub(lambda _: table(repo, ref), text), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repo", help="OWNER/NAME on GitHub")
    parser.add_argument("--ref", help="the tag that learners get")
    options = parser.parse_args()
    if bool(options.repo) != bool(options.ref):
        sys.exit("Give both, as in make stamp REPO=owner/name REF=v1.0, or none of them.")
    if options.repo and not re.fullmatch(r"[\w.-]+/[\w.-]+", options.repo):
        sys.exit(f"REPO is {options.repo!r}, expected owner/name.")
    for path in chapters():
        stamp(path, options.repo, options.ref)
    stamp_readme(ROOT / "README.md", options.repo, options.ref)


if __name__ == "__main__":
    main()
