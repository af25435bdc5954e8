"""Where the Fashion-MNIST files come from (section 4.2).

They are looked for in the data folder, then in the system's package of them, then downloaded from
torchvision's mirror, then fetched with apt-get, and last taken from the small sample in the
repository. Wherever a file comes from, its content is checked.
"""

import os
from collections.abc import Callable
from pathlib import Path

import torch

from helpers._internal.checksums import FULL, SAMPLE, DataError, read_folder
from helpers._internal.download import (
    SYSTEM_FOLDER,
    Download,
    apt_download,
    fetch,
    mirror_download,
    raw_folder,
)
from helpers._internal.notices import say_once

Source = tuple[str, Callable[[Path], Path]]
CHECKOUT_DATA = Path(__file__).parents[2] / "data"
SAMPLE_FOLDER = CHECKOUT_DATA / "fashion-mnist-sample"


def default_root() -> Path:
    """Return the course's data folder, or one in torch's cache if that cannot be written."""
    if (CHECKOUT_DATA / "FashionMNIST").is_dir() or os.access(CHECKOUT_DATA, os.W_OK):
        return CHECKOUT_DATA
    return Path(torch.hub.get_dir()).parent / "datasets"


def load_files(root: Path) -> tuple[dict[str, bytes], str]:
    """Return the content of the four files by name, and the source that they came from.

    Setting the environment variable HELPERS_OFFLINE=1 leaves the downloads out.

    Raises:
        DataError: when no source has them; it says what was wrong with each.
    """
    problems = []
    for source, find in all_sources():
        try:
            return read_folder(find(root), FULL), source
        except (DataError, OSError) as error:
            problems.append(f"{source}: {error}")
    tried = "\n".join(f"- {problem}" for problem in problems)
    try:
        files = read_folder(SAMPLE_FOLDER, SAMPLE)
    except DataError as error:
        raise DataError(
            f"Fashion-MNIST was not to be had:\n{tried}\n- sample: {error}\n"
            f"Go online, or put its four files into {raw_folder(root)}."
        ) from None
    say_once(
        "Fashion-MNIST: the full set was not to be had, so the sample of 6,000 images in data/ is "
        f"used; accuracies will be lower than the chapters say. What was tried:\n{tried}"
    )
    return files, "sample"


def local_sources() -> list[Source]:
    """Return name and finder of the sources on this machine, in the order they are tried."""
    return [("data folder", raw_folder), ("system package", lambda root: SYSTEM_FOLDER)]


def all_sources() -> list[Source]:
    """Return name and finder of each source of the full set, in the order they are tried."""
    if os.environ.get("HELPERS_OFFLINE") == "1":
        return local_sources()
    return [
        *local_sources(),
        ("torchvision's mirror", lambda root: _fetch(root, mirror_download)),
        ("apt-get", lambda root: _fetch(root, apt_download)),
    ]


def _fetch(root: Path, download: Download) -> Path:
    return fetch(root, download, lambda folder: read_folder(folder, FULL))
