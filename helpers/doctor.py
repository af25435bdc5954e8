"""Says what is installed, what is missing, and what to do about it (section 0.1)."""

import sys
from collections.abc import Iterator
from importlib import metadata

import torch
from packaging.requirements import Requirement

from helpers._internal.checksums import FULL, DataError, read_folder
from helpers._internal.sources import default_root, local_sources
from helpers.devices import num_gpus

DISTRIBUTION = "deep-learning-that-runs"
NEEDED_TO_RUN_ALL = ("jupyterlab", "papermill", "nbval")
OLDEST_PYTHON = (3, 11)

Line = tuple[str, str, str]  # "OK", "note" or "MISSING"; what it is about; the finding


def check_installation() -> bool:
    """Print a line for each thing the course needs; return whether nothing is missing."""
    lines = [_python(), *_packages(), *_tools(), _data(), _device()]
    for state, what, finding in lines:
        print(f"{state:<8}{what:<14} {finding}")
    return all(state != "MISSING" for state, _, _ in lines)


def _python() -> Line:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < OLDEST_PYTHON:
        return "MISSING", "Python", f"{version}: install Python 3.11 or newer"
    return "OK", "Python", version


def _packages() -> Iterator[Line]:
    """Hold the installed packages against what helpers itself asks for."""
    try:
        requirements = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        yield "note", "helpers", "not installed, only found beside the notebook: run `make setup`"
        return
    for text in requirements:
        requirement = Requirement(text)
        if requirement.marker is None:  # the others belong to an extra
            yield _package(requirement)


def _package(requirement: Requirement) -> Line:
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return "MISSING", requirement.name, "not installed: run `make setup`"
    if not requirement.specifier.contains(version, prereleases=True):
        wanted = f"the chapters need {requirement.specifier}: run `make setup`"
        return "MISSING", requirement.name, f"{version}, {wanted}"
    return "OK", requirement.name, version


def _tools() -> Iterator[Line]:
    for name in NEEDED_TO_RUN_ALL:
        try:
            yield "OK", name, metadata.version(name)
        except metadata.PackageNotFoundError:
            yield "note", name, "not installed: only needed to run or check the whole course"


def _data() -> Line:
    for source, find in local_sources():
        try:
            read_folder(find(default_root()), FULL)
            return "OK", "Fashion-MNIST", f"60,000 + 10,000 images ({source}, checksums hold)"
        except DataError:
            continue
    return "note", "Fashion-MNIST", "not here yet: a chapter that needs it downloads 30 MB"


def _device() -> Line:
    if num_gpus():
        return "OK", "device", f"CPU, and {num_gpus()} × {torch.cuda.get_device_name(0)}"
    if torch.backends.mps.is_available():
        return "OK", "device", "CPU, and Apple's MPS"
    return "OK", "device", "CPU, which is all that the chapters need"


if __name__ == "__main__":
    sys.exit(not check_installation())
