"""The exercises of a chapter."""

import re
from dataclasses import dataclass
from pathlib import Path

from tools.course import read
from tools.editions.student import is_solution

CHECK = "-check"  # ends the grade id of a check
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?### END SOLUTION$", re.DOTALL | re.MULTILINE)
PROMPT = re.compile(r"^### Exercise (\d+): (.+) \((?:easy|medium|hard), \d+ min\)$", re.MULTILINE)
ANSWER = re.compile(r"helpers\.answer\(\"(\w+)\"\)")


@dataclass(frozen=True)
class Exercise:
    """One exercise of a chapter.

    Args:
        id: the grade id of the cell for the answer, such as ex2.
        title: its heading, such as "Exercise 2: Cross-entropy from scores".
        points: what a right answer gets.
        answer: the name of the function, class or variable that is asked for, if there is one.
        stub: the cell as a learner gets it.
    """

    id: str
    title: str
    points: float
    answer: str
    stub: str

    @property
    def check(self) -> str:
        """The grade id of its check."""
        return self.id + CHECK


def exercises(chapter: Path) -> list[Exercise]:
    """The exercises of a chapter, in their order."""
    found, title, stub = [], "", ""
    for cell in read(chapter).cells:
        heading = PROMPT.search(cell.source) if cell.cell_type == "markdown" else None
        if heading:
            title = f"Exercise {heading[1]}: {heading[2]}"
        elif is_solution(cell):
            stub = emptied(cell.source)
        elif cell.metadata.get("nbgrader", {}).get("grade"):
            answer = ANSWER.search(cell.source)
            found.append(
                Exercise(
                    id=cell.metadata.nbgrader.grade_id.removesuffix(CHECK),
                    title=title,
                    points=cell.metadata.nbgrader.points,
                    answer=answer[1] if answer else "",
                    stub=stub,
                )
            )
    return found


def emptied(source: str) -> str:
    """A cell for an answer without its solution."""
    return SOLUTION.sub(r"\1pass", source)
