"""Every exercise with its solution, with nothing, and with right and wrong answers.

Each chapter is executed once, on little data and with parameters drawn at random, edges among
them: with its given solutions it runs to the end for every value that its check of the parameters
accepts. At each solution the kernel is first given an empty one, then the answers in
tests/course/answers: each is accepted, or refused with the sentence that stands beside it. Last
come mutants of the solution, a few in each run and all in the weekly one: each is refused, or
listed in mutants.yml with the reason why it is right all the same.
"""

import ast
import random
import secrets
from collections.abc import Callable

import nbformat
import pytest
import yaml
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from tests.course.mutants import mutants
from tools.course import ROOT, chapters, read, section, tags
from tools.grading.exercises import SOLUTION, emptied
from tools.run.forked_kernels import forking
from tools.run.kernels import Manager

ANSWERS = ROOT / "tests" / "course" / "answers"
EQUIVALENT = yaml.safe_load((ROOT / "tests/course/mutants.yml").read_text(encoding="utf-8"))
MUTANTS_IN_EACH_RUN = 3  # of each solution; the weekly run takes all
SECONDS_FOR_AN_ANSWER = 60
SECONDS_FOR_A_MUTANT = 3  # some run for ever
REFUSALS = ("AssertionError", "WrongAnswer")
# What fails without the check's help, and says by itself what is missing: a variable to be set.
CLEAR = "NameError: name '"
EDGES = {
    "seed": [0, 1, 12345, 10**6],
    "max_epochs": [1, 2],
    "lr": [1e-9, 0.01, 0.5, 3, 100],
    "batch_size": [1, 7, 64, 512, 5000],
    "limit": [1, 2, 10, 100, 600],
}


def draw(name: str, value, limits: list[float] | None, rng: random.Random):
    """A value for a parameter, in the kind of the one that the chapter comes with."""
    if isinstance(value, list):
        chosen = [draw(name, entry, limits, rng) for entry in rng.sample(value, rng.choice([1, 2]))]
        return sorted(set(chosen))
    if name in ("learning_rates", "lr"):
        return rng.choice(EDGES["lr"])
    if name.startswith("num_epochs"):
        return rng.choice(EDGES["max_epochs"])
    if name in EDGES:
        return rng.choice(EDGES[name])
    if limits:
        return rng.choice([limits[0], limits[1], value])
    if isinstance(value, int):
        return rng.choice([1, 2, max(1, value // 10), value])
    return rng.choice([0, value / 10, value, 2 * value])


def draw_parameters(path, rng: random.Random) -> dict:
    """Values for all parameters of a chapter, within the ranges that it states."""
    notebook = read(path)
    (cell,) = [cell for cell in notebook.cells if "parameters" in tags(cell)]
    values = {n.targets[0].id: ast.literal_eval(n.value) for n in ast.parse(cell.source).body}
    calls = [
        n for n in ast.walk(ast.parse(after(notebook, cell).source)) if isinstance(n, ast.Call)
    ]
    (check,) = [c for c in calls if ast.unparse(c.func) == "helpers.check_parameters"]
    ranges = {keyword.arg: ast.literal_eval(keyword.value) for keyword in check.keywords}
    return {name: draw(name, value, ranges.get(name), rng) for name, value in values.items()}


def after(notebook: nbformat.NotebookNode, cell) -> nbformat.NotebookNode:
    return notebook.cells[notebook.cells.index(cell) + 1]


class Execution:
    """A kernel that executes a chapter's cells, and answers in place of its solutions."""

    def __init__(self, client: NotebookClient) -> None:
        self.client, self.cells = client, client.nb.cells

    def error(self, source: str, seconds: int = SECONDS_FOR_AN_ANSWER) -> str:
        """Execute code; return the error that it ends with, or nothing."""
        self.client.timeout = seconds
        cell = new_code_cell(source)
        self.cells.append(cell)
        self.client.execute_cell(cell, len(self.cells) - 1)
        errors = [output for output in cell.outputs if output.output_type == "error"]
        return f"{errors[0].ename}: {errors[0].evalue}" if errors else ""

    def verdict(self, solution: str, check: str, seconds: int = SECONDS_FOR_AN_ANSWER) -> str:
        """What becomes of an answer: an error that it raises itself, or what its check says."""
        return self.error(solution, seconds) or self.error(check, seconds)


def problems(execution: Execution, cells: list, answers: dict, choose: Callable) -> list[str]:
    """Execute the cells of a chapter; say what is wrong with them and with its exercises.

    `choose` picks from the mutants of a solution, given its name and theirs.
    """
    found = []
    for i, cell in enumerate(cells):
        if cell.cell_type != "code":
            continue
        if SOLUTION.search(cell.source):
            check = next(later for later in cells[i + 1 :] if "check" in tags(later)).source
            name = cell.metadata.nbgrader.grade_id
            found += wrong_verdicts(execution, cell.source, check, name, answers.get(name, {}))
            found += surviving_mutants(execution, cell.source, check, name, choose)
        error = execution.error(cell.source)
        if error:
            return [*found, f"{error}\nin the cell\n{cell.source}"]
    return found


def wrong_verdicts(execution, solution: str, check: str, name: str, answers: dict) -> list[str]:
    found = []
    verdict = execution.verdict(emptied(solution), check)
    if not (verdict.startswith(CLEAR) or is_refusal(verdict)):
        found.append(f"{name}: empty, and the check says {verdict!r}")
    for wrong in answers.get("wrong", []):
        verdict = execution.verdict(wrong["code"], check)
        if not is_refusal(verdict) or wrong["says"] not in verdict:
            found.append(
                f"{name}: expected {wrong['says']!r}, got {verdict!r} for\n{wrong['code']}"
            )
    for right in answers.get("right", []):
        verdict = execution.verdict(right, check)
        if verdict:
            found.append(f"{name}: this is right, and the check says {verdict!r}:\n{right}")
    return found


def surviving_mutants(execution, solution: str, check: str, name: str, choose) -> list[str]:
    mutated = mutants(solution)
    return [
        f"{name}: the check accepts this mutant: {mutant}\n{mutated[mutant]}"
        for mutant in choose(name, list(mutated))
        if not execution.verdict(mutated[mutant], check, SECONDS_FOR_A_MUTANT)
    ]


def is_refusal(verdict: str) -> bool:
    kind, _, sentence = verdict.partition(": ")
    return kind in REFUSALS and bool(sentence.strip())


@pytest.mark.parametrize("path", chapters(), ids=section)
def test_the_chapter_runs_with_any_parameters_and_its_checks_know_right_from_wrong(
    path, request: pytest.FixtureRequest
):
    options = request.config.option
    seed = secrets.randbelow(10**6) if options.weekly else options.draw
    parameters = draw_parameters(path, random.Random(f"{seed} {path.name}"))
    file = ANSWERS / f"{section(path)}.yml"
    answers = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}

    def choose(name: str, candidates: list[str]) -> list[str]:
        known = EQUIVALENT.get(section(path), {}).get(name, {})
        candidates = [mutant for mutant in candidates if mutant not in known]
        if options.weekly:
            return candidates
        drawn = random.Random(f"{seed} {path.name} {name}").sample(
            range(len(candidates)), k=min(MUTANTS_IN_EACH_RUN, len(candidates))
        )
        return [candidates[i] for i in drawn]

    notebook = read(path)
    cells = notebook.cells
    for cell in cells:
        if "parameters" in tags(cell):
            cell.source = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    notebook.cells = []
    client = NotebookClient(
        notebook,
        interrupt_on_timeout=True,
        error_on_timeout={"ename": "TimeoutError", "evalue": "not done in time", "traceback": []},
        allow_errors=True,
        kernel_name="python3",
        kernel_manager_class=forking(Manager),
        shutdown_kernel="immediate",
        resources={"metadata": {"path": str(path.parent)}},
    )
    with client.setup_kernel():
        found = problems(Execution(client), cells, answers, choose)
    turned = " ".join(f"-p {name} '{value}'" for name, value in parameters.items())
    assert not found, "\n\n".join([f'make run ARGS="{section(path)} {turned}"', *found])


@pytest.mark.parametrize("path", sorted(ANSWERS.glob("*.yml")), ids=lambda path: path.stem)
def test_each_exercise_has_enough_answers(path):
    answers = yaml.safe_load(path.read_text(encoding="utf-8"))
    (chapter,) = [chapter for chapter in chapters() if section(chapter) == path.stem]
    cells = [cell for cell in read(chapter).cells if SOLUTION.search(cell.source)]
    assert list(answers) == [cell.metadata.nbgrader.grade_id for cell in cells]
    for name, kinds in answers.items():
        assert len(kinds["wrong"]) >= 5, f"{path.name}, {name}: five wrong answers at least"
        assert len(kinds["right"]) >= 2, f"{path.name}, {name}: two right answers at least"
        assert all(wrong["says"].strip() for wrong in kinds["wrong"])


def test_a_mutant_that_is_listed_as_right_is_one():
    for chapter in chapters():
        for cell in read(chapter).cells:
            if cell.cell_type == "code" and SOLUTION.search(cell.source):
                listed = EQUIVALENT.get(section(chapter), {})
                known = listed.get(cell.metadata.nbgrader.grade_id, {})
                unknown = set(known) - set(mutants(cell.source))
                assert not unknown, (
                    f"{chapter.name}: mutants.yml lists what is no mutant: {unknown}"
                )
                assert all(known.values()), f"{chapter.name}: say why it is right: {known}"
