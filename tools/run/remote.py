"""What a worker of a cluster does for a notebook; dask sends this module itself along.

So it imports nothing of the course. The tools, helpers and the small data come with each job as an
archive, which a worker unpacks once.
"""

import hashlib
import importlib
import importlib.metadata
import io
import os
import platform
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from filelock import FileLock

PACKAGES = (
    "torch",
    "torchvision",
    "matplotlib",
    "pandas",
    "numpy",
    "ipykernel",
    "papermill",
    "filelock",
)


def versions() -> dict[str, str]:
    """The versions of what the outputs of a chapter depend on; "" for what is missing."""
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = ""
    return found


def execute(archive: bytes, job: dict[str, Any]) -> dict[str, Any]:
    """Do a job; return its answer, or the worker and its problem, such as a full disk."""
    from distributed import get_worker

    try:
        return attempt(archive, job)
    except OSError as error:
        return {"worker": get_worker().address, "problem": f"{type(error).__name__}: {error}"}


def attempt(archive: bytes, job: dict[str, Any]) -> dict[str, Any]:
    """Do a job as tools.run.worker of the archive does it; without an archive, as the one here."""
    if not archive:
        return importlib.import_module("tools.run.worker").execute(job)
    name = f"course-{os.getuid()}-{hashlib.sha256(archive).hexdigest()[:16]}"
    folder = Path(tempfile.gettempdir(), name)
    with FileLock(f"{folder}.lock"):  # other threads, and other workers on this machine
        unpack(archive, folder)
        if sys.path[0] != str(folder):
            sys.path.insert(0, str(folder))
            os.environ["PYTHONPATH"] = str(folder)  # kernels import the helpers that came along
            for name in [name for name in sys.modules if name.partition(".")[0] == "tools"]:
                del sys.modules[name]  # those of another state of the course
        worker = importlib.import_module("tools.run.worker")
    return worker.execute(job)


def unpack(archive: bytes, folder: Path) -> None:
    """Unpack an archive to a folder of this user's, unless that is done."""
    if not folder.exists():
        new = Path(tempfile.mkdtemp(dir=folder.parent))
        with zipfile.ZipFile(io.BytesIO(archive)) as file:
            file.extractall(new)
        new.rename(folder)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
