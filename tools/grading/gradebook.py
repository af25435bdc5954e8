"""Put the points into a gradebook of nbgrader's, for its formgrader and its exports."""

import os
import sys
from pathlib import Path

from tools.course import section
from tools.grading.exercises import exercises
from tools.grading.grader import Graded


def write(graded: list[Graded], gradebook: Path) -> None:
    """Add the points to the database `gradebook`, which is made if it is not there.

    A chapter is an assignment with the number of its section as its name.
    """
    # nbgrader calls alembic, which it looks for on the path.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{gradebook.resolve()}") as book:
        chapters = {e.submission.chapter for e in graded if e.submission.chapter}
        for chapter in sorted(chapters):
            book.update_or_create_assignment(section(chapter))
            book.update_or_create_notebook(chapter.stem, section(chapter))
            for exercise in exercises(chapter):
                book.update_or_create_grade_cell(
                    exercise.check,
                    chapter.stem,
                    section(chapter),
                    max_score=exercise.points,
                    cell_type="code",
                )
        for entry in graded:
            handed_in, student = entry.submission.chapter, entry.submission.student
            if handed_in is None or not entry.verdicts:
                continue
            assignment = section(handed_in)
            book.update_or_create_student(student)
            book.update_or_create_submission(assignment, student)
            for verdict in entry.verdicts:
                check = verdict.exercise.check
                grade = book.find_grade(check, handed_in.stem, assignment, student)
                grade.auto_score = verdict.exercise.points if verdict.solved else 0
                grade.needs_manual_grade = False
        book.db.commit()
