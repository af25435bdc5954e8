"""Checks of the numbers in a chapter's parameters cell, which anybody may change."""

import ast
import math
import sys
from typing import Any

INJECTED = "# Parameters\n"  # how papermill starts the cell with the values it was given
_WHOLE_FROM = {"seed": 0, "max_epochs": 1, "batch_size": 1, "limit": 0}


def check_parameters(**parameters: Any) -> None:
    """Check a chapter's parameters: the right kind of number, in the right range.

    `max_epochs`, `batch_size` and every name that starts with `num_` are whole numbers from 1,
    `seed` and `limit` whole numbers from 0 (`limit=0` means all images), `lr` is a positive number.
    Whatever a chapter adds is a finite number. A list is checked entry by entry. What papermill
    sets must be among `parameters`: papermill itself only warns of a name that no chapter knows.

    Raises:
        ValueError: with the parameter's name, what it is, and what it should be.
    """
    unknown = _set_by_papermill() - set(parameters)
    if unknown:
        raise ValueError(
            f"this chapter has no parameter {', '.join(sorted(unknown))}; there are "
            f"{', '.join(parameters)}"
        )
    for name, value in parameters.items():
        entries = value if isinstance(value, list | tuple) and value else [value]
        for entry in entries:
            problem = _problem(name, entry)
            if problem:
                raise ValueError(f"parameter {name} = {value!r}: {problem}")


def _problem(name: str, value: Any) -> str | None:
    lowest = _WHOLE_FROM.get(name, 1 if name.startswith("num_") else None)
    if lowest is not None:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return None if whole and value >= lowest else f"expected a whole number, {lowest} or more"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value):
        return "expected a finite number"
    if name in ("lr", "learning_rates") and value <= 0:
        return "expected a number above 0"
    return None


def _set_by_papermill() -> set[str]:
    """Return the names that papermill's cell, if there is one, gives values to."""
    if "IPython" not in sys.modules:
        return set()
    from IPython import get_ipython

    shell = get_ipython()
    cells = shell.user_ns.get("In", []) if shell else []
    injected = "".join(cell for cell in cells if cell.startswith(INJECTED))
    names = (node for node in ast.walk(ast.parse(injected)) if isinstance(node, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Store)}
