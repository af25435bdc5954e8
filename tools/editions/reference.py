"""The page of the website on helpers: every name with its docstring, and the section behind it."""

import inspect
import re
from functools import cache
from pathlib import Path

import helpers
from tools.course import read, section, title

INTRODUCTION = """\
# Reference of helpers

What the chapters share: `import helpers` gives you the names below. Each entry says which section
builds the name, or uses it first. The names, signatures and defaults are those of chapters 2 to 5
of *Dive into Deep Learning*.
"""


@cache
def code(path: Path) -> str:
    return "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "code")


def chapter_of(name: str, paths: list[Path]) -> tuple[str, Path] | None:
    """What happens to a name where it matters first: it is built in a chapter, or used."""
    built, used = rf"^\s*(class|def) {name}\b", rf"\bhelpers\.{name}\b"
    for verb, pattern in (("Built", built), ("First used", used)):
        for path in paths:
            if re.search(pattern, code(path), re.MULTILINE):
                return verb, path
    return None


def entry(name: str, paths: list[Path]) -> str:
    """One name: its section and its documentation, which autodoc takes from the package."""
    thing = getattr(helpers, name)
    found = chapter_of(name, paths)
    line = f"{found[0]} in [{title(read(found[1]))}]({found[1].name}).\n\n" if found else ""
    kind = "autoclass" if inspect.isclass(thing) else "autofunction"
    return f"### {name}\n\n{line}```{{eval-rst}}\n.. {kind}:: {thing.__module__}.{name}\n```\n"


def page(paths: list[Path]) -> str:
    """The whole page, a part for each module in the order in which chapters need them."""
    modules: dict[str, list[str]] = {}
    for name in helpers.__all__:
        thing = getattr(helpers, name)
        if name != "plt" and callable(thing):
            modules.setdefault(thing.__module__, []).append(name)
    order = {name: i for i, name in enumerate(modules)}

    def place(module: str) -> tuple[str, int]:
        found = [chapter_of(name, paths) for name in modules[module]]
        return min((section(f[1]) for f in found if f), default="9"), order[module]

    texts = [INTRODUCTION]
    for module in sorted(modules, key=place):
        summary = inspect.getdoc(inspect.getmodule(getattr(helpers, modules[module][0]))) or ""
        texts.append(f"## {module}\n\n{summary.partition(chr(10))[0]}\n")
        texts += [entry(name, paths) for name in modules[module]]
    return "\n".join(texts)
