"""Calls an answer again, and compares what comes out where the student's code cannot reach.

A check runs in the kernel of the student, who can change it there. So our own solution is checked
once, apart, and each call of it whose arguments are plain data is recorded, together with the value
that the check expects. The student's kernel then gets the arguments alone, and gives back results,
as text that is read as data. The inputs that a check draws at random are drawn anew for this.
"""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import torch
from nbformat.v4 import new_code_cell

from helpers._internal.comparing import as_numbers, is_close
from helpers._internal.comparing import plain as plain_text
from tools.course import read, tags
from tools.grading.exercises import CHECK
from tools.run.done import checksum

MARK = "audit:"
CHAPTER = "chapter_checksum"  # in the metadata of a recording
MOST_CALLS, MOST_CHARACTERS = 6, 200_000
OTHERWISE = (
    "the check was passed, but called again its answer is another one: was the check changed?"
)

# What both kernels execute: plain data to JSON and back.
CODEC = """\
def _encode(value):
    import numpy, torch
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return {"tensor": value.tolist(), "dtype": str(value.dtype).partition(".")[2]}
    if isinstance(value, numpy.ndarray | numpy.generic):
        return {"array": value.tolist(), "dtype": value.dtype.name}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"  # a shape is a tuple as well
        return {kind: [_encode(entry) for entry in value]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(type(value).__name__)

def _decode(value):
    import numpy, torch
    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        return torch.tensor(value["tensor"], dtype=getattr(torch, value["dtype"]))
    if "array" in value:
        return numpy.array(value["array"], dtype=value["dtype"])
    ((kind, entries),) = value.items()
    return {"list": list, "tuple": tuple}[kind](map(_decode, entries))
"""

# Executed before our own chapter: notes the calls of an answer and what its result must equal.
RECORDER = """
import helpers.exercises as _exercises
_calls = []
def _noting_call(call=_exercises.Answer.__call__):
    def wrapped(self, *args, **kwargs):
        result = call(self, *args, **kwargs)
        if self.name.isidentifier():
            result.noted = (self.name, args, kwargs)
        return result
    return wrapped
def _noting_equals(equals=_exercises.Answer.equals):
    def wrapped(self, expected, mistakes=None, tolerance=1e-4):
        if hasattr(self, "noted"):
            try:
                name, args, kwargs = self.noted
                call = {"name": name, "args": [_encode(arg) for arg in args]}
                call["kwargs"] = {key: _encode(value) for key, value in kwargs.items()}
                _calls.append({**call, "expected": _encode(expected), "tolerance": tolerance})
            except TypeError:
                pass  # no plain data
        return equals(self, expected, mistakes, tolerance)
    return wrapped
def _noting_part(part=_exercises.Answer.part):
    def wrapped(self, name, value):
        result = part(self, name, value)
        if value is self.value and hasattr(self, "noted"):
            result.noted = self.noted  # the result itself, under another name
        return result
    return wrapped
_exercises.Answer.__call__ = _noting_call()
_exercises.Answer.part = _noting_part()
_exercises.Answer.equals = _noting_equals()
"""
BEFORE_CHECK = "import numpy, torch; torch.manual_seed({seed}); numpy.random.seed({seed})"
AFTER_CHECK = f"import json; print({MARK!r} + json.dumps(_calls)); _calls.clear()"

CALL_AGAIN = """
import json as _json
_results = []
for _call in _json.loads({calls!r}):
    try:
        _args = [_decode(_arg) for _arg in _call["args"]]
        _kwargs = {{_key: _decode(_value) for _key, _value in _call["kwargs"].items()}}
        _results.append(_encode(globals()[_call["name"]](*_args, **_kwargs)))
    except Exception as _error:
        _results.append({{"error": type(_error).__name__}})
print({mark!r} + _json.dumps(_results))
"""


@dataclass(frozen=True)
class Call:
    """A call of an answer, in JSON's terms, and the value that must come out."""

    call: dict[str, Any]
    expected: Any
    tolerance: float


def is_recording(path: Path, chapter: Path) -> bool:
    """Whether a recording of this state of a chapter was written to a file before."""
    return path.exists() and read(path).metadata.get(CHAPTER) == checksum(chapter)


def recording(chapter: Path) -> nbformat.NotebookNode:
    """Our chapter, with our solutions, such that it prints the calls of each check."""
    notebook = read(chapter)
    notebook.metadata[CHAPTER] = checksum(chapter)
    cells = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs = []
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if name.endswith(CHECK):
            seed = secrets.randbelow(2**31)
            cells.append(new_code_cell(BEFORE_CHECK.format(seed=seed)))
            cells.append(cell)
            printing = new_code_cell(AFTER_CHECK, metadata={"nbgrader": {"grade_id": name}})
            cell.metadata.pop("nbgrader")
            cells.append(printing)
        else:
            cells.append(cell)
        if "setup" in tags(cell):
            cells.append(new_code_cell(CODEC + RECORDER))
    notebook.cells = cells
    return notebook


def recorded(executed: nbformat.NotebookNode) -> dict[str, list[Call]]:
    """The calls that a recording has printed, by the id of the exercise."""
    found = {}
    for cell in executed.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if name.endswith(CHECK):
            text = "".join(output.get("text", "") for output in cell.outputs)
            calls = json.loads(text.partition(MARK)[2] or "[]")
            small = [call for call in calls if len(json.dumps(call)) <= MOST_CHARACTERS]
            found[name.removesuffix(CHECK)] = [
                Call(call, call.pop("expected"), call.pop("tolerance"))
                for call in small[-MOST_CALLS:]  # the hidden ones are the last
            ]
    return found


def code(calls: list[Call]) -> str:
    """The code that makes the calls again and prints the results; it knows no expected value."""
    if not calls:
        return "pass"
    return CODEC + CALL_AGAIN.format(calls=json.dumps([call.call for call in calls]), mark=MARK)


def disagreement(calls: list[Call], printed: str) -> str:
    """Compare printed results with what they must be; return what is wrong, or nothing."""
    if not calls:
        return ""
    try:
        results = json.loads(printed.rpartition(MARK)[2])
        agree = len(results) == len(calls) and all(
            agrees(result, call) for result, call in zip(results, calls, strict=True)
        )
    except (ValueError, TypeError, KeyError, OverflowError, RuntimeError):  # no such results
        return OTHERWISE
    return "" if agree else OTHERWISE


def agrees(result: Any, call: Call) -> bool:
    got, wanted = plain(result), plain(call.expected)
    if isinstance(got, str) or isinstance(wanted, str):
        return isinstance(got, type(wanted)) and plain_text(got) == plain_text(wanted)
    return is_close(as_numbers(got), as_numbers(wanted), call.tolerance)


def plain(value: Any) -> Any:
    """Numbers, texts and lists of them, out of what CODEC made."""
    if not isinstance(value, dict):
        return value
    for kind in ("tensor", "array"):
        if kind in value:
            return torch.tensor(value[kind], dtype=torch.float64)
    ((kind, entries),) = value.items()
    return [plain(entry) for entry in entries] if kind in ("list", "tuple") else None
