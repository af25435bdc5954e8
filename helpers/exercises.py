"""What the check of an exercise says: what was got, what was expected, and the likely cause."""

import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from helpers._internal.calling import as_call, as_failure, quietly
from helpers._internal.comparing import (
    as_numbers,
    describe,
    is_close,
    mentioned,
    named,
    names_in,
    numbers,
    plain,
    shape_of,
)


class WrongAnswer(AssertionError):
    """An answer that is refused; in a notebook the sentence is shown without the way to it."""

    def _render_traceback_(self) -> list[str]:
        """Return the lines that a notebook shows: the sentence, then the learner's own error."""
        if self.__cause__ is None:
            return [str(self)]
        own = self.__cause__.__traceback__
        while own and own.tb_frame.f_globals.get("__name__", "").startswith("helpers."):
            own = own.tb_next
        cause = type(self.__cause__), self.__cause__, own
        return [str(self), "", *traceback.format_exception(*cause)]


def require(condition: bool, sentence: str) -> None:
    """Raise WrongAnswer with a sentence unless a condition holds, also under `python -O`."""
    if not condition:
        raise WrongAnswer(sentence)


def answer(name: str) -> "Answer":
    """Return the answer to an exercise: what the notebook calls `name`.

    Raises:
        WrongAnswer: when nothing of that name is there, with what to do.
    """
    namespace = sys._getframe(1).f_globals
    require(
        name in namespace, f"there is no {name} yet: write it, and run its cell before the check"
    )
    value = namespace[name]
    require(value is not None and value is not ..., f"{name} is {value}: set it to your answer")
    return Answer(name, value)


class Answer:
    """A learner's variable, function or class, or what came out of calling one.

    Args:
        name: what messages call it.
        value: the variable, function, class or result itself.
    """

    def __init__(self, name: str, value: Any) -> None:
        self.name, self.value = name, value

    def __call__(self, *args: Any, **kwargs: Any) -> "Answer":
        """Call the function or class and return what comes out.

        Raises:
            WrongAnswer: when it cannot be called, raises an error, returns nothing, or changes
                an argument.
        """
        name = as_call(self.name, *args, *kwargs.values())
        require(callable(self.value), f"{self.name} is {describe(self.value)}, not a function")
        before = [arg.detach().clone() if isinstance(arg, torch.Tensor) else arg for arg in args]
        result = self._call(name, *args, **kwargs)
        require(result is not None, f"{name}: nothing came back, is there a return?")
        for old, arg in zip(before, args, strict=True):
            if isinstance(arg, torch.Tensor):
                unchanged = torch.equal(old.nan_to_num(), arg.detach().nan_to_num())
                require(unchanged, f"{name} changes its argument: compute a new tensor instead")
        return Answer(name, result)

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return quietly(self.value, *args, **kwargs)
        except Exception as error:
            raise WrongAnswer(as_failure(name, error)) from error

    def do(self, *args: Any) -> "Answer":
        """Call a function for what it does: nothing need come back."""
        self._call(self.name, *args)
        return self

    def without_calling(self, *names: str) -> "Answer":
        """Refuse a function whose own code uses one of these names, which would do all the work."""
        used = names_in(getattr(self.value, "__code__", None))
        for name in names:
            require(name not in used, f"{self.name} calls {name}, which is what you are to write")
        return self

    def returns_none(self, *args: Any) -> "Answer":
        """Call a function that is to return None for these arguments."""
        name = as_call(self.name, *args)
        result = self._call(name, *args)
        require(result is None, f"{name}: got {describe(result)}, expected None")
        return self

    def part(self, name: str, value: Any) -> "Answer":
        """Return a part of the answer, or what it has led to, under a name for the messages."""
        return Answer(f"{self.name}: {name}", value)

    def attribute(self, name: str) -> "Answer":
        """Return an attribute or a method."""
        require(hasattr(self.value, name), f"{self.name} has no {name}")
        return Answer(f"{self.name}.{name}", getattr(self.value, name))

    def equals(
        self, expected: Any, mistakes: Mapping[str, Any] | None = None, tolerance: float = 1e-4
    ) -> "Answer":
        """Refuse what differs from `expected`; a float of any type, or a Python number, is fine.

        Args:
            expected: a tensor, for which only a tensor will do; or a number, a text, an array or a
                list of numbers, for which anything with the same numbers will.
            mistakes: what is said when a likely mistake was made, by what then comes out.
            tolerance: largest error, relative to the largest expected number.

        Raises:
            WrongAnswer: with the shape, or else the mistake, or else the values.
        """
        if isinstance(expected, str):
            same = isinstance(self.value, str) and plain(self.value) == plain(expected)
            require(same, f"{self.name}: got {self.value!r}, which is not it")
            return self
        got, wanted = as_numbers(self.value), as_numbers(expected)
        if got is None or wanted is None:
            raise WrongAnswer(f"{self.name}: got {describe(self.value)}, expected numbers")
        if isinstance(expected, torch.Tensor) and expected.ndim:
            is_tensor = isinstance(self.value, torch.Tensor)
            sentence = f"got {describe(self.value)}, expected {describe(expected)}"
            require(is_tensor, f"{self.name}: {sentence}")
        for sentence, value in (mistakes or {}).items():
            mistake = as_numbers(value)
            if not is_close(wanted, mistake, tolerance):
                require(not is_close(got, mistake, tolerance), f"{self.name}: {sentence}")
        require(
            got.shape == wanted.shape,
            f"{self.name}: got {shape_of(got)}, expected {shape_of(wanted)}",
        )
        require(
            is_close(got, wanted, tolerance),
            f"{self.name}: right shape, wrong values: got {numbers(got)}, expected "
            f"{numbers(wanted)}",
        )
        return self

    def is_true(self, condition: Any, sentence: str) -> "Answer":
        """Refuse the answer with a sentence unless a condition holds."""
        require(bool(condition), f"{self.name}: {sentence}")
        return self

    def refuses(
        self, *args: Any, error: type[Exception] = ValueError, mentions: Sequence[Any] = ()
    ) -> "Answer":
        """Expect an error whose message mentions some texts, numbers or shapes, in any spelling."""
        name = as_call(self.name, *args)
        try:
            quietly(self.value, *args)
        except error as raised:
            for thing in mentions:
                require(
                    mentioned(thing, str(raised)),
                    f"{name}: the message does not mention {thing}: {raised}",
                )
            return self
        except Exception as raised:
            sentence = f"{as_failure(name, raised)}; expected {named(error)}"
            raise WrongAnswer(sentence) from raised
        raise WrongAnswer(f"{name} went through, expected {named(error)}")

    @contextmanager
    def unseen(self, hint: str) -> Iterator[None]:
        """Refuse what goes wrong in this block with a hint alone, which names no input or value.

        For the hidden part of a check, which the student edition leaves out.
        """
        try:
            yield
        except WrongAnswer:
            raise WrongAnswer(f"{self.name}: wrong for inputs that are not shown: {hint}") from None

    def solved(self) -> None:
        """Say that the exercise is solved."""
        print(f"Solved: {self.name} does what was asked.")
