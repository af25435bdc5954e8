"""The website, as far as neither Sphinx nor a browser is needed: what is written for Sphinx."""

import re
from pathlib import Path

import nbformat
import pytest

import helpers
from tools.course import chapters, read, section, tags
from tools.editions import pdf, reference, site, stamp, terms
from tools.editions.student import is_solution
from tools.terminal import ToolError

ADDRESS = stamp.Address("owner/name", "v1.0")
each_chapter = pytest.mark.parametrize("path", chapters(), ids=section)


@pytest.fixture(scope="module")
def marked():
    return terms.find(chapters())


@pytest.fixture
def chapter(tmp_path):
    """Return a function that writes a chapter with the given texts and returns its path."""

    def write(*texts, name="7.1-a-chapter.ipynb"):
        cells = [nbformat.v4.new_markdown_cell(text) for text in texts]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / name)
        return tmp_path / name

    return write


def test_what_is_missing_is_named_with_what_to_do(monkeypatch):
    monkeypatch.setattr(site.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolError, match=r"sphinx, .*`make setup`.*\.\[site\]"):
        site.require_packages()


@each_chapter
def test_what_gives_an_answer_away_is_folded(path, marked):
    for cell in site.page(path, marked, stamp.Address()).cells:
        if cell.cell_type == "markdown":
            assert "<details>" not in cell.source
        elif is_solution(cell):
            assert {"hide-input", "solution"} <= tags(cell)
        elif "guess" in tags(cell):
            assert "hide-output" in tags(cell)
            assert cell.metadata["mystnb"]["code_prompt_show"] == "Show the result"
        elif tags(cell) & {"setup", "check", "figure"}:
            assert "hide-input" in tags(cell)


@each_chapter
def test_a_page_asks_for_no_picture_from_elsewhere(path, marked):
    for cell in site.page(path, marked, ADDRESS).cells:
        assert cell.cell_type == "code" or not re.search(r"!\[[^]]*\]\(http", cell.source)


def test_a_chapter_can_be_opened_elsewhere_once_there_is_an_address(marked):
    path = chapters()[0]
    without = site.page(path, marked, stamp.Address()).cells[0].source
    assert "colab" not in without
    first = site.page(path, marked, ADDRESS).cells[0].source
    assert "[Open in Colab](https://colab.research.google.com/github/owner/name/" in first
    assert "[Open in Kaggle](https://kaggle.com/" in first
    assert re.search(r"\[ · \[with solutions\]\([^)]+\)\]\{\.course-solved\}\n", first)


def test_the_start_page_says_how_to_go_on():
    assert "make lab" in site.ways_to_go_on(stamp.Address())
    assert "Codespaces" not in site.ways_to_go_on(stamp.Address())
    assert "(https://codespaces.new/owner/name?ref=v1.0)" in site.ways_to_go_on(ADDRESS)


def test_every_chapter_has_a_card_with_goals_and_minutes():
    for path in chapters():
        card = site.card(path)
        assert f":link: {path.stem}\n" in card
        assert card.count("\n- ") >= 3
        assert "min to read" in card


def test_a_part_that_nobody_has_named_is_called_by_its_number(chapter):
    assert list(site.parts([chapter("# 7.1 Title")])) == ["Chapter 7"]


def test_terms_are_what_stands_in_italics_in_the_lesson(chapter):
    path = chapter(
        "# 7.1 Title\n\nA *grommet* is a ring. *All* grommets in $a*b*c$ or `a *b* c` are round.\n"
        "\n<details>\n\nNo *answer*.\n\n</details>\n\n**No *heading*** and no *whole sentence.*",
        "Two *grommets* make a *ferrule*:\n\n$$x$$",
        "## Takeaways\n\n- A *takeaway*",
    )
    found = terms.find([path]).definitions
    assert [(d.term, d.cell) for d in found if d.term != "heading"] == [
        ("grommet", 0),
        ("ferrule", 1),
    ]
    assert found[0].text == "A *grommet* is a ring."
    assert found[-1].text == "Two *grommets* make a *ferrule*."


def test_a_definition_is_marked_where_it_stands(chapter):
    path = chapter("# 7.1 Title\n\nA *grommet* is a *ring*.")
    marked = terms.find([path])
    assert marked.mark(path, 0, read(path).cells[0].source).endswith(
        "A {definition}`grommet` is a {definition}`ring`."
    )


def test_a_term_that_is_explained_again_keeps_its_first_definition(chapter):
    first = chapter("# 7.1 Title\n\nA *grommet* is a ring.")
    second = chapter("# 7.2 Title\n\nThe *grommets* again.", name="7.2-more.ipynb")
    (definition,) = terms.find([first, second]).definitions
    assert definition.path == first
    assert definition.again == [second]
    assert "again in [7.2](7.2-more.ipynb)" in terms.glossary(terms.find([first, second]))


def test_a_term_that_is_used_before_it_is_defined_is_found(chapter):
    first = chapter("# 7.1 Title\n\nGrommets are rings.")
    second = chapter("# 7.2 Title\n\nA *grommet* is a ring.", name="7.2-more.ipynb")
    paths = [first, second]
    assert terms.used_before(terms.find(paths), paths) == [("grommet", first, second)]


def test_no_term_is_used_before_the_chapter_that_defines_it(marked):
    found = [
        f"{section(user)} uses {term!r}, which {section(definer)} defines"
        for term, user, definer in terms.used_before(marked, chapters())
    ]
    assert not found, (
        "; ".join(found) + ": define it where it is first used, in italics, or say in "
        "tools/editions/site_files/terms.yml why it may stand there"
    )


def test_the_glossary_has_whole_sentences(marked):
    unfit = [
        f"{section(d.path)} {d.term!r}: {d.explanation!r}"
        for d in marked.definitions
        if "| |" in d.explanation or not re.search(r"[.?!)]$", d.explanation)
    ]
    assert not unfit, "explain them under in_other_words in tools/editions/site_files/terms.yml"


def test_what_is_said_in_other_words_is_a_term(marked):
    lists = terms.word_lists()
    names = {d.name for d in marked.definitions}
    assert {*lists["in_other_words"], *lists["names"], *lists["found_by"]} <= names


def test_no_two_terms_share_an_anchor(marked):
    anchors = [terms.anchor(d.term) for d in marked.definitions]
    assert len(anchors) == len(set(anchors))


def test_every_symbol_has_a_meaning_and_those_in_use_a_chapter():
    page = terms.notation(chapters())
    for symbol in terms.symbols():
        assert symbol["meaning"]
        assert "shape" in symbol
    assert page.count("\n| $") >= 30


def test_every_bold_symbol_of_two_chapters_is_explained():
    users: dict[str, set[Path]] = {}
    for path in chapters():
        for formula in terms.formulas(path):
            for letter in re.findall(r"\\mathbf\{(\w)\}", formula):
                users.setdefault(letter, set()).add(path)
    explained = "".join(str(symbol) for symbol in terms.symbols())
    often = {letter for letter, paths in users.items() if len(paths) >= 4}
    missing = {letter for letter in often if f"mathbf{{{letter}}}" not in explained}
    assert not missing, "add them to tools/editions/site_files/notation.yml"


def test_every_name_of_helpers_is_in_the_reference():
    page = reference.page(chapters())
    for name in helpers.__all__:
        if callable(getattr(helpers, name)) and name != "plt":
            assert f"### {name}\n" in page


def test_the_reference_names_the_chapter_that_builds_a_name(chapter):
    path = chapter("# 7.1 Title")
    notebook = read(path)
    notebook.cells.append(nbformat.v4.new_code_cell("class SGD:\n    pass"))
    nbformat.write(notebook, path)
    assert reference.chapter_of("SGD", [path]) == ("Built", path)
    assert reference.chapter_of("Timer", [path]) is None


def test_printing_without_chromium_says_what_to_install(monkeypatch):
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    with pytest.raises(ToolError, match="sudo apt-get install chromium"):
        pdf.chromium()


def test_the_printed_course_has_no_index_of_links():
    assert "genindex" in site.contents(chapters(), printed=False)
    assert "genindex" not in site.contents(chapters(), printed=True)


def test_the_site_is_served_to_this_computer_only(monkeypatch, tmp_path):
    served = []

    class Server:
        def __init__(self, address, handler):
            served.append(address)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def serve_forever(self):
            raise KeyboardInterrupt

    monkeypatch.setattr(site.http.server, "ThreadingHTTPServer", Server)
    site.serve(tmp_path)
    assert served == [("127.0.0.1", site.PORT)]
