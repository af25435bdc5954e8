"""A learner's function is called, and messages say which call it was and what came of it."""

import warnings
from collections.abc import Callable
from typing import Any

from helpers._internal.comparing import describe


def quietly(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function without its warnings, which nbgrader would take for a failed check."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


def as_call(name: str, *args: Any) -> str:
    """Return the call of a function with these arguments, as messages show it."""
    return f"{name}({', '.join(map(describe, args))})"


def as_failure(call: str, error: Exception) -> str:
    """Return a sentence on an error that a call has raised."""
    return f"{call} raises {type(error).__name__}: {error}"
