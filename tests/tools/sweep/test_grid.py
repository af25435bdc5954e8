import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.sweep.grid import Point, parse, points
from tools.terminal import ToolError


def test_a_grid_is_every_combination_of_its_values():
    grid = parse("lr=0.01,0.1 batch_size=64")
    assert grid == {"lr": ["0.01", "0.1"], "batch_size": ["64"]}
    assert [point.values for point in points(grid, 0)] == [
        (("lr", "0.01"), ("batch_size", "64")),
        (("lr", "0.1"), ("batch_size", "64")),
    ]


def test_a_value_that_stands_twice_is_tried_once():
    assert parse("lr=0.1,0.1") == {"lr": ["0.1"]}


def test_seeds_repeat_every_combination():
    values = [dict(point.values)["seed"] for point in points({"lr": ["1", "2"]}, 3)]
    assert values == ["0", "1", "2"] * 2
    with pytest.raises(ToolError, match="The grid has the seeds already"):
        points({"seed": ["4"]}, 3)


@pytest.mark.parametrize("text", ["lr", "lr=", "=1", "lr=1,,2", "lr:1", "1=1", "lr = 1"])
def test_what_is_no_grid_is_refused_with_an_example(text):
    with pytest.raises(ToolError, match="expected it as in GRID="):
        parse(text)


def test_a_name_that_stands_twice_is_refused():
    with pytest.raises(ToolError, match="lr stands twice"):
        parse("lr=1 lr=2")


@given(st.lists(st.text(min_size=1), min_size=2, max_size=2, unique=True))
def test_points_that_differ_have_files_that_differ_and_no_way_out_of_the_folder(values):
    names = {Point((("name", value),)).name for value in values}
    assert len(names) == 2
    assert all("/" not in name and "\0" not in name and len(name) < 140 for name in names)
