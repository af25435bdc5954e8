import warnings

import numpy as np
import pytest
import torch

import helpers
from helpers.exercises import Answer, WrongAnswer

X = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


def told(answer, *args, **kwargs):
    """The sentence that a learner is told."""
    with pytest.raises(AssertionError) as error:
        answer(*args, **kwargs)
    return str(error.value)


mean, nothing, unset, text = X.mean(), None, ..., "Shirt "


def test_an_answer_that_is_not_there():
    assert told(helpers.answer, "gone").startswith("there is no gone yet: write it")
    assert told(helpers.answer, "nothing") == "nothing is None: set it to your answer"
    assert told(helpers.answer, "unset") == "unset is Ellipsis: set it to your answer"
    assert helpers.answer("mean").value is mean


@pytest.mark.parametrize(
    "right",
    [
        2.5,
        np.float32(2.5),
        np.array(2.5),
        torch.tensor(2.5),
        torch.tensor(2.5, dtype=torch.float64),
        torch.tensor(2.5, requires_grad=True),
        torch.tensor(2.5, dtype=torch.bfloat16),
    ],
)
def test_a_scalar_of_any_kind_is_accepted(right):
    Answer("mean", right).equals(X.mean())


@pytest.mark.parametrize("right", [True, np.bool_(True), torch.tensor(True), 1])
def test_a_bool_of_any_kind_is_accepted(right):
    Answer("is_even", right).equals(True)
    assert "wrong values: got 1, expected 0" in told(Answer("is_even", right).equals, False)


@pytest.mark.parametrize("right", [X.double(), X + 1e-6, X.int(), X.clone().requires_grad_()])
def test_a_tensor_of_any_type_is_accepted(right):
    Answer("x", right).equals(X)


def test_only_a_tensor_will_do_where_one_is_expected():
    for other, kind in ((X.tolist(), "a list"), (X.numpy(), "a NumPy array")):
        told_kind = f"x: got {kind}, expected a tensor of shape (2, 2)"
        assert told(Answer("x", other).equals, X) == told_kind


@pytest.mark.parametrize("right", [X, X.numpy(), X.tolist(), [X[0], X[1]], tuple(X.tolist())])
def test_anything_with_the_same_numbers_will_do_for_a_list(right):
    Answer("x", right).equals(X.tolist())


def test_the_shape_is_told_before_the_values():
    assert told(Answer("f", X.flatten()).equals, X) == "f: got shape (4,), expected shape (2, 2)"
    assert told(Answer("f", X[0, :1]).equals, X.mean()) == "f: got shape (1,), expected a scalar"
    assert told(Answer("f", X + 1).equals, X) == (
        "f: right shape, wrong values: got [2, 3, 4, 5], expected [1, 2, 3, 4]"
    )
    assert told(Answer("f", "x").equals, [1, 2]) == "f: got 'x', expected numbers"


def test_a_likely_mistake_is_named():
    mistakes = {"the sum is over the rows": X.sum(0)}
    answer = Answer("f", X.sum(0))
    assert told(answer.equals, X.sum(1), mistakes) == "f: the sum is over the rows"
    answer.equals(X.sum(0), {"what is right anyway": X.sum(0)})


def test_small_and_large_numbers_are_compared_by_the_largest():
    Answer("f", torch.tensor([1e-9, 2e-9])).is_true(True, "")
    assert "wrong values" in told(Answer("f", torch.tensor([1.0, 1.01])).equals, [1.0, 1.0])
    Answer("f", torch.tensor([1e6, 1e6 + 10])).equals([1e6, 1e6])
    Answer("f", torch.tensor([float("nan"), float("-inf")])).equals([np.nan, -np.inf])
    assert "wrong values" in told(Answer("f", torch.tensor([float("nan")])).equals, [1.0])


def test_texts_are_compared_without_case_and_spaces():
    helpers.answer("text").equals("shirt")
    assert told(Answer("name", "coat").equals, "shirt") == "name: got 'coat', which is not it"


def test_a_function_is_called_and_named_with_its_arguments():
    result = Answer("double", lambda x, n: x * n)(X, 2)
    assert result.name == "double(a tensor of shape (2, 2), 2)"
    result.equals(X * 2)


def test_a_function_that_fails_returns_nothing_or_changes_its_argument():
    assert told(Answer("f", lambda x: x @ torch.ones(3)), X).startswith(
        "f(a tensor of shape (2, 2)) raises RuntimeError: "
    )
    assert told(Answer("f", lambda x: None), X).endswith("nothing came back, is there a return?")
    assert "changes its argument" in told(Answer("f", lambda x: x.mul_(2)), X.clone())
    assert told(Answer("f", 3), X) == "f is 3, not a function"
    Answer("f", lambda x: x * 1)(torch.tensor([float("nan")]))


def test_a_warning_is_no_reason_to_fail(recwarn):
    """nbgrader gives no points for a check that shows anything as an error."""

    def warns():
        warnings.warn("careful", stacklevel=2)
        return 1

    def warns_and_raises():
        warnings.warn("careful", stacklevel=2)
        raise ValueError

    Answer("warns", warns)().equals(1)
    Answer("warns", warns).do()
    Answer("warns", warns_and_raises).refuses()
    assert list(recwarn) == []


def test_a_class_and_its_methods():
    class Model:
        def loss(self, x):
            return x.mean()

    model = Answer("Model", Model)()
    model.attribute("loss")(X).equals(2.5)
    assert told(model.attribute, "forward") == "Model() has no forward"


@pytest.mark.parametrize(
    "message",
    ["(2, 1) and (2,)", "torch.Size([2, 1]) != torch.Size([2])", "[2, 1], [2]", "2x1", "2 × 1"],
)
def test_a_message_may_name_a_shape_in_any_spelling(message):
    def refuse(x):
        raise ValueError(message)

    Answer("f", refuse).refuses(X, mentions=[(2, 1)])
    assert "does not mention (2, 3)" in told(Answer("f", refuse).refuses, X, mentions=[(2, 3)])


def test_what_must_be_refused():
    def other(x):
        raise KeyError("a")

    assert told(Answer("f", lambda x: x).refuses, X).endswith("went through, expected a ValueError")
    assert "raises KeyError: 'a'; expected a ValueError" in told(Answer("f", other).refuses, X)
    Answer("f", other).refuses(X, error=KeyError, mentions=["A"])

    def names_a_class(y):
        raise ValueError("class 17 of 3")

    assert "does not mention 7" in told(Answer("f", names_a_class).refuses, X, mentions=[7])
    Answer("f", names_a_class).refuses(X, mentions=[17, 3])


def test_a_condition_and_the_last_line(capsys):
    answer = Answer("f", 3)
    assert told(answer.is_true, torch.tensor(False), "it must be even") == "f: it must be even"
    answer.is_true(True, "").solved()
    assert capsys.readouterr().out == "Solved: f does what was asked.\n"


def test_a_function_may_be_called_for_what_it_does():
    numbers = []
    answer = Answer("append", numbers.append).do(3)
    assert told(answer.part("the list", numbers).equals, [4]) == (
        "append: the list: right shape, wrong values: got [3], expected [4]"
    )
    assert told(Answer("f", lambda: 1 / 0).do) == "f raises ZeroDivisionError: division by zero"


def test_a_function_that_would_do_all_the_work_is_not_called():
    def softmax(x):
        return [torch.softmax(row, dim=0) for row in x]

    def own(x):
        return x.exp() / x.exp().sum()

    Answer("softmax", own).without_calling("softmax")
    assert told(Answer("softmax", softmax).without_calling, "softmax") == (
        "softmax calls softmax, which is what you are to write"
    )


def test_a_function_may_have_to_return_none():
    Answer("f", lambda x: None).returns_none("a")
    assert told(Answer("f", lambda x: x).returns_none, "a") == "f('a'): got 'a', expected None"
    assert told(Answer("f", lambda x: 1 / 0).returns_none, 3).startswith("f(3) raises ZeroDivision")


def test_a_hidden_part_tells_a_hint_and_no_input():
    answer = Answer("double", lambda x: x + 1)

    def hidden():
        with answer.unseen("negative numbers"):
            answer(-3).equals(-6)

    assert told(hidden) == "double: wrong for inputs that are not shown: negative numbers"
    with answer.unseen("one"):
        answer(1).equals(2)


def test_what_is_shown_of_an_error_is_the_learners_own_code():
    def invert(x):
        return 1 / x

    with pytest.raises(WrongAnswer) as raised:
        Answer("invert", invert)(0)
    shown = "\n".join(raised.value._render_traceback_())
    assert shown.startswith("invert(0) raises ZeroDivisionError: division by zero\n\nTraceback")
    assert "return 1 / x" in shown
    assert "helpers/_internal" not in shown.replace("\\", "/")
    assert "exercises.py" not in shown.replace("test_exercises.py", "")
