import math

import pytest

from helpers import check_parameters


def check(cells=(), ranges=None, **values):
    check_parameters({**values, "In": list(cells)}, " ".join(values), **(ranges or {}))


def test_what_the_chapters_use_passes():
    check(seed=0, max_epochs=1, lr=1e-9, batch_size=1, limit=0, num_hiddens=3, weight_decay=-0.5)
    check(learning_rates=[0.1, 1], num_layers=[1, 2], noise=0)
    check(share=0.1, ranges={"share": (0, 0.1)})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("max_epochs", 0, "a whole number, 1 or more"),
        ("max_epochs", 1.5, "a whole number, 1 or more"),
        ("max_epochs", "two", "a whole number, 1 or more"),
        ("max_epochs", True, "a whole number, 1 or more"),
        ("limit", -1, "a whole number, 0 or more"),
        ("num_hiddens", 0, "a whole number, 1 or more"),
        ("lr", 0, "above 0"),
        ("lr", math.nan, "a finite number"),
        ("lr", "fast", "a finite number"),
        ("learning_rates", [0.1, -1], "above 0"),
        ("learning_rates", [], "a finite number"),
        ("noise", None, "a finite number"),
        ("share", 0.11, "a number from 0 to 0.1"),
        ("share", -0.01, "a number from 0 to 0.1"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(name, value, expected):
    ranges = {"share": (0, 0.1)} if name == "share" else {}
    with pytest.raises(ValueError, match=f"parameter {name} = .*{expected}") as error:
        check(ranges=ranges, **{name: value})
    assert repr(value) in str(error.value)


def test_a_name_that_papermill_sets_must_be_known():
    injected = "# Parameters\nseed = 1\nmax_epoch = [2]\n"
    with pytest.raises(ValueError, match="no parameter max_epoch; there are seed, lr"):
        check([injected], seed=1, lr=0.1)
    check(["max_epoch = 2", "# Parameters\nseed = 1"], seed=1, lr=0.1)
