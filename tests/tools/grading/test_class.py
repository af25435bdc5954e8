"""A class of forty: each gets the points and the sentences that were made up for them."""

import csv
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tools.course import ROOT, chapters, kernel_environment, section
from tools.grading import __main__ as grading
from tools.grading.exercises import exercises
from tools.run.sandbox import obstacle

SECTIONS = ("0.1", "2.1", "2.3")
LOOP, EXIT = "while True:\n    pass", "import os\nos._exit(0)"
pytestmark = [
    pytest.mark.weekly,
    pytest.mark.skipif(bool(obstacle()), reason="no sandbox here: sudo apt-get install bubblewrap"),
]


def chapter_of(number: str) -> Path:
    (chapter,) = [path for path in chapters() if section(path) == number]
    return chapter


def load_answers(number: str) -> dict:
    file = ROOT / "tests" / "course" / "answers" / f"{number}.yml"
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def draw(number: str, rng: random.Random) -> dict[str, tuple[str, str]]:
    """An answer to each exercise, and what is said to it: right, wrong, or not there."""
    drawn = {}
    for name, kinds in load_answers(number).items():
        kind = rng.choice(["right", "right", "wrong", "nothing"])
        if kind == "right":
            drawn[name] = (rng.choice(kinds["right"]), "solved")
        elif kind == "wrong":
            wrong = rng.choice(kinds["wrong"])
            drawn[name] = (wrong["code"], wrong["says"])
    return drawn


def make_class(folder: Path, hand_in, numbers: list[str]) -> dict[tuple[str, str], dict]:
    """Hand in a notebook for each section in `numbers`; return what is said to each exercise."""
    expected = {}
    for i, number in enumerate(numbers):
        drawn = draw(number, random.Random(i))
        student = f"student{i:02}"
        codes = {name: code for name, (code, _) in drawn.items()}
        hand_in(folder / student / number / chapter_of(number).name, codes, number)
        expected[student, number] = {name: sentence for name, (_, sentence) in drawn.items()}
    return expected


def grade(folder: Path, out: Path, *options: str) -> list[dict[str, str]]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(sys, "argv", ["grade", "--output", str(out), *options, str(folder)])
        grading.main()
    return list(csv.DictReader((out / "grades.csv").read_text(encoding="utf-8").splitlines()))


def test_forty_submissions_of_three_chapters(hand_in, tmp_path):
    folder = tmp_path / "submitted"
    expected = make_class(folder, hand_in, [SECTIONS[i % 3] for i in range(37)])
    for student, name, code in (("loops", "ex1", LOOP), ("sleeps", "ex3", LOOP)):
        answers = {k: kinds["right"][0] for k, kinds in load_answers("2.3").items()}
        hand_in(folder / student / chapter_of("2.3").name, {**answers, name: code}, "2.3")
        solved = dict.fromkeys(answers, "solved")
        expected[student, "2.3"] = {**solved, name: "not done in time"}
    (folder / "broken").mkdir()
    (folder / "broken" / "2.1.ipynb").write_text("{")
    rows = grade(folder, tmp_path / "out", "--cell-limit", "20")
    assert len({row["student"] for row in rows}) == 40
    got = {(row["student"], row["chapter"], row["exercise"]): row for row in rows}
    assert "cannot be read" in got.pop(("broken", "", ""))["sentence"]
    wrong = []
    for (student, number), sentences in expected.items():
        for exercise in exercises(chapter_of(number)):
            row = got.pop((student, number, exercise.id))
            sentence = sentences.get(exercise.id, "nothing was written here")
            points = exercise.points if sentence == "solved" else 0
            if sentence not in row["sentence"] or float(row["points"]) != points:
                wrong.append((student, number, exercise.id, sentence, row["sentence"]))
    assert wrong == []
    assert got == {}


def test_nbgrader_gives_the_same_points(hand_in, tmp_path):
    folder = tmp_path / "submitted"
    make_class(folder, hand_in, ["2.1"] * 20)
    ours = {}
    for row in grade(folder, tmp_path / "out"):
        ours[row["student"]] = ours.get(row["student"], 0) + float(row["points"])
    source = tmp_path / "source" / "2.1" / chapter_of("2.1").name
    source.parent.mkdir(parents=True)
    source.write_bytes(chapter_of("2.1").read_bytes())
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for command in ("generate_assignment", "autograde"):
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", command, "2.1"],
            cwd=tmp_path,
            env={**kernel_environment(), "PATH": path},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as book:
        theirs = {s.student.id: s.score for s in book.assignment_submissions("2.1")}
    assert theirs == ours
