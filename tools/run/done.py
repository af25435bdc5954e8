"""What was executed to its end, so that a run that was stopped can go on from there.

papermill does not tell: it calls a cell complete in which the kernel was killed.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tools.course import ROOT
from tools.run import remote
from tools.run.files import neighbours
from tools.run.result import Result

if TYPE_CHECKING:
    from tools.run.batch import Run

BEFORE = "done before"  # the message of a result that is taken from an earlier run


def inputs(run: "Run", notebook: Path) -> str:
    """A fingerprint of what the outputs of a notebook depend on.

    That is the notebook, what lies beside it, its parameters, the sandbox, and the course.
    """
    flags = f"{run.own_folders} {run.sandbox} {run.isolated}"
    parts = [course(), flags, json.dumps(run.parameters_of(notebook)), *contents(run, notebook)]
    given = "\0".join(parts).encode(errors="surrogateescape")  # a name may be no text
    return hashlib.sha256(given).hexdigest()


def contents(run: "Run", notebook: Path) -> Iterator[str]:
    """The names and the checksums of a notebook and of the files beside it."""
    with suppress(OSError):  # the run will tell what cannot be read
        beside = neighbours(notebook, run.folder.parent) if run.own_folders else []
        for path in [notebook, *beside]:
            yield f"{path.relative_to(run.root)} {checksum(path)}"


@cache
def course() -> str:
    """A fingerprint of helpers, of which Fashion-MNIST there is, and of the versions."""
    files = sorted((ROOT / "helpers").rglob("*.py"))
    code = [f"{path.relative_to(ROOT)} {checksum(path)}" for path in files]
    is_full = (ROOT / "data" / "FashionMNIST").is_dir()
    return "\0".join([*code, str(is_full), json.dumps(remote.versions())])


def checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def record_of(output: Path) -> Path:
    return output.with_suffix(".done")


def remember(output: Path, result: Result, given: str) -> None:
    """Write down beside an executed notebook that it is complete, and what it was made from."""
    with suppress(OSError):  # such as a full disk: then it is executed again
        record = {"inputs": given, "output": checksum(output), "result": asdict(result)}
        record_of(output).write_text(json.dumps(record))


def forget(output: Path) -> None:
    record_of(output).unlink(missing_ok=True)


def recall(output: Path, given: str) -> Result | None:
    """The result of an earlier run, if its inputs were the same and its notebook is still there."""
    try:
        record = json.loads(record_of(output).read_text())
        if record["inputs"] == given and record["output"] == checksum(output):
            return replace(Result(**record["result"]), message=BEFORE)
    except (OSError, ValueError, KeyError, TypeError):  # none, or cut off, or changed
        pass
    return None
