import pytest

import helpers
from helpers import ProgressBoard
from helpers._internal import live


def test_every_n_points_become_their_mean():
    b = ProgressBoard(display=False)
    for x in range(5):
        b.draw(x, 2 * x, "loss", every_n=2)
    assert b.data["loss"] == [(0.5, 1.0), (2.5, 5.0)]
    assert b.raw_points["loss"] == [(4.0, 8.0)]


def test_outside_a_notebook_points_are_kept_and_nothing_is_drawn():
    b = ProgressBoard("x")
    b.draw(0, 1, "a")
    assert b.fig is None
    assert b.data["a"] == [(0, 1)]
    b.clear()
    assert b.data == {}


def test_to_frame():
    b = ProgressBoard(display=False)
    b.draw(0, 1, "a")
    b.draw(1, 3, "b")
    b.draw(2, 2, "a")
    frame = b.to_frame()
    assert frame.columns.tolist() == ["label", "x", "y"]
    assert frame.to_numpy().tolist() == [["a", 0, 1], ["a", 2, 2], ["b", 1, 3]]


def test_the_plain_text_form_states_where_each_series_ends():
    b = ProgressBoard(xlabel="epoch", display=False)
    assert repr(b) == "ProgressBoard without points"
    b.draw(9.75, 0.4567, "train_loss")
    b.draw(10, 0.83456, "val_acc")
    assert repr(b) == "train_loss: 0.46 at epoch 9.75\nval_acc: 0.83 at epoch 10"


def test_the_svg_holds_all_series_the_text_form_and_no_date():
    b = ProgressBoard(xlabel="epoch", xlim=[0, 3], yscale="log", display=False)
    for i in range(6):
        b.draw(1, i + 1, f"series {i}")
        b.draw(2, i + 1, f"series {i}")
    svg = b.to_svg()
    assert b.to_svg() == svg
    assert "series 5: 6 at epoch 2" in svg
    assert "dc:date" not in svg
    looks = {(line.get_color(), line.get_linestyle()) for line in b.axes.get_lines()}
    assert len(looks) == 6
    assert b.axes.get_xlim() == (0, 3)


def test_sixteen_series_differ():
    b = ProgressBoard(display=False)
    styles = [tuple(b._style(i).values()) for i in range(16)]
    assert len(set(styles)) == 16


def test_it_draws_on_axes_that_are_given():
    fig, axes = helpers.plt.subplots()
    axes.plot([0], [0])
    b = ProgressBoard(fig=fig, axes=axes, display=False)
    b.draw(1, 1, "a")
    b.to_svg()
    assert len(axes.get_lines()) == 2
    assert fig.number not in helpers.plt.get_fignums()  # or the notebook would show it again
    b.clear()
    assert len(axes.get_lines()) == 1


TRAIN = """
import time, helpers
board = helpers.ProgressBoard("x")
for i in range(40):
    time.sleep(0.005)
    board.draw(i, i * i, "square")
    board.draw(i, i, "line", every_n=2)
print("done")
"""


def boards(cell):
    return [output for output in cell.outputs if "image/svg+xml" in output.get("data", {})]


def test_a_notebook_shows_one_picture_with_the_last_state(run_cells):
    (cell,) = run_cells(TRAIN)
    (shown,) = boards(cell)
    assert shown["data"]["text/plain"] == "square: 1.5e+03 at x 39\nline: 38 at x 38.5"


COUNT_DRAWINGS = """
import os
from unittest.mock import patch
from helpers._internal import live

os.environ["HELPERS_BOARD"] = {switch!r}
drawings, show = [], live.Live.show
patches = [
    patch.object(live, "FIRST_DRAWING", 0.05),
    patch.object(live, "DRAWING_SHARE", 100),  # draw all the time
    patch.object(live.Live, "show", lambda self: (drawings.append(1), show(self))),
]
for p in patches: p.start()
"""
COUNTED = "for p in patches: p.stop()\nos.environ['HELPERS_BOARD'] = 'last'\nlen(drawings)"


def test_while_it_runs_the_one_picture_is_updated(run_cells):
    _, cell, count = run_cells(COUNT_DRAWINGS.format(switch=""), TRAIN, COUNTED)
    (shown,) = boards(cell)
    assert "square: 1.5e+03 at x 39" in shown["data"]["text/plain"]
    assert int(count.outputs[0]["data"]["text/plain"]) > 2


def test_the_switch_draws_the_last_state_only(run_cells):
    *_, count = run_cells(COUNT_DRAWINGS.format(switch="last"), TRAIN, COUNTED)
    assert count.outputs[0]["data"]["text/plain"] == "1"


def test_a_second_cell_gets_a_picture_of_its_own(run_cells):
    first, second = run_cells(TRAIN, "board.draw(40, 0, 'square')")
    assert "square: 1.5e+03 at x 39" in boards(first)[0]["data"]["text/plain"]
    assert "square: 0 at x 40" in boards(second)[0]["data"]["text/plain"]


def test_the_last_state_is_drawn_when_the_cell_fails(run_cells):
    (cell,) = run_cells(TRAIN + "1 / 0", allow_errors=True)
    assert len(boards(cell)) == 1


def test_display_false_draws_nothing(run_cells):
    (cell,) = run_cells(TRAIN.replace('"x"', '"x", display=False'))
    assert boards(cell) == []


def test_drawing_takes_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch):
    """Play a run of 100 s in which a picture takes 0.2 s, on a clock of our own."""
    now, drawn = [0.0], []
    monkeypatch.setattr(live.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(live, "notebook_shell", lambda: "a shell")
    monkeypatch.setattr(live, "running_code", lambda shell: "a cell")
    monkeypatch.setattr(live, "is_captured", lambda shell: False)
    monkeypatch.setenv("HELPERS_BOARD", "")

    def show(self):
        drawn.append(now[0])
        now[0] += 0.2

    monkeypatch.setattr(live.Live, "show", show)
    b = ProgressBoard()
    b._live.place, b._live.next_drawing = "a cell", live.FIRST_DRAWING
    while now[0] < 100:
        now[0] += 0.01
        b.draw(now[0], 1, "a")
    assert drawn[0] == pytest.approx(live.FIRST_DRAWING, abs=0.02)
    assert 0.01 < 0.2 * len(drawn) / 100 < 0.025


@pytest.mark.parametrize("largest", [10, 10_000, 99_999])
def test_no_label_is_cut_at_an_edge(largest):
    b = ProgressBoard(xlabel="epoch", xlim=[0, largest], display=False)
    b.draw(0, 0, "loss")
    b.draw(largest, largest, "loss")
    b.to_svg()
    b.fig.canvas.draw()
    whole = b.fig.bbox
    for axis in (b.axes.xaxis, b.axes.yaxis):
        for label in [*axis.get_ticklabels(), axis.label]:
            if label.get_text() and label.get_visible():
                box = label.get_window_extent()
                x, _ = label.get_position()
                shown = (axis is b.axes.xaxis and 0 <= x <= largest) or axis is b.axes.yaxis
                assert not shown or (whole.x0 <= box.x0 and box.x1 <= whole.x1), label
