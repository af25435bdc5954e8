import json
import shutil
from collections import Counter

import pytest

from tools.bench import __main__ as bench
from tools.bench import d2l, report
from tools.bench.measure import Bench
from tools.bench.rows import BARE, D2L, HELPERS, ROWS, Row
from tools.course import ROOT
from tools.terminal import ToolError

RATIO = Row("a", "a job", "warm", most_ratio=1.5)
TIME = Row("b", "another", "warm", most=2.0, least_gain=10)
FREE = Row("c", "without a bound", "warm")


def samples(bare=(), helpers=(), d2l=()):
    return {BARE: list(bare), HELPERS: list(helpers), D2L: list(d2l)}


def test_the_ratio_is_the_median_of_the_rounds_with_its_spread():
    # The machine was ten times slower in the second round: the ratio of medians would be 1.5.
    summary = report.summarize(RATIO, samples([1, 20, 2], [3, 20, 2.8], [90]))
    assert summary.ratios == [3, 1, 1.4]
    assert summary.medians == {BARE: 2, HELPERS: 3, D2L: 90}
    assert summary.d2l_ratio == 90
    assert summary.gain == 30
    table = report.table([summary])
    assert "1.40 (1.00 to 3.00)" in table
    assert "|    90.0 s |  90.0 |" in table


@pytest.mark.parametrize(
    ("row", "values", "verdict"),
    [
        (RATIO, samples([2], [3]), "holds"),
        (RATIO, samples([2], [3.01]), "misses"),
        (RATIO, samples([1, 1, 1], [1, 1, 9]), "holds"),
        (RATIO, samples([1, 1, 1], [1, 9, 9]), "misses"),
        (RATIO, samples([1, 20, 2], [3.2, 20, 2.8]), "holds"),  # the ratio of medians would miss
        (TIME, samples([1], [2], [20]), "holds"),
        (TIME, samples([1], [2.01], [90]), "misses"),
        (TIME, samples([1], [2], [19.9]), "misses"),
        (TIME, samples([1], [2]), "holds"),
        (FREE, samples([1], [1000]), ""),
    ],
)
def test_a_row_above_its_bound_misses(row, values, verdict):
    assert report.summarize(row, values).verdict == verdict


def test_a_row_that_misses_in_some_rounds_only_is_to_be_measured_again():
    unsteady = report.summarize(RATIO, samples([1, 1, 1], [1, 9, 9]))
    steady = report.summarize(RATIO, samples([1, 1, 1], [2, 2, 2]))
    within = report.summarize(RATIO, samples([1, 1, 1], [1, 1, 9]))
    slow = report.summarize(TIME, samples([1], [2.01], [90]))
    assert report.advice([steady, within, slow], 5) == ""
    assert report.advice([steady, unsteady], 5).endswith('make bench ARGS="--rounds 15 a"')


def test_the_rows_have_names_of_their_own_and_bounds_that_can_be_told():
    assert set(Counter(row.name for row in ROWS).values()) == {1}
    for row in ROWS:
        assert hasattr(Bench, row.how)
        assert row.most_ratio is None or BARE in row.sides
        assert row.least_gain is None or D2L in row.sides


class MadeUp:
    """Stands in for `Bench`: helpers takes `times` as long as the bare loop, d2l 90."""

    times = 1.0

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def measure(self, row, side):
        return {BARE: 0.01, HELPERS: 0.01 * self.times, D2L: 0.9}[side]


@pytest.fixture
def start(monkeypatch, tmp_path, capsys):
    """Return a function that starts the tool on made-up numbers."""
    (tmp_path / "docs" / "pictures").mkdir(parents=True)
    shutil.copy(ROOT / "docs" / "speed.md", tmp_path / "docs")
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bench, "BUILD", tmp_path / "build")
    monkeypatch.setattr(bench, "SPEED", tmp_path / "docs" / "speed.md")
    monkeypatch.setattr(bench, "PICTURE", tmp_path / "docs" / "pictures" / "bench.svg")
    monkeypatch.setattr(bench, "write_raw_files", lambda folder: "data folder")
    monkeypatch.setattr(d2l, "install", lambda folder: "")
    monkeypatch.setattr(bench, "Bench", MadeUp)

    def run(*options, times=1.0):
        monkeypatch.setattr(MadeUp, "times", times)
        monkeypatch.setattr("sys.argv", ["bench", *options])
        return bench.main(), capsys.readouterr().out

    return run


def test_all_sides_are_measured_in_each_round_and_kept(start, tmp_path):
    status, out = start("mlp", "course", "--rounds", "3")
    assert status == 0
    lines = [line.split("] ")[1] for line in out.splitlines() if line.startswith("[")]
    once = [f"{row} {side}: 0.01 s" for row in ("mlp", "course") for side in ("bare", "helpers")]
    assert lines == [*once[:2], "mlp d2l: 0.90 s", *once[2:], *once, *once]
    kept = json.loads((tmp_path / "build" / "bench.json").read_text())
    assert kept["samples"]["mlp"] == {"bare": [0.01] * 3, "helpers": [0.01] * 3, "d2l": [0.9]}
    assert kept["verdicts"] == {"mlp": "holds", "course": "holds"}
    assert {"python", "torch", "matplotlib", "cores", "date"} <= set(kept)


def test_the_exit_status_is_1_when_a_row_misses_its_bound(start):
    status, out = start("softmax", "mlp", times=1.1)
    assert status == 1
    verdicts = {line.split()[1]: "misses" in line for line in out.splitlines() if "| " in line}
    assert verdicts["softmax"] is False
    assert verdicts["MLP"] is True


def test_without_d2l_the_rest_is_measured(start, monkeypatch):
    monkeypatch.setattr(d2l, "install", lambda folder: "not installed: no network")
    status, out = start("mlp")
    assert status == 0
    assert "mlp d2l:" not in out
    assert "not installed: no network" in out


def test_an_unknown_row_is_refused_with_those_that_exist(start):
    with pytest.raises(ToolError, match=r"No row mpl\. There are: sweep, softmax, mlp"):
        start("mpl")


def test_bounds_are_not_measured_on_the_sample(start, monkeypatch):
    monkeypatch.setattr(bench, "write_raw_files", lambda folder: "sample")
    with pytest.raises(ToolError, match="only the sample is here"):
        start("mlp")


def test_the_page_is_filled_in_place_and_on_request_only(start, tmp_path):
    page = tmp_path / "docs" / "speed.md"
    before = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    start()
    assert page.read_text(encoding="utf-8") == before
    start("--docs")
    filled = page.read_text(encoding="utf-8")
    assert "| 1.00 (1.00 to 1.00) |" in filled
    assert "](pictures/bench.svg)" in filled
    assert "`make bench ARGS=--docs`" in filled
    for mark, side in (("<!-- bench -->", 0), ("<!-- end of bench -->", -1)):
        assert filled.split(mark)[side] == before.split(mark)[side]
    picture = (tmp_path / "docs" / "pictures" / "bench.svg").read_bytes()
    assert b"<!-- 90.0 \xc3\x97 -->" in picture
    start("--docs")
    assert page.read_text(encoding="utf-8") == filled
    assert (tmp_path / "docs" / "pictures" / "bench.svg").read_bytes() == picture
