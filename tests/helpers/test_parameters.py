import math

import pytest

from helpers import check_parameters


def test_what_the_chapters_use_passes():
    check_parameters(
        seed=0, max_epochs=1, lr=1e-9, batch_size=1, limit=0, num_hiddens=3, weight_decay=-0.5
    )
    check_parameters(learning_rates=[0.1, 1], num_layers=[1, 2], noise=0)


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
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(name, value, expected):
    with pytest.raises(ValueError, match=f"parameter {name} = .*{expected}") as error:
        check_parameters(**{name: value})
    assert repr(value) in str(error.value)


def test_a_name_that_papermill_sets_must_be_known(run_cells):
    injected = "# Parameters\nseed = 1\nmax_epoch = [2]\n"
    check = "import helpers\nhelpers.check_parameters(seed=1)"
    notebook = run_cells(injected, check, allow_errors=True)
    (error,) = notebook.cells[1].outputs
    assert error.evalue == "this chapter has no parameter max_epoch; there are seed"
    assert run_cells("max_epoch = 2", check).cells[1].outputs == []
