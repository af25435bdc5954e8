import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import torch

import helpers
from helpers import plotting


def lines():
    return helpers.plt.gca().get_lines()


def test_one_line():
    helpers.plot([1, 2, 3], [4, 5, 6], "x", "y", figsize=(4, 2))
    assert lines()[0].get_xydata().tolist() == [[1, 4], [2, 5], [3, 6]]
    assert helpers.plt.gca().get_xlabel() == "x"
    assert tuple(helpers.plt.gcf().get_size_inches()) == (4, 2)


def test_y_alone():
    helpers.plot(torch.tensor([4.0, 5.0]))
    assert lines()[0].get_xydata().tolist() == [[0, 4], [1, 5]]


def test_one_x_for_several_y_and_a_legend():
    helpers.plot([1, 2], [[1, 1], [2, 2]], legend=["a", "b"], xlim=[0, 3], yscale="log")
    assert [line.get_ydata().tolist() for line in lines()] == [[1, 1], [2, 2]]
    axes = helpers.plt.gca()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]
    assert axes.get_xlim() == (0, 3)
    assert axes.get_yscale() == "log"


def test_an_x_for_each_y():
    helpers.plot([[1, 2], [3, 4, 5]], [[1, 1], [2, 2, 2]])
    assert [len(line.get_xdata()) for line in lines()] == [2, 3]


def test_tensors_with_gradients_are_detached():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    helpers.plot(x, [x * 2, x * 3])
    assert lines()[1].get_ydata().tolist() == [3, 6]


def test_all_of_six_lines_are_drawn_and_none_looks_like_another():
    helpers.plot([0, 1], [[i, i] for i in range(6)])
    assert len({(line.get_linestyle(), line.get_color()) for line in lines()}) == 6


def test_lists_that_do_not_fit():
    with pytest.raises(ValueError, match="got 2 lists of x for 3 lines"):
        helpers.plot([[1], [2]], [[1], [2], [3]])


def test_plot_on_given_axes_clears_them():
    _, axes = helpers.plt.subplots()
    axes.plot([1], [1])
    helpers.plot([1, 2], [3, 4], axes=axes)
    assert len(axes.get_lines()) == 1


def test_grid_stays_on_when_axes_are_set_twice():
    _, axes = helpers.plt.subplots()
    for _ in range(2):
        helpers.set_axes(axes, "x", "y", None, None, "linear", "linear", [])
    assert axes.xaxis.get_gridlines()[0].get_visible()


def test_without_limits_the_axes_go_on_fitting_what_is_added():
    helpers.plot([0, 1], [0, 1])
    helpers.plt.gca().plot([0, 10], [0, 10])
    assert helpers.plt.gca().get_xlim()[1] > 10


def test_show_images_fills_a_grid_and_leaves_the_rest_blank():
    axes = helpers.show_images(torch.rand(3, 4, 4), 2, 2, titles=["a", "b", "c"], scale=1)
    assert len(axes) == 4
    assert [len(a.get_images()) for a in axes] == [1, 1, 1, 0]
    assert [a.get_title() for a in axes] == ["a", "b", "c", ""]


def test_a_row_of_images_fits_a_page():
    axes = helpers.show_images(torch.rand(20, 2, 2), 1, 20)
    assert axes[0].figure.get_size_inches()[0] == pytest.approx(plotting.PAGE_WIDTH)


def test_figsize_is_set():
    helpers.set_figsize((2, 1))
    assert mpl.rcParams["figure.figsize"] == [2, 1]


def test_in_a_notebook_a_figure_is_the_same_svg_each_time(run_cells):
    draw = "import helpers\nhelpers.plot([0, 1], [0, 1])"
    pictures = [
        cell.outputs[0]["data"]["image/svg+xml"]
        for cell in [*run_cells(draw), *run_cells(draw, draw)]
    ]
    assert pictures[0] == pictures[1] == pictures[2]
    assert "dc:date" not in pictures[0]


LOSSES = [torch.tensor(1.0, requires_grad=True), torch.tensor(0.5, requires_grad=True)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (LOSSES, [[1, 0.5]]),
        ([np.array(1.0), np.float32(0.5)], [[1, 0.5]]),
        ((i * i for i in range(3)), [[0, 1, 4]]),
        (range(3), [[0, 1, 2]]),
        ({"a": [1, 2], "b": [2, 1]}.values(), [[1, 2], [2, 1]]),
        (pd.Series([1, 2], index=[7, 8]), [[1, 2]]),
        (pd.DataFrame({"a": [1, 2], "b": [3, 4]}), [[1, 2], [3, 4]]),
        (torch.ones(3, 1), [[1, 1, 1]]),
        (torch.tensor([[1, 2], [3, 4], [5, 6]]), [[1, 2], [3, 4], [5, 6]]),
        ([torch.ones(2), [1, 2, 3], LOSSES], [[1, 1], [1, 2, 3], [1, 0.5]]),
        (torch.ones(2, dtype=torch.bfloat16), [[1, 1]]),
        ([torch.tensor(1.5, dtype=torch.bfloat16)], [[1.5]]),
        (torch.tensor([True, False]), [[1, 0]]),
        ([], [[]]),
    ],
)
def test_what_learners_collect_is_drawn(values, expected):
    helpers.plot(values)
    assert [line.get_ydata().astype(float).tolist() for line in lines()] == expected


def test_x_and_y_may_be_of_different_kinds():
    helpers.plot(torch.arange(3.0), torch.arange(3.0).reshape(-1, 1))
    assert lines()[0].get_xydata().tolist() == [[0, 0], [1, 1], [2, 2]]
    helpers.plot(range(2), LOSSES, legend=np.array(["loss"]))
    assert lines()[0].get_xydata().tolist() == [[0, 1], [1, 0.5]]
    helpers.plot([], [])
    assert lines()[0].get_xydata().tolist() == []


def test_a_number_is_no_line():
    with pytest.raises(ValueError, match=r"got the number 3\.0, expected a list"):
        helpers.plot(3.0)


def test_images_may_have_gradients_and_any_type():
    image = torch.rand(2, 2, 2, requires_grad=True, dtype=torch.bfloat16)
    axes = helpers.show_images(image, 1, 2)
    assert [len(a.get_images()) for a in axes] == [1, 1]
