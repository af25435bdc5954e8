"""Submissions graded for real, among them those that attack the one who grades them."""

import csv
import json
import re
import socket
import sys

import pytest

from tools.course import ROOT, chapters, section
from tools.grading import __main__ as grading
from tools.grading import check
from tools.grading.assemble import NOTHING
from tools.grading.audit import OTHERWISE
from tools.run.sandbox import obstacle
from tools.terminal import ToolError

FILE = "2.1-data-manipulation.ipynb"
WRONG = "def checkerboard(n):\n    return torch.zeros(n, n)\n"
LOOP = "while True:\n    pass\n"
KEEP_ON = (
    "import time\nwhile True:\n    try:\n        time.sleep(9)\n    except BaseException: ...\n"
)
EXIT = "import os\nos._exit(0)\n"
FORK = "import subprocess\nwhile True:\n    subprocess.Popen(['sleep', '99'])\n"
FLOOD = "while True:\n    print('x' * 10_000)\n"
PATCH = """
helpers.exercises.Answer.equals = lambda self, *args, **kwargs: self
helpers.exercises.Answer.refuses = helpers.exercises.Answer.equals
helpers.exercises.require = lambda *args: None
"""

pytestmark = pytest.mark.usefixtures("one_fork_server")
needs_bubblewrap = pytest.mark.skipif(
    bool(obstacle()), reason="no sandbox here: sudo apt-get install bubblewrap"
)


@pytest.fixture(scope="module")
def listener():
    """Listen on a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(scope="module")
def graded(hand_in, right_answers, listener, tmp_path_factory):
    """Return the points and sentences by student and exercise, and the folder of the results."""
    folder = tmp_path_factory.mktemp("grading")
    submitted, right = folder / "submitted", right_answers("2.1")
    (chapter,) = [path for path in chapters() if section(path) == "2.1"]
    images = ROOT / "data" / "fashion-mnist-sample" / "t10k-labels-idx1-ubyte.gz"
    files = {
        "ex1": f"open({str(chapter)!r})",
        "ex2": f"open({str(submitted / 'ana' / FILE)!r})",
        "ex3": f"import socket\nsocket.create_connection(('127.0.0.1', {listener}), 2)",
        "ex4": f"open({str(images)!r}, 'ab')",
        "ex5": "file = open('x', 'wb')\nfor _ in range(999):\n    file.write(bytes(2**20))",
    }
    tricks = {
        **right,
        "ex1": f"{WRONG}print('Solved: checkerboard does what was asked.')\nprint('10 points')",
        "ex2": LOOP,
        "ex3": EXIT,
        "ex5": f"{PATCH}\ndef broadcast_shape(a, b):\n    return a",
    }
    hand_in(submitted / "ana" / FILE, right)
    hand_in(submitted / "files" / FILE, files)
    hand_in(submitted / "tricks" / FILE, tricks)
    hand_in(submitted / "more" / FILE, {**right, "ex1": KEEP_ON, "ex2": FORK, "ex4": FLOOD})
    (submitted / "broken").mkdir()
    (submitted / "broken" / FILE).write_text("{")
    out = folder / "out"
    with pytest.MonkeyPatch.context() as monkeypatch:
        options = ["--cell-limit", "6", "--time-limit", "60", "--output", str(out)]
        options += ["--gradebook", str(folder / "gradebook.db")]
        monkeypatch.setattr(sys, "argv", ["grade", *options, str(submitted)])
        status = grading.main()
    rows = list(csv.DictReader((out / "grades.csv").read_text(encoding="utf-8").splitlines()))
    return status, rows, folder


def of(graded, student):
    """What a student's exercises got, by their ids."""
    return {row["exercise"]: row for row in graded[1] if row["student"] == student}


@needs_bubblewrap
def test_right_answers_get_all_points(graded):
    assert {row["sentence"] for row in of(graded, "ana").values()} == {"solved"}
    assert all(row["points"] == row["possible"] for row in of(graded, "ana").values())


@needs_bubblewrap
@pytest.mark.parametrize(
    ("exercise", "error"),
    [
        ("ex1", "FileNotFoundError"),  # the chapter with its solutions
        ("ex2", "FileNotFoundError"),  # what another student handed in
        ("ex3", "ConnectionRefusedError"),  # although somebody listens there
        ("ex4", "OSError: [Errno 30]"),  # the data cannot be written
        ("ex5", "OSError: [Errno 28]"),  # no space is left, in memory and not on the disk
    ],
)
def test_nothing_is_within_reach(graded, exercise, error):
    assert of(graded, "files")[exercise]["sentence"].startswith(error)


@needs_bubblewrap
def test_tricks_get_no_points_and_the_honest_answer_among_them_does(graded):
    got = of(graded, "tricks")
    assert [row["points"] for row in got.values()] == ["0", "0", "0", got["ex4"]["possible"], "0"]
    sentences = {name: row["sentence"] for name, row in got.items()}
    assert "right shape, wrong values" in sentences["ex1"]
    assert sentences["ex2"] == "not done in time"
    assert sentences["ex3"].startswith("the kernel ended: the code ended its process")
    assert sentences["ex5"] == OTHERWISE


@needs_bubblewrap
def test_who_goes_on_for_ever_forks_or_floods_loses_that_exercise_only(graded):
    got = of(graded, "more")
    assert got["ex1"]["sentence"] == "not done in time"
    assert got["ex2"]["sentence"] == "started more than 100 processes"
    assert got["ex4"]["sentence"] == "it shows more than 5 MB"
    assert [got[name]["sentence"] for name in ("ex3", "ex5")] == ["solved"] * 2


@needs_bubblewrap
def test_a_broken_file_is_named_and_stops_nothing(graded):
    status, rows, _ = graded
    (row,) = [row for row in rows if row["student"] == "broken"]
    assert row["sentence"].startswith("the file cannot be read as a notebook")
    assert status == 1


@needs_bubblewrap
def test_each_student_gets_a_page_and_results_for_gradescope(graded):
    students = graded[2] / "out" / "students"
    assert sorted(path.name for path in students.iterdir()) == [
        "ana", "broken", "files", "more", "tricks",
    ]  # fmt: skip
    page = (students / "tricks" / "feedback.html").read_text(encoding="utf-8")
    assert "Feedback for tricks" in page
    assert "not done in time" in page
    results = json.loads((students / "ana" / "results.json").read_text())
    assert [test["score"] for test in results["tests"]] == [
        test["max_score"] for test in results["tests"]
    ]
    broken = json.loads((students / "broken" / "results.json").read_text())
    assert broken["tests"] == []
    assert "cannot be read" in broken["output"]


@needs_bubblewrap
def test_the_report_on_the_class_counts_mistakes(graded):
    page = (graded[2] / "out" / "report.html").read_text(encoding="utf-8")
    assert "5 students, 4 notebooks graded" in page
    assert "2 of 4" in page
    assert "1 × FileNotFoundError" in page
    assert 'alt="Exercise 1: ' in page


@needs_bubblewrap
def test_the_gradebook_of_nbgrader_has_the_points(graded):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{graded[2] / 'gradebook.db'}") as book:
        got = {s.student.id: (s.score, s.max_score) for s in book.assignment_submissions("2.1")}
    assert got["ana"][0] == got["ana"][1] > 0
    assert got["files"][0] == 0
    assert sorted(got) == ["ana", "files", "more", "tricks"]


def test_without_a_sandbox_nothing_is_executed_unless_it_is_trusted(hand_in, tmp_path, monkeypatch):
    hand_in(tmp_path / "ana" / FILE, {})
    monkeypatch.setattr(grading, "obstacle", lambda: "bubblewrap is not installed")
    monkeypatch.setattr(sys, "argv", ["grade", "--output", str(tmp_path / "out"), str(tmp_path)])
    with pytest.raises(ToolError, match=r"bubblewrap is not installed.*TRUST=1"):
        grading.main()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--output", "out"], "The results would lie among the submissions"),
        (["--output", "../out", "-p", "epochs", "3"], "No chapter has a parameter epochs"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_done(
    hand_in, tmp_path, monkeypatch, options, sentence
):
    submitted = tmp_path / "submitted"
    hand_in(submitted / "ana" / FILE, {})
    monkeypatch.chdir(submitted)
    monkeypatch.setattr(grading, "obstacle", lambda: "")
    monkeypatch.setattr(sys, "argv", ["grade", *options, str(submitted)])
    with pytest.raises(ToolError, match=sentence):
        grading.main()
    assert [path.name for path in submitted.iterdir()] == ["ana"]


def test_a_learner_is_told_what_is_solved_and_what_is_not(
    hand_in, right_answers, tmp_path, monkeypatch, capsys
):
    answers = {"ex1": WRONG, "ex3": right_answers("2.1")["ex3"]}
    hand_in(tmp_path / "mine.ipynb", answers)
    before = (tmp_path / "mine.ipynb").read_bytes()
    monkeypatch.setattr(sys, "argv", ["check", str(tmp_path / "mine.ipynb")])
    assert check.main() == 1
    shown = capsys.readouterr().out
    assert "1 of 5 exercises are solved" in shown
    assert "solved  Exercise 3" in shown
    assert "right shape, wrong values" in shown
    assert shown.count(NOTHING) == 3
    assert (tmp_path / "mine.ipynb").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "sentence"), [("nowhere.ipynb", "There is no file"), ("b.ipynb", "cannot be checked")]
)
def test_a_file_that_cannot_be_checked_is_named(tmp_path, monkeypatch, name, sentence):
    (tmp_path / "b.ipynb").write_text("{")
    monkeypatch.setattr(sys, "argv", ["check", str(tmp_path / name)])
    with pytest.raises(ToolError, match=sentence):
        check.main()


@needs_bubblewrap
def test_of_a_class_only_what_is_new_is_graded_again(
    hand_in, right_answers, tmp_path, monkeypatch, capsys
):
    right, submitted = right_answers("2.1"), tmp_path / "submitted"
    for student in ("ana", "ben"):
        hand_in(submitted / student / FILE, {**right, "ex1": WRONG})
    options = ["--output", str(tmp_path / "out"), str(submitted)]
    monkeypatch.setattr(sys, "argv", ["grade", *options])
    assert grading.main() == 0
    assert "done before" not in capsys.readouterr().out
    hand_in(submitted / "ben" / FILE, right)
    monkeypatch.setattr(sys, "argv", ["grade", "--resume", *options])
    assert grading.main() == 0
    shown = capsys.readouterr().out
    assert [line for line in shown.splitlines() if "points, done before" in line and "ana" in line]
    assert re.search(r"^ben 2.1: (\d+) of \1 points$", shown, re.MULTILINE)
    assert not re.search(r"^ana 2.1: (\d+) of \1 points$", shown, re.MULTILINE)
    assert shown.count("points, done before") == 1


@needs_bubblewrap
@pytest.mark.weekly
def test_a_cluster_gives_the_same_points(hand_in, right_answers, tmp_path, monkeypatch):
    right = right_answers("2.1")
    hand_in(tmp_path / "submitted" / "ana" / FILE, right)
    hand_in(tmp_path / "submitted" / "tricks" / FILE, {**right, "ex1": WRONG, "ex3": EXIT})
    points = {}
    for where in ([], ["--cluster", "local"]):
        out = tmp_path / f"out{len(where)}"
        options = ["--output", str(out), *where, str(tmp_path / "submitted")]
        monkeypatch.setattr(sys, "argv", ["grade", *options])
        assert grading.main() == 0
        points[len(where)] = (out / "grades.csv").read_text(encoding="utf-8")
    assert points[2] == points[0]
    assert "the kernel ended" in points[0]
