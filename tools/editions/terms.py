"""The terms and symbols of the course: where each is defined, for the glossary and the index.

A term is set in italics where it is defined. Italics are also used for stress; the words that are
only stressed are listed in site_files/terms.yml.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tools.course import read, section, title

FILES = Path(__file__).with_name("site_files")
ITALICS = re.compile(r"(?<![*\w\\])\*(?![*\s])([^*\n]+?)(?<!\s)\*(?![*\w])")
# Where asterisks mean something else, and what is no part of the lesson.
NO_TEXT = re.compile(r"<details>.*?</details>|```.*?```|\$\$.*?\$\$|\$[^$]*\$|`[^`]*`", re.DOTALL)
FORMULA = re.compile(r"\$\$(.*?)\$\$|\$([^$\n]+)\$", re.DOTALL)
END_OF_THE_TEXT = re.compile(r"^## (Takeaways|Exercises)", re.MULTILINE)
LONGEST = 4  # words in a term
SENTENCE_END = re.compile(r"(?<=[.?!:])\s+(?=[A-Z*$`\[(])|\n\n+|\n- ")
# A sentence that begins like this needs the one before it to be understood.
REFERS_BACK = re.compile(
    r"(It|Its|They|Such|This|These|That|Here|Both|So|Then|The result|The other|The upper)\b"
)


@dataclass
class Definition:
    """A term, the place where it is defined, and what is said there."""

    term: str
    path: Path
    cell: int
    position: int  # of the italics in the source of the cell
    text: str
    again: list[Path] = field(default_factory=list)  # later chapters that explain it as well

    @property
    def name(self) -> str:
        """The term without the capital letter that it has only because it begins a sentence."""
        word = self.term.split()[0]
        begins = self.text.startswith(f"*{self.term}*")
        is_name = (
            "'" in word
            or any(letter.isupper() for letter in word[1:])
            or self.term in word_lists()["names"]
        )
        return self.term[0].lower() + self.term[1:] if begins and not is_name else self.term

    @property
    def explanation(self) -> str:
        """The defining sentence, or plain words where that needs what stands around it."""
        return word_lists()["in_other_words"].get(self.name, self.text)


@dataclass
class Marked:
    """The definitions of the course."""

    definitions: list[Definition]

    def mark(self, path: Path, cell: int, source: str) -> str:
        """The source of a cell with its definitions as targets of links."""
        here = [d for d in self.definitions if (d.path, d.cell) == (path, cell)]
        for d in sorted(here, key=lambda d: -d.position):
            end = d.position + len(d.term) + 2
            term = d.term if d.name == d.term else f"{d.term} <{d.name}>"
            source = f"{source[: d.position]}{{definition}}`{term}`{source[end:]}"
        return source


@cache
def word_lists() -> dict[str, Any]:
    """What site_files/terms.yml says about words in italics."""
    return yaml.safe_load((FILES / "terms.yml").read_text(encoding="utf-8"))


def anchor(term: str) -> str:
    return "term-" + re.sub(r"\W+", "-", term.lower()).strip("-")


def key(term: str) -> str:
    """The same for the singular and the plural of a term."""
    words = re.sub(r"\baxes$", "axis", term.lower())
    if words.endswith(("ss", "us", "is")) or len(words) < 4:
        return words
    return re.sub(r"(?<=ch)es$|(?<=x)es$|s$", "", words)


def main_text(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a chapter up to its takeaways, with the numbers of their cells."""
    for i, cell in enumerate(read(path).cells):
        if cell.cell_type == "markdown":
            end = END_OF_THE_TEXT.search(cell.source)
            yield i, cell.source[: end.start()] if end else cell.source
            if end:
                return


def blank(source: str) -> str:
    """The text with formulas, code and answers blanked out; every character keeps its place."""
    return NO_TEXT.sub(lambda found: re.sub(r"\S", " ", found[0]), source)


def is_term(italics: str) -> bool:
    stressed = {word.lower() for word in word_lists()["stressed"]}
    return (
        italics.lower() not in stressed
        and len(italics.split()) <= LONGEST
        and not italics.endswith((".", "?", "!", ",", ":"))
        and italics != "Dive into Deep Learning"
    )


def sentence(source: str, position: int) -> str:
    """The sentence around a position, with the one before if it refers to that."""
    covered = NO_TEXT.sub(lambda found: "x" * len(found[0]), source)
    ends = [0, *(found.end() for found in SENTENCE_END.finditer(covered)), len(source)]
    i = max(n for n, end in enumerate(ends) if end <= position)
    text = source[ends[i] : ends[i + 1]]
    before = source[ends[i - 1] : ends[i]] if i else ""
    if REFERS_BACK.match(text) and before and not re.search(r"^#|\n\n$|<|\$\$", before):
        text = before + text
    text = " ".join(text.split("$$")[0].removesuffix("\n- ").split()).removeprefix("- ")
    return text[:1].upper() + re.sub(r"[:,;]$", ".", text[1:])


def find(paths: list[Path]) -> Marked:
    """All definitions in the given chapters, in their order."""
    found: dict[str, Definition] = {}
    for path in paths:
        for i, source in main_text(path):
            for italics in ITALICS.finditer(blank(source)):
                term, name = italics[1], key(italics[1])
                if not is_term(term) or source[italics.start() + 1 : italics.end() - 1] != term:
                    continue
                if name not in found:
                    text = sentence(source, italics.start())
                    found[name] = Definition(term, path, i, italics.start(), text)
                elif path not in (found[name].path, *found[name].again):
                    found[name].again.append(path)
    return Marked(list(found.values()))


def used_before(marked: Marked, paths: list[Path]) -> list[tuple[str, Path, Path]]:
    """The terms that a chapter uses before the one that defines them: term, user, definer."""
    lists = word_lists()
    excused = {key(word) for name in ("everyday", "announced") for word in lists[name]}
    texts = {
        path: "\n".join(blank(source) for _, source in main_text(path)).lower() for path in paths
    }
    found = []
    for d in marked.definitions:
        pattern = re.compile(rf"(?<![\w-]){re.escape(key(d.term))}(s|es)?(?![\w-])")
        for path in paths[: paths.index(d.path)]:
            if key(d.term) not in excused and pattern.search(texts[path]):
                found.append((d.term, path, d.path))
    return found


def glossary(marked: Marked) -> str:
    """The page of terms: what is said where each is defined, and a link to the place."""
    entries = []
    for d in sorted(marked.definitions, key=lambda d: d.term.lower()):
        link = f"{{ref}}`section {section(d.path)} <{anchor(d.term)}>`"
        again = "".join(f", [{section(path)}]({path.name})" for path in d.again)
        again = f"; again in {again[2:]}" if again else ""
        entries.append(f"{d.name}\n: {d.explanation} ({link}{again})\n")
    return (
        "# Glossary\n\nThe terms of the course, most of them in the words of the section that "
        "defines them. The links lead to the place.\n\n" + "\n".join(entries)
    )


def symbols() -> list[dict[str, Any]]:
    return yaml.safe_load((FILES / "notation.yml").read_text(encoding="utf-8"))


@cache
def formulas(path: Path) -> list[str]:
    cells = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    return [a or b for source in cells for a, b in FORMULA.findall(source)]


def first_use(symbol: dict[str, Any], paths: list[Path]) -> Path | None:
    """The first chapter with a formula that has the symbol, from the one that introduces it on."""
    pattern = re.compile(symbol.get("found_by") or re.escape(symbol["symbol"]))
    later = [p for p in paths if section(p) >= str(symbol.get("from", "0"))]
    return next((p for p in later if any(map(pattern.search, formulas(p)))), None)


def notation(paths: list[Path]) -> str:
    """The page of symbols: meaning, shape, and the chapter that uses each first."""
    rows = ["| symbol | meaning | shape | first used in |", "| --- | --- | --- | --- |"]
    for symbol in symbols():
        path = first_use(symbol, paths)
        if path is not None:
            where = f"[{title(read(path))}]({path.name})"
            shape = symbol.get("shape", "")
            rows.append(f"| ${symbol['symbol']}$ | {symbol['meaning']} | {shape} | {where} |")
    return (FILES / "notation.md").read_text(encoding="utf-8") + "\n".join(rows) + "\n"
