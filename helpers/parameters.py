"""Checks of the numbers in a chapter's parameters cell, which anybody may change."""

import ast
import math
from collections.abc import Iterable, Mapping
from typing import Any

INJECTED = "# Parameters\n"  # how papermill starts the cell with the values it was given
Range = tuple[float, float]  # from and to, both included
_AT_LEAST = {"seed": 0, "max_epochs": 1, "batch_size": 1, "limit": 0}


def check_parameters(namespace: Mapping[str, Any], names: str, **ranges: Range) -> None:
    """Check a chapter's parameters: the right kind of number, in the right range.

    `max_epochs`, `batch_size` and every name that starts with `num_` are whole numbers from 1,
    `seed` and `limit` whole numbers from 0 (`limit=0` means all images), rates are above 0.
    Whatever a chapter adds is a finite number. A list is checked entry by entry. What papermill
    sets must be among the names: papermill itself only warns of a name that no chapter knows.

    Args:
        namespace: where the values are: in a notebook, `globals()`.
        names: the names of the parameters, with spaces between.
        ranges: smallest and largest value for some of the names.

    Raises:
        ValueError: with the parameter's name, what it is, and what it should be.
    """
    known = names.split()
    unknown = _set_by_papermill(namespace.get("In", [])) - set(known)
    if unknown:
        raise ValueError(
            f"this chapter has no parameter {', '.join(sorted(unknown))}; there are "
            f"{', '.join(known)}"
        )
    for name in known:
        value = namespace[name]
        entries = value if isinstance(value, list | tuple) and value else [value]
        for entry in entries:
            problem = _problem(name, entry, ranges.get(name))
            if problem:
                raise ValueError(f"parameter {name} = {value!r}: {problem}")


def _problem(name: str, value: Any, limits: Range | None) -> str | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    lowest = _AT_LEAST.get(name, 1 if name.startswith("num_") else None)
    if lowest is not None and not (number and isinstance(value, int) and value >= lowest):
        return f"expected a whole number, {lowest} or more"
    if not number or not math.isfinite(value):
        return "expected a finite number"
    if name in ("lr", "learning_rates") and value <= 0:
        return "expected a number above 0"
    if limits and not limits[0] <= value <= limits[1]:
        return f"expected a number from {limits[0]:g} to {limits[1]:g}"
    return None


def _set_by_papermill(cells: Iterable[str]) -> set[str]:
    """Return the names that papermill's cell, if there is one, gives values to."""
    injected = "".join(cell for cell in cells if cell.startswith(INJECTED))
    names = (node for node in ast.walk(ast.parse(injected)) if isinstance(node, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Store)}
