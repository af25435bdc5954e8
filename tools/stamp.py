"""Write into every chapter, and the README, where the course is published.

usage: python -m tools.stamp [--repo OWNER/NAME --ref TAG]

Each chapter gets the same setup cell. With an address, that cell can install helpers on Colab, at
the very tag that fits, and badges link there; without one, nothing links or installs anywhere.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat

import helpers
from tools.course import NOTEBOOKS, ROOT, chapters, read, section, tags

BADGE = re.compile(r"(\[!\[Open in Colab\][^\n|]*)?<!-- colab(?P<section>:[\d.]+)? -->")

SETUP = '''\
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
    raise ImportError(f"this chapter needs helpers {{VERSION}}, not {{helpers.__file__}}")
'''
# JupyterLab folds the cell, Colab shows its title only.
FOLDED = {"jupyter": {"source_hidden": True}, "cellView": "form"}


def setup_cell(repo: str | None, ref: str | None) -> str:
    address = f"git+https://github.com/{repo}@{ref}" if repo else ""
    return SETUP.format(version=helpers.__version__, address=address).rstrip()


def badges(text: str, repo: str | None, ref: str | None, notebook: Path | None = None) -> str:
    """Renew every badge in `text`: those that name a section, and those of `notebook` itself."""
    by_section = {section(path): path for path in chapters()}

    def badge(match: re.Match) -> str:
        named = match["section"]
        path = by_section[named[1:]] if named else notebook
        marker = f"<!-- colab{named or ''} -->"
        if not repo:
            return marker
        colab = "https://colab.research.google.com"
        link = f"{colab}/github/{repo}/blob/{ref}/{NOTEBOOKS.name}/{path.name}"
        return f"[![Open in Colab]({colab}/assets/colab-badge.svg)]({link}){marker}"

    return BADGE.sub(badge, text)


def stamp(path: Path, repo: str | None, ref: str | None) -> None:
    """Stamp the chapter at `path`, leaving the file alone where nothing changes."""
    notebook = read(path)
    before = nbformat.writes(notebook)
    notebook.cells[0].source = badges(notebook.cells[0].source, repo, ref, path)
    for cell in notebook.cells:
        if "setup" in tags(cell):
            cell.source = setup_cell(repo, ref)
            cell.metadata.update(FOLDED)
    if nbformat.writes(notebook) != before:
        nbformat.write(notebook, path)


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
    readme = ROOT / "README.md"
    readme.write_text(badges(readme.read_text(), options.repo, options.ref))


if __name__ == "__main__":
    main()
