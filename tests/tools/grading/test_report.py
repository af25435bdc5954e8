import csv

import pytest

from tools.course import chapters
from tools.grading import report
from tools.grading.assemble import Verdict
from tools.grading.exercises import exercises
from tools.grading.grader import Graded
from tools.grading.submissions import Submission


def graded(student, *sentences):
    """A student's result for the first chapter; "solved" or what the check says."""
    chapter = chapters()[0]
    verdicts = [
        Verdict(exercise, sentence == "solved", sentence)
        for exercise, sentence in zip(exercises(chapter), sentences, strict=True)
    ]
    return Graded(Submission(student, chapter, chapter), verdicts)


def test_students_of_similar_names_get_pages_of_their_own(tmp_path):
    names = ["Ana B", "ana_b", "Ana/B"]
    report.write_all([graded(name, *["solved"] * 3) for name in names], tmp_path)
    pages = sorted((tmp_path / "students").glob("*/feedback.html"))
    shown = {
        page.read_text(encoding="utf-8").partition("<h1>")[2].splitlines()[0] for page in pages
    }
    assert shown == {f"Feedback for {name}</h1>" for name in names}


@pytest.mark.parametrize("name", ["..", ".", "", "/", "\x1b[31m"])
def test_no_name_leads_out_of_the_folder(tmp_path, name):
    report.write_all([graded(name, *["solved"] * 3)], tmp_path / "out")
    (page,) = tmp_path.rglob("feedback.html")
    assert page.parent.parent == tmp_path / "out" / "students"


def test_the_same_mistake_with_other_numbers_counts_once():
    entries = [
        graded(f"s{i}", f"f({i}.5): got {i}, expected 7", "solved", "solved") for i in (1, 2)
    ]
    page = report.class_report(entries)
    assert "2 × f(…): got …, expected …" in page
    assert "0 of 2" in page
    assert page.count("<td>2 of 2</td>") == 2


def test_what_students_write_is_text_in_every_report(tmp_path):
    code, formula = "<script>alert(1)</script>", '=HYPERLINK("x")'
    entries = [graded(formula, code, formula, "solved")]
    report.write_all(entries, tmp_path)
    for page in tmp_path.rglob("*.html"):
        assert "<script>" not in page.read_text(encoding="utf-8")
    rows = list(csv.reader((tmp_path / "grades.csv").read_text(encoding="utf-8").splitlines()))
    assert not any(cell.startswith("=") for row in rows for cell in row)
