"""Write what came out: a table of points, feedback for each student, and a report on the class."""

import base64
import csv
import io
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from tools.course import read, section, title
from tools.grading.exercises import exercises
from tools.grading.grader import Graded
from tools.grading.submissions import file_name

COLUMNS = ("student", "chapter", "exercise", "points", "possible", "sentence")
MOST_MISTAKES = 5  # of each exercise in the report on the class
NUMBER = re.compile(r"\[[^]]*\]|-?\d+(?:[.,]\d+)*(?:e[+-]?\d+)?")

PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("pages")), autoescape=True, trim_blocks=True
)


def write_all(graded: list[Graded], folder: Path) -> None:
    """Write grades.csv, report.html, and a page and a results.json for each student."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "grades.csv").write_text(grades(graded), encoding="utf-8", newline="")
    (folder / "report.html").write_text(class_report(graded), encoding="utf-8")
    by_student = defaultdict(list)
    for entry in graded:
        by_student[entry.submission.student].append(entry)
    taken = set[str]()
    for student, entries in by_student.items():
        own = folder / "students" / unused(file_name(student), taken)
        own.mkdir(parents=True, exist_ok=True)
        (own / "feedback.html").write_text(feedback(student, entries), encoding="utf-8")
        (own / "results.json").write_text(gradescope(entries), encoding="utf-8")


def unused(name: str, taken: set[str]) -> str:
    """A name that no other student has, whatever the file system makes of capitals."""
    while name.casefold() in taken:
        name += "_"
    taken.add(name.casefold())
    return name


def grades(graded: list[Graded]) -> str:
    """The points as CSV, one line for each exercise, and one for each notebook without points."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for entry in graded:
        student = as_text(entry.submission.student)
        for v in entry.verdicts:
            chapter = section(entry.submission.chapter) if entry.submission.chapter else ""
            points = v.exercise.points if v.solved else 0
            row = [student, chapter, v.exercise.id, f"{points:g}", f"{v.exercise.points:g}"]
            table.writerow([*row, as_text(v.sentence)])
        if not entry.verdicts:
            table.writerow([student, "", "", "", "", as_text(entry.submission.problem)])
    return text.getvalue()


def as_text(value: str) -> str:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t")) else value


def feedback(student: str, entries: list[Graded]) -> str:
    """The page for a student."""
    chapters = {e.submission.chapter for e in entries if e.submission.chapter}
    titles = {chapter: title(read(chapter)) for chapter in chapters}
    page = PAGES.get_template("feedback.html")
    return page.render(title=f"Feedback for {student}", entries=entries, titles=titles)


def gradescope(entries: list[Graded]) -> str:
    """The results of a student in Gradescope's form."""
    tests = [
        {
            "name": f"{section(entry.submission.chapter)} {v.exercise.title}",
            "score": v.exercise.points if v.solved else 0,
            "max_score": v.exercise.points,
            "status": "passed" if v.solved else "failed",
            "output": v.sentence,
        }
        for entry in entries
        for v in entry.verdicts
        if entry.submission.chapter
    ]
    problems = [entry.submission.problem for entry in entries if not entry.verdicts]
    return json.dumps({"output": "\n".join(problems), "tests": tests}, indent=2) + "\n"


def class_report(graded: list[Graded]) -> str:
    """The page for the teacher: what was solved, and the commonest mistakes."""
    chapters = sorted({e.submission.chapter for e in graded if e.verdicts and e.submission.chapter})
    shown = []
    for chapter in chapters:
        entries = [e for e in graded if e.submission.chapter == chapter and e.verdicts]
        rows = []
        for i, exercise in enumerate(exercises(chapter)):
            verdicts = [entry.verdicts[i] for entry in entries]
            mistakes = Counter(kind(v.sentence) for v in verdicts if not v.solved)
            solved = sum(v.solved for v in verdicts)
            rows.append(
                {
                    "title": exercise.title,
                    "solved": solved,
                    "total": len(verdicts),
                    "mistakes": mistakes.most_common(MOST_MISTAKES),
                }
            )
        words = "; ".join(f"{r['title']}: solved by {r['solved']} of {r['total']}" for r in rows)
        shown.append(
            {
                "title": title(read(chapter)),
                "rows": rows,
                "words": words,
                "picture": base64.b64encode(bars(rows).encode()).decode(),
            }
        )
    return PAGES.get_template("report.html").render(
        title="Report on the class",
        chapters=shown,
        students=len({e.submission.student for e in graded}),
        graded=sum(bool(e.verdicts) for e in graded),
        not_graded=[e for e in graded if not e.verdicts],
        odd=[e for e in graded if e.verdicts and e.submission.notes],
    )


def kind(sentence: str) -> str:
    """The sentence without its numbers, so that the same mistake counts once."""
    return NUMBER.sub("…", sentence)


def bars(rows: list[dict]) -> str:
    """A picture of how many have solved each exercise."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8, 0.8 + 0.4 * len(rows)), layout="constrained")
    axes = figure.subplots()
    names = [row["title"] for row in rows]
    axes.barh(names, [row["total"] for row in rows], color="#dddddd", label="handed in")
    axes.barh(names, [row["solved"] for row in rows], color="#1b7837", label="solved")
    axes.invert_yaxis()
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))  # there is no half a student
    axes.set(xlabel="students", title="Who solved what")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
