"""Make the course's website, which needs no network and can be searched from the disk.

usage: python -m tools.editions.site [--serve]

It is written to build/site, from the chapters with the outputs that are committed: nothing is
executed. build/site.zip is the same in one file. Sphinx, myst-nb and sphinx-book-theme do the work;
here the chapters get what a page needs that a notebook does not: folds, links, marked terms.
"""

import argparse
import functools
import http.server
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

from tools.course import BUILD, ROOT, chapters, read, reading, section, stated_seconds, tags, title
from tools.editions import reference, stamp, terms
from tools.editions.student import is_solution
from tools.terminal import ToolError, run_tool

FOLDER = BUILD / "site"
FILES = Path(__file__).with_name("site_files")
PORT = 8000
PRINTED = "COURSE_PRINTED"  # environment variable: tells Sphinx's settings to make the printed page
NEEDED = ["sphinx", "myst_nb", "sphinx_book_theme", "sphinx_design", "sphinx-mathjax-offline"]
PARTS = {  # the book's chapters; one that is not named here is called by its number
    "0": "Before you begin",
    "2": "Preliminaries",
    "3": "Linear networks for regression",
    "4": "Linear networks for classification",
    "5": "Multilayer perceptrons",
}


def require_packages() -> None:
    """Say what to install if something that the site is made with is missing."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ToolError(
            f"The site needs {', '.join(missing)}: run `make setup`, or in your own environment "
            "`pip install --constraint constraints.txt --editable .[site]`."
        )


def fold(cell: nbformat.NotebookNode) -> None:
    """Fold what is plumbing, or what the reader is to find out before looking."""
    known = tags(cell)
    if is_solution(cell):
        hide, prompt = {"hide-input", "solution"}, "Show the solution"
    elif "check" in known:
        hide, prompt = {"hide-input"}, "Show the check"
    elif "setup" in known or "helpers.check_parameters(" in cell.source:
        hide, prompt = {"hide-input"}, "Show the setup"
    elif "guess" in known:
        hide, prompt = {"hide-output"}, "Show the result"
    elif "figure" in known:
        hide, prompt = {"hide-input"}, "Show the code of the figure"
    else:
        return
    cell.metadata.tags = sorted(known | hide)
    cell.metadata.setdefault("mystnb", {})["code_prompt_show"] = prompt
    cell.metadata["mystnb"]["code_prompt_hide"] = prompt.replace("Show", "Hide")


def links_to_open(path: Path, address: stamp.Address) -> str:
    """Links that open the chapter elsewhere; the badges' pictures would be outside requests."""
    badges = stamp.badges(path, address)
    links = re.sub(r"!\[([^]]+)\]\([^)]+\)", r"\1", badges).replace(") [", ") · [")
    # A class for the one that shows solutions, so that it can be hidden like them.
    return re.sub(r" · (\[with solutions\]\([^)]+\))$", r"[ · \1]{.course-solved}", links)


def page(path: Path, marked: terms.Marked, address: stamp.Address) -> nbformat.NotebookNode:
    """The chapter at `path` as the website shows it."""
    notebook = read(path)
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            fold(cell)
            continue
        text = marked.mark(path, i, cell.source)
        text = stamp.BADGE_LINE.sub(lambda _: links_to_open(path, address), text)
        text = text.replace("](../README.md)", "](index.md)")
        cell.source = text.replace("<details>", '<details class="answer">')
    return notebook


def promises(notebook: nbformat.NotebookNode) -> str:
    """What one will be able to do after a chapter: the list in its first cell."""
    _, _, after = notebook.cells[0].source.partition("**What you will be able to do**\n\n")
    return after.partition("\n\n")[0]


def card(path: Path) -> str:
    """A chapter on the start page."""
    notebook = read(path)
    minutes, exercises = reading(notebook)
    times = f"{minutes} min to read · exercises {exercises} min"
    if seconds := stated_seconds(notebook):
        times += f" · runs in {seconds:.0f} s"
    return (
        f"````{{grid-item-card}} {title(notebook)}\n:link: {path.stem}\n:link-type: doc\n\n"
        f"{promises(notebook)}\n\n```{{card-footer}}\n{times}\n```\n````\n"
    )


def parts(paths: list[Path]) -> dict[str, list[Path]]:
    """The chapters by the number and the name of the part that they belong to."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        number = section(path).split(".")[0]
        name = f"{number} {PARTS[number]}" if number in PARTS else f"Chapter {number}"
        found.setdefault(name, []).append(path)
    return found


def cards(paths: list[Path]) -> str:
    grids = [
        f"### {name}\n\n`````{{grid}} 1 1 2 2\n:gutter: 3\n\n{''.join(map(card, part))}`````\n"
        for name, part in parts(paths).items()
    ]
    return "\n".join(grids)


def contents(paths: list[Path], printed: bool) -> str:
    """The tables of contents that the site's menu is made from."""
    lists = [(name, [path.stem for path in part]) for name, part in parts(paths).items()]
    index = [] if printed else ["genindex"]  # it has links, and no numbers of pages
    lists.append(("To look things up", ["glossary", "notation", "reference", *index]))
    return "\n".join(
        f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(names) + "\n```\n"
        for caption, names in lists
    )


def ways_to_go_on(address: stamp.Address) -> str:
    """How to run the chapters; services in the web only if there is an address for them."""
    text = (FILES / "go_on.md").read_text(encoding="utf-8")
    if not address.repo:
        return text
    codespaces = stamp.codespaces_badge(address)
    link = re.sub(r"!\[([^]]+)\]\([^)]+\)", r"\1", codespaces)
    return text + (
        "- **Colab and Kaggle**: the links at the head of each chapter open it there, without its "
        f"solutions.\n- **Codespaces**: {link}, the whole course in your browser.\n"
    )


def write_sources(folder: Path, paths: list[Path], printed: bool = False) -> None:
    """Write everything that Sphinx reads to an existing folder."""
    address, marked = stamp.stored_address(), terms.find(paths)
    for path in paths:
        nbformat.write(page(path, marked, address), folder / path.name)
    start = (FILES / "index.md").read_text(encoding="utf-8")
    filled = {
        "cards": cards(paths),
        "contents": contents(paths, printed),
        "go on": ways_to_go_on(address),
    }
    for name, text in filled.items():
        start = start.replace(f"<!-- {name} -->", text)
    written = {
        "index.md": start,
        "glossary.md": terms.glossary(marked),
        "notation.md": terms.notation(paths),
        "reference.md": reference.page(paths),
    }
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "docs" / "pictures" / "training-board.svg", folder)


def sphinx(builder: str, source: Path, target: Path, printed: bool) -> None:
    """Run Sphinx; any warning is an error, and all of them are shown."""
    env = {**os.environ, PRINTED: "1" if printed else ""}
    options = ["-n", "-W", "--keep-going", "-q", "-E", "-d", str(source / ".doctrees")]
    command = [sys.executable, "-m", "sphinx", "-b", builder, "-c", str(FILES), *options]
    run = subprocess.run([*command, str(source), str(target)], cwd=ROOT, env=env)
    if run.returncode != 0:
        raise ToolError("The site has faults, see the lines above.")


def build(builder: str, target: Path, paths: list[Path], printed: bool = False) -> None:
    """Build the site of the given chapters; `target` is replaced once it is complete."""
    require_packages()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as temporary:
        source, new = Path(temporary, "source"), Path(temporary, "site")
        source.mkdir()
        write_sources(source, paths, printed)
        sphinx(builder, source, new, printed)
        shutil.rmtree(target, ignore_errors=True)
        new.rename(target)


def serve(folder: Path) -> None:
    """Serve a folder to this computer only, until Ctrl-C."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", PORT), handler) as server:
        print(f"http://127.0.0.1:{PORT}, until you press Ctrl-C", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve", action="store_true", help="serve it on this computer as well")
    options = parser.parse_args()
    build("html", FOLDER, chapters())
    shutil.make_archive(str(FOLDER), "zip", FOLDER.parent, FOLDER.name)
    pages = len(list(FOLDER.glob("*.html")))
    print(f"{pages} pages: open {FOLDER / 'index.html'}; the same in one file: {FOLDER}.zip")
    if options.serve:
        serve(FOLDER)


if __name__ == "__main__":
    run_tool(main)
