"""The house rules, held against every chapter; each message says what to do.

What needs an execution is tested where nbval executes the chapters, in test_exercises.py, and
once a week in test_run.py.
"""

import ast
import json
import re

import nbformat
import papermill
import pytest
import yaml

from tools import refresh
from tools.compare import text_of
from tools.course import NOT_COMPARED, NOTEBOOKS, ROOT, chapters, count_words, read, section
from tools.course import tags as tags_of
from tools.editions.student import is_solution

TAGS = {"setup", "parameters", "check", "long", "guess", "figure", "nbval-ignore-output"}
LONGEST_CELL, WIDEST_LINE, LARGEST_FILE = 25, 88, 400_000
MOST_WORDS, MOST_CODE_CELLS = 2_000, 35
WITHOUT_RECALL = {"0.1", "2.1"}
MANY_STEPS = {"2.1": 60, "2.3": 60}  # sections whose notes have as many steps
TIMES = r"^≈ \d+ min to read · exercises \d+ min · runs in \d+ s on a CPU · needs .+$"
FORM_OF_AN_EXERCISE = r"### Exercise \d: .+ \((easy|medium|hard), \d+ min\)"

each_chapter = pytest.mark.parametrize("path", chapters(), ids=section)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tagged(notebook, tag):
    return [cell for cell in code_cells(notebook) if tag in tags_of(cell)]


def main_text(notebook):
    """The cells before the exercises."""
    texts = [cell.source for cell in notebook.cells]
    first = next(i for i, text in enumerate([*texts, "## Exercises"]) if "## Exercises" in text)
    return notebook.cells[:first]


def headings(notebook):
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return [line for text in texts for line in text.splitlines() if line.startswith("#")]


@each_chapter
def test_the_first_cell_says_what_the_chapter_is_about(path):
    first = read(path).cells[0].source
    start = rf"# {re.escape(section(path))} [A-Z].+\n\n.*<!-- badges -->\n\n"
    assert re.match(start, first), f"begin with '# {section(path)} Title', then <!-- badges -->"
    assert re.search(TIMES, first, re.M), (
        "the third line is '≈ 0 min to read · exercises 0 min · runs in 5 s on a CPU · needs 2.1'; "
        "`make stamp` fills in the minutes"
    )
    promises = re.search(r"\*\*What you will be able to do\*\*\n\n((?:- .+\n)+)", first)
    assert promises, "add **What you will be able to do** and three to five lines that start with -"
    assert 3 <= promises[1].count("\n") <= 5, "three to five lines say what one will be able to do"


@each_chapter
def test_the_cells_stand_in_the_order_of_every_chapter(path):
    notebook = read(path)
    cells = notebook.cells[1:]
    if section(path) not in WITHOUT_RECALL:
        recall = cells.pop(0).source
        assert recall.startswith("## Do you remember?\n"), "the second cell asks what one remembers"
        assert recall.count("<details><summary>Answer</summary>") == 2, (
            "two questions, with answers"
        )
    assert "setup" in tags_of(cells[0]), (
        "here stands a code cell tagged setup; `make stamp` fills it"
    )
    assert "parameters" in tags_of(cells[1]), "after the setup stands the cell tagged parameters"
    h2 = [line for line in headings(notebook) if line.startswith("## ")]
    assert "## Takeaways" in h2, "add '## Takeaways'"
    assert "## Exercises" in h2[h2.index("## Takeaways") + 1 :][:1], (
        "'## Exercises' follows '## Takeaways'"
    )


@each_chapter
def test_the_last_cell_links_to_the_neighbours(path):
    paths = chapters()
    i = paths.index(path)
    last = read(path).cells[-1].source
    assert last.startswith("**Next:** "), (
        "the last cell begins with **Next:**; `make stamp` fills it"
    )
    table = "../README.md"
    following = paths[i + 1].name if i + 1 < len(paths) else table
    preceding = paths[i - 1].name if i > 0 else table
    assert re.findall(r"\]\(([^)]+)\)", last) == [following, preceding], "run `make stamp`"


@each_chapter
def test_links_lead_somewhere(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            for link in re.findall(r"\]\(([^)#]+)", cell.source):
                is_right = link.startswith("https://") or (NOTEBOOKS / link).is_file()
                assert is_right, f"{link} leads nowhere: correct it, or run `make stamp`"


@each_chapter
def test_tags_are_known(path):
    for cell in code_cells(read(path)):
        unknown = tags_of(cell) - TAGS - NOT_COMPARED
        assert not unknown, f"no such tag: {unknown}; there are {sorted(TAGS | NOT_COMPARED)}"
        varies = bool(tags_of(cell) & NOT_COMPARED)
        assert varies == ("nbval-ignore-output" in tags_of(cell)), (
            "a cell has the tag nbval-ignore-output exactly if it is tagged timing, machine or "
            f"measured:\n{cell.source}"
        )


@each_chapter
def test_the_parameters_are_explained_and_checked(path):
    notebook = read(path)
    (cell,) = tagged(notebook, "parameters")
    names = []
    for line in cell.source.splitlines():
        found = re.fullmatch(r"([a-z_0-9]+) = \S.*  # \S.+", line)
        assert found, f"a parameter is written 'name = value  # what it does', not {line!r}"
        names.append(found[1])
    assert "seed" in names, "every chapter has the parameter seed"
    assert list(papermill.inspect_notebook(str(path))) == names, "papermill finds other parameters"
    following = notebook.cells[notebook.cells.index(cell) + 1]
    assert checked_names(following.source) == names, (
        f'the next cell has helpers.check_parameters(globals(), "{" ".join(names)}")'
    )


def checked_names(source: str) -> list[str]:
    """The names in the one statement that checks a chapter's parameters."""
    calls = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)]
    checks = [call for call in calls if ast.unparse(call.func) == "helpers.check_parameters"]
    if len(checks) != 1 or ast.unparse(checks[0].args[0]) != "globals()":
        return []
    return ast.literal_eval(checks[0].args[1]).split()


@each_chapter
def test_the_main_text_has_one_subject(path):
    cells = main_text(read(path))
    words = sum(count_words(cell) for cell in cells if cell.cell_type == "markdown")
    code = len([cell for cell in cells if cell.cell_type == "code"]) - 1  # but for the setup
    assert words <= MOST_WORDS, f"{words} words before the exercises, at most {MOST_WORDS}"
    most = MANY_STEPS.get(section(path), MOST_CODE_CELLS)
    assert code <= most, f"{code} code cells before the exercises, at most {most}"


@each_chapter
def test_nothing_in_the_main_text_is_for_the_maintainer(path):
    for cell in main_text(read(path)):
        if cell.cell_type == "code" and "setup" not in tags_of(cell):
            assert not re.search(r"^\s*assert |as_printed", cell.source, re.M), (
                "show the number, and hold it to a band in tests/course/bands.yml:\n" + cell.source
            )


@each_chapter
def test_guesses_drawings_and_solutions_are_folded(path):
    for cell in code_cells(read(path)):
        folded = cell.metadata.get("jupyter", {})
        if "guess" in tags_of(cell):
            assert folded.get("outputs_hidden"), "run `make stamp`"
            assert cell.outputs, f"there is nothing to guess:\n{cell.source}"
        if "figure" in tags_of(cell) or "### BEGIN SOLUTION" in cell.source:
            assert folded.get("source_hidden"), "run `make stamp`"


@each_chapter
def test_cells_are_short_and_narrow(path):
    for cell in code_cells(read(path)):
        lines = cell.source.splitlines()
        assert lines, "a cell is empty: delete it"
        assert len(lines) <= LONGEST_CELL, f"more than {LONGEST_CELL} lines:\n{cell.source}"
        assert max(map(len, lines)) <= WIDEST_LINE, (
            f"a line is longer than {WIDEST_LINE}: run `make format`, or shorten it\n{cell.source}"
        )


@each_chapter
def test_it_was_run_from_top_to_bottom_without_an_error(path):
    refresh_it = f"run `make refresh ARGS={section(path)}`"
    cells = code_cells(read(path))
    counts = [cell.execution_count for cell in cells]
    assert counts == list(range(1, len(cells) + 1)), refresh_it
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error", f"this cell fails:\n{cell.source}"
            assert output.get("name") != "stderr", f"this cell warns:\n{cell.source}"


@each_chapter
def test_no_output_names_a_machine_or_an_address_in_memory(path):
    for cell in code_cells(read(path)):
        for output in cell.outputs:
            text = text_of(output)
            local = re.search(r"(^|[\s'\"(=])/(home|root|tmp|usr|work|Users)/|0x[0-9a-f]{6,}", text)
            assert not local, f"print something else, this differs by machine: {text}"


@each_chapter
def test_size(path):
    size = path.stat().st_size
    assert size < LARGEST_FILE, f"{size:,} bytes: draw fewer points, or show fewer images"


@each_chapter
def test_pictures_say_in_words_what_they_show(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            assert "![](" not in cell.source, "give the picture an alternative text"
            assert not re.search(r"<img (?![^>]*alt=\"[^\"]+\")", cell.source), "add alt=…"
            continue
        for output in cell.get("outputs", []):
            if "image/svg+xml" in output.get("data", {}):
                words = text_of(output)
                assert words != "A picture without a title", f"give it a title:\n{cell.source}"
                alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt")
                assert alt, f"run `make refresh ARGS={section(path)}`"


@each_chapter
def test_exercises_have_a_prompt_a_solution_and_a_check(path):
    cells = read(path).cells
    prompts = [line for line in headings(read(path)) if line.startswith("### Exercise")]
    for line in prompts:
        assert re.fullmatch(FORM_OF_AN_EXERCISE, line), (
            f"write '### Exercise 1: Title (easy, 5 min)', not {line!r}"
        )
    assert 3 <= len(prompts) <= 6, f"three to six exercises, not {len(prompts)}"
    solutions = [i for i, cell in enumerate(cells) if is_solution(cell)]
    ids = [cells[i].metadata.nbgrader.grade_id for i in solutions]
    expected = [f"ex{n + 1}" for n in range(len(prompts))]
    assert ids == expected, f"one solution cell for each prompt, with the grade_id {expected}"
    for i in solutions:
        marks = [cells[i].source.count(f"### {mark} SOLUTION") for mark in ("BEGIN", "END")]
        assert marks[0] == marks[1] >= 1, f"mark the solution:\n{cells[i].source}"
        check = cells[i + 1].metadata.get("nbgrader", {})
        name = f"{cells[i].metadata.nbgrader.grade_id}-check"
        is_check = check.get("grade_id") == name and check.grade and check.points > 0
        assert is_check, f"a graded cell {name} follows the solution"
        assert "check" in tags_of(cells[i + 1]), f"give {name} the tag check"
        last = ast.parse(cells[i + 1].source).body[-1]
        assert ast.unparse(last).endswith(".solved()"), f"{name} ends with answer.solved()"


@each_chapter
def test_there_are_questions_to_think_about_with_folded_answers(path):
    source = "\n".join(cell.source for cell in read(path).cells)
    assert "### To think about" in source, "add '### To think about'"
    assert source.count("<details>") == source.count("</details>") >= 1, "fold the answers"


@each_chapter
def test_names_are_in_the_house_style(path):
    source = "\n".join(cell.source for cell in code_cells(read(path)))
    assert "d2l" not in source.replace('"d2l"', ""), "chapters write helpers, not d2l"
    other = re.search(r"\bnum_epoch\b|\blearning_rate\b|\byhat\b|\by_pred\b|\bbatchsize\b", source)
    assert not other, f"{other[0]}: write num_epochs, lr, y_hat, batch_size"


@each_chapter
def test_metadata_is_the_same_for_all_and_names_no_version(path):
    same = json.loads(json.dumps(read(path).metadata)) == refresh.METADATA
    assert same, f"run `make refresh ARGS={section(path)}`"
    nbformat.validate(read(path))


@each_chapter
def test_the_outputs_of_the_course_notes_are_there_in_their_order(path):
    file = ROOT / "tests" / "course" / "notes_outputs.yml"
    outputs = yaml.safe_load(file.read_text(encoding="utf-8"))
    printed = [
        "".join(text_of(output).split())
        for cell in code_cells(read(path))
        for output in cell.outputs
    ]
    position = 0
    for expected in outputs.get(section(path), []):
        wanted = "".join(expected.split())
        later = [i for i in range(position, len(printed)) if wanted in printed[i]]
        assert later, (
            f"not found after output {position}, and notes_outputs.yml asks for: {expected}"
        )
        position = later[0]
