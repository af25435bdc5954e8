"""What answers to exercises are compared by, and how they are described."""

import re
from typing import Any

import numpy as np
import torch

MOST_SHOWN = 8  # numbers of a tensor in a message
SHORT = 40  # characters of a tuple that is shown as it is


def plain(text: str) -> str:
    """Return a text without what does not matter: case, and spaces around it."""
    return text.strip().casefold()


def as_numbers(value: Any) -> torch.Tensor | None:
    """Return numbers of any kind as a float64 tensor of their shape, or None for anything else."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().to(torch.float64)
    try:
        array = np.asarray(value)
        return torch.as_tensor(array.astype(np.float64))
    except (TypeError, ValueError, RuntimeError):
        if isinstance(value, list | tuple) and all(isinstance(v, torch.Tensor) for v in value):
            parts = [v.detach().cpu().to(torch.float64) for v in value]
            return torch.stack(parts) if len({p.shape for p in parts}) == 1 else None
        return None


def is_close(got: torch.Tensor | None, wanted: torch.Tensor | None, tolerance: float) -> bool:
    """Whether two tensors have the same shape, and values within the tolerance."""
    if got is None or wanted is None or got.shape != wanted.shape:
        return False
    finite = wanted[wanted.isfinite()].abs()
    largest = finite.max().item() if finite.numel() else 1.0
    return torch.allclose(got, wanted, rtol=0, atol=tolerance * max(largest, 1e-6), equal_nan=True)


def mentioned(thing: Any, text: str) -> bool:
    """Whether a text mentions a shape in any spelling, a number, or a word in either case."""
    if isinstance(thing, torch.Size | tuple | list):
        sizes = r"\D{1,3}".join(str(int(size)) for size in thing)
        return re.search(rf"(?<!\d){sizes}(?!\d)", text) is not None
    if isinstance(thing, int | float):
        return re.search(rf"(?<![\d.]){re.escape(str(thing))}(?![\d])", text) is not None
    return plain(str(thing)) in plain(text)


def names_in(code: Any) -> set[str]:
    """Return the names that the code of a function uses, and the functions within it."""
    if not hasattr(code, "co_names"):
        return set()
    return set(code.co_names).union(*(names_in(inner) for inner in code.co_consts))


def describe(value: Any) -> str:
    """Say in a few words what a value is."""
    if isinstance(value, torch.Tensor):
        return "a scalar tensor" if value.ndim == 0 else f"a tensor of {shape_of(value)}"
    if isinstance(value, np.ndarray):
        return "a NumPy array"
    if isinstance(value, bool | int | float | str | type(None)):
        return repr(value)
    if isinstance(value, tuple) and len(repr(value)) <= SHORT:
        return repr(tuple(value))
    if callable(value) and hasattr(value, "__name__"):
        return value.__name__
    return named(type(value))


def named(kind: type) -> str:
    """Return the name of a class with its article."""
    return f"{'an' if kind.__name__[0].lower() in 'aeiou' else 'a'} {kind.__name__}"


def shape_of(value: torch.Tensor) -> str:
    """Say what shape a tensor has."""
    return f"shape {tuple(value.shape)}" if value.ndim else "a scalar"


def numbers(value: torch.Tensor) -> str:
    """Show the first numbers of a tensor."""
    shown = ", ".join(f"{number:.4g}" for number in value.flatten()[:MOST_SHOWN].tolist())
    more = ", …" if value.numel() > MOST_SHOWN else ""
    return f"[{shown}{more}]" if value.ndim else shown
