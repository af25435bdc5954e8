"""What is known of a notebook before it is executed, and what lies beside it."""

import json
import shutil
from contextlib import suppress
from pathlib import Path

import papermill

PYTHON = ("python", "ipython", "python3")


def neighbours(notebook: Path, output: Path) -> list[Path]:
    """The files that were handed in beside a notebook, but no other notebook, and not `output`."""
    found: list[Path] = []
    for path in sorted(notebook.parent.iterdir()):
        if path.name.startswith(".") or path.suffix == ".ipynb" or path == output:
            continue
        if path.is_file():
            found.append(path)
        elif path.is_dir() and not any(path.rglob("*.ipynb")):
            found += [inner for inner in sorted(path.rglob("*")) if inner.is_file()]
    return found


def copy_neighbours(notebook: Path, work: Path, output: Path) -> None:
    """Copy them to where the notebook works."""
    work.mkdir(parents=True)
    for path in neighbours(notebook, output):
        copy = work / path.relative_to(notebook.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)


def language_of(notebook: Path) -> str:
    """The language that a notebook says it is written in; Python if it does not say."""
    with suppress(OSError, ValueError, AttributeError, TypeError):
        metadata = json.loads(notebook.read_text(encoding="utf-8")).get("metadata", {})
        spec, info = metadata.get("kernelspec", {}), metadata.get("language_info", {})
        return str(info.get("name") or spec.get("language") or "python")
    return "python"


def template(path: Path) -> str:
    """An absolute path as papermill wants it, which fills in what stands in braces."""
    return str(path.absolute()).replace("{", "{{").replace("}", "}}")


def parameter_names(notebook: Path) -> set[str]:
    """The parameters that a notebook has; none if it cannot be read, as executing it will tell."""
    with suppress(Exception):  # whatever a file that is no notebook makes papermill raise
        return set(papermill.inspect_notebook(template(notebook)))
    return set()
