"""Two helpers for classes that grow over several notebook cells (section 3.2)."""

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any


def add_to_class(Class: type) -> Callable[[Callable], None]:
    """Decorator that makes the function below it a method of `Class`, under the function's name.

    Objects that already exist get the method too. A method of the same name is replaced.
    """

    def wrapper(method: Callable) -> None:
        setattr(Class, method.__name__, method)

    return wrapper


class HyperParameters:
    """Base class that turns the arguments of `__init__` into attributes."""

    if TYPE_CHECKING:  # a type checker cannot see the attributes that are made below

        def __getattr__(self, name: str) -> Any: ...

    def save_hyperparameters(self, ignore: Iterable[str] = []) -> None:
        """Store every local variable of the calling `__init__` as an attribute of the same name.

        `self`, names in `ignore` and names that start with an underscore are left out. What was
        stored is also kept as the dictionary `self.hparams`.
        """
        local_variables = sys._getframe(1).f_locals
        skipped = {"self", *ignore}
        self.hparams: dict[str, Any] = {
            name: value
            for name, value in local_variables.items()
            if name not in skipped and not name.startswith("_")
        }
        for name, value in self.hparams.items():
            setattr(self, name, value)
