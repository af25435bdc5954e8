"""What the files of Fashion-MNIST must contain, and the only way to read them: checked."""

import gzip
import hashlib
import zlib
from pathlib import Path

# Uncompressed size in bytes and SHA-256, by the name of the file.
Checksums = dict[str, tuple[int, str]]
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


class DataError(Exception):
    """A data file is missing, or is not what it should be."""


def read_folder(folder: Path, checksums: Checksums) -> dict[str, bytes]:
    """Return the content of the files in `folder` by name, uncompressed and checked."""
    return {name: read_checked(folder / name, *checksums[name]) for name in checksums}


def read_checked(path: Path, size: int, sha256: str) -> bytes:
    """Return the content of `path`, or of its gzip beside it.

    Raises:
        DataError: when there is no such file, it cannot be read, or its content is another.
    """
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
