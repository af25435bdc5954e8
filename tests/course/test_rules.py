"""The house rules, held against every chapter. What needs an execution is in test_run.py."""

import ast
import json
import re

import nbformat
import papermill
import pytest
import yaml

from tools import refresh
from tools.compare import text_of
from tools.course import NOT_COMPARED, NOTEBOOKS, ROOT, chapters, read, section
from tools.course import tags as tags_of

TAGS = {"setup", "parameters", "check", "long", "guess", "figure", "nbval-ignore-output"}
LONGEST_CELL, WIDEST_LINE, LARGEST_FILE = 25, 88, 400_000

TIMES = r"^≈ \d+ min to read · exercises \d+ min · runs in \d+ s on a CPU · needs .+$"

each_chapter = pytest.mark.parametrize("path", chapters(), ids=section)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tagged(notebook, tag):
    return [cell for cell in code_cells(notebook) if tag in tags_of(cell)]


def headings(notebook):
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return [line for text in texts for line in text.splitlines() if line.startswith("#")]


@each_chapter
def test_order_of_cells(path):
    notebook = read(path)
    first, remember, setup, parameters = notebook.cells[:4]
    if section(path) in ("0.1", "2.1"):
        first, setup, parameters = notebook.cells[:3]
    else:
        assert remember.source.startswith("## Do you remember?\n")
        assert remember.source.count("<details><summary>Answer</summary>") == 2
    assert first.cell_type == "markdown"
    assert re.match(rf"# {re.escape(section(path))} [A-Z].+\n\n.*<!-- badges -->\n\n", first.source)
    assert re.search(TIMES, first.source, re.M)
    promises = re.search(r"\*\*What you will be able to do\*\*\n\n((?:- .+\n)+)", first.source)
    assert 3 <= promises[1].count("\n") <= 5
    assert "setup" in tags_of(setup)
    assert "parameters" in tags_of(parameters)
    h2 = [line for line in headings(notebook) if line.startswith("## ")]
    assert h2.index("## Takeaways") + 1 == h2.index("## Exercises")
    assert notebook.cells[-1].source.startswith("**Next:** ")


@each_chapter
def test_the_chapters_stand_in_one_chain(path):
    paths = chapters()
    i = paths.index(path)
    links = re.findall(r"\]\(([^)]+)\)", read(path).cells[-1].source)
    table = "../README.md"
    following = paths[i + 1].name if i + 1 < len(paths) else table
    preceding = paths[i - 1].name if i > 0 else table
    assert links == [following, preceding], "run `make stamp`"


@each_chapter
def test_links_lead_somewhere(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            for link in re.findall(r"\]\(([^)#]+)", cell.source):
                assert link.startswith("https://") or (NOTEBOOKS / link).is_file(), link


@each_chapter
def test_tags_are_known(path):
    for cell in code_cells(read(path)):
        assert tags_of(cell) <= TAGS | NOT_COMPARED
        assert bool(tags_of(cell) & NOT_COMPARED) == ("nbval-ignore-output" in tags_of(cell))


@each_chapter
def test_the_parameters_are_explained_and_checked(path):
    notebook = read(path)
    (cell,) = tagged(notebook, "parameters")
    names = []
    for line in cell.source.splitlines():
        found = re.fullmatch(r"([a-z_0-9]+) = \S.*  # \S.+", line)
        assert found, line
        names.append(found[1])
    assert "seed" in names
    assert list(papermill.inspect_notebook(str(path))) == names
    assert checked_names(notebook.cells[notebook.cells.index(cell) + 1].source) == names


def checked_names(source: str) -> list[str]:
    """The names in the one statement that checks a chapter's parameters."""
    calls = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)]
    (check,) = [call for call in calls if ast.unparse(call.func) == "helpers.check_parameters"]
    assert ast.unparse(check.args[0]) == "globals()"
    return ast.literal_eval(check.args[1]).split()


@each_chapter
def test_cells_are_short_and_narrow(path):
    for cell in code_cells(read(path)):
        lines = cell.source.splitlines()
        assert len(lines) <= LONGEST_CELL, cell.source
        assert max(map(len, lines)) <= WIDEST_LINE, cell.source


@each_chapter
def test_it_was_run_from_top_to_bottom_without_an_error(path):
    cells = code_cells(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output


@each_chapter
def test_no_output_names_a_machine_or_an_address_in_memory(path):
    for cell in code_cells(read(path)):
        for output in cell.outputs:
            assert not re.search(r"(^|[\s'\"(=])/(home|root|tmp|usr|work|Users)/", text_of(output))
            assert not re.search(r"0x[0-9a-f]{6,}", text_of(output))


@each_chapter
def test_size(path):
    assert path.stat().st_size < LARGEST_FILE


@each_chapter
def test_pictures_in_the_text_have_an_alternative(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            assert "![](" not in cell.source
            assert not re.search(r"<img (?![^>]*alt=\"[^\"]+\")", cell.source)


@each_chapter
def test_exercises_have_a_prompt_a_solution_and_a_check(path):
    cells = read(path).cells
    prompts = [line for line in headings(read(path)) if line.startswith("### Exercise")]
    form = r"### Exercise \d: .+ \((easy|medium|hard), \d+ min\)"
    assert all(re.fullmatch(form, line) for line in prompts)
    assert 3 <= len(prompts) <= 6
    solutions = [i for i, cell in enumerate(cells) if solves(cell)]
    ids = [cells[i].metadata.nbgrader.grade_id for i in solutions]
    assert ids == [f"ex{n + 1}" for n in range(len(prompts))]
    for i in solutions:
        assert cells[i].source.count("### BEGIN SOLUTION") >= 1
        assert cells[i].source.count("### BEGIN SOLUTION") == cells[i].source.count("### END SOLU")
        check = cells[i + 1].metadata.nbgrader
        assert check.grade
        assert check.points > 0
        assert check.grade_id == f"{cells[i].metadata.nbgrader.grade_id}-check"
        assert "check" in tags_of(cells[i + 1])


def solves(cell) -> bool:
    return cell.metadata.get("nbgrader", {}).get("solution", False)


@each_chapter
def test_there_are_questions_to_think_about_with_folded_answers(path):
    source = "\n".join(cell.source for cell in read(path).cells)
    assert "### To think about" in source
    assert source.count("<details>") == source.count("</details>") >= 1


@each_chapter
def test_names_are_in_the_house_style(path):
    source = "\n".join(cell.source for cell in code_cells(read(path)))
    assert "d2l" not in source.replace('"d2l"', "")
    assert not re.search(
        r"\bnum_epoch\b|\blearning_rate\b|\byhat\b|\by_pred\b|\bbatchsize\b", source
    )


@each_chapter
def test_metadata_is_the_same_for_all_and_names_no_version(path):
    assert json.loads(json.dumps(read(path).metadata)) == refresh.METADATA
    nbformat.validate(read(path))


@each_chapter
def test_the_outputs_of_the_course_notes_are_there_in_their_order(path):
    outputs = yaml.safe_load((ROOT / "tests" / "course" / "notes_outputs.yml").read_text())
    printed = [
        "".join(text_of(output).split())
        for cell in code_cells(read(path))
        for output in cell.outputs
    ]
    position = 0
    for expected in outputs.get(section(path), []):
        wanted = "".join(expected.split())
        later = [i for i in range(position, len(printed)) if wanted in printed[i]]
        assert later, f"not found after output {position}: {expected}"
        position = later[0]
