"""Where the Fashion-MNIST files come from (section 4.2).

They are looked for in the data folder, then in the system's package of them, then downloaded by
torchvision, then fetched with apt-get, and last taken from the small sample in the repository. The
content of a file, uncompressed, must have the right SHA-256, wherever it comes from.
"""

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import torch

from helpers.downloads import (
    SYSTEM_FOLDER,
    Download,
    apt_download,
    fetch,
    raw_folder,
    torchvision_download,
)
from helpers.idx import DataError
from helpers.oop import say_once

# Uncompressed size in bytes and SHA-256.
Checksums = dict[str, tuple[int, str]]
Source = tuple[str, Callable[[Path], Path]]
FULL: Checksums = {
    "train-images-idx3-ubyte": (
        47_040_016,
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    "train-labels-idx1-ubyte": (
        60_008,
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    "t10k-images-idx3-ubyte": (
        7_840_016,
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    "t10k-labels-idx1-ubyte": (
        10_008,
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
}
SAMPLE: Checksums = {
    "train-images-idx3-ubyte": (
        3_920_016,
        "444ed5f7ce17397f236f5eba17dd507d3f6912f04edd3e4f1701cdf82f2cc0c5",
    ),
    "train-labels-idx1-ubyte": (
        5_008,
        "35d691216f65485d010cc635af5574a9dc04aa5060de9be64ab6e5cb5ead38e9",
    ),
    "t10k-images-idx3-ubyte": (
        784_016,
        "7cee33c3c6414b1b86c25e665a6c4f41584269de3b7cc9768b1d351922845eef",
    ),
    "t10k-labels-idx1-ubyte": (
        1_008,
        "3128d790775889812b73c4f13923559c8b9e281d112c6ea7862acf60a206a909",
    ),
}
CHECKOUT_DATA = Path(__file__).parents[1] / "data"
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


def read_folder(folder: Path, checksums: Checksums) -> dict[str, bytes]:
    """Return the content of the files in `folder` by name, uncompressed and checked."""
    return {name: _read_checked(folder / name, *checksums[name]) for name in checksums}


def _read_checked(path: Path, size: int, sha256: str) -> bytes:
    """Return the content of `path`, or of its gzip beside it, if it is what it should be."""
    packed = path.with_name(f"{path.name}.gz")
    try:
        if not path.is_file() and not packed.is_file():
            raise DataError(f"no file {path.name} or {packed.name}")
        # One byte more than expected is enough to see that a file is too long.
        with path.open("rb") if path.is_file() else gzip.open(packed) as file:
            content = file.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path.name} cannot be read: {error}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataError(f"{path.name} is not Fashion-MNIST's: wrong length or checksum")
    return content


def local_sources() -> list[Source]:
    """Return name and finder of the sources on this machine, in the order they are tried."""
    return [("data folder", raw_folder), ("system package", lambda root: SYSTEM_FOLDER)]


def all_sources() -> list[Source]:
    """Return name and finder of each source of the full set, in the order they are tried."""
    if os.environ.get("HELPERS_OFFLINE") == "1":
        return local_sources()
    return [
        *local_sources(),
        ("torchvision", lambda root: _fetch(root, torchvision_download)),
        ("apt-get", lambda root: _fetch(root, apt_download)),
    ]


def _fetch(root: Path, download: Download) -> Path:
    return fetch(root, download, lambda folder: read_folder(folder, FULL))
