"""Files from the web, and archives: for the code of section 5.7 of the book."""

import hashlib
import shutil
import tarfile
import urllib.request
import zipfile
from pathlib import Path

DATA_URL = "http://d2l-data.s3-accelerate.amazonaws.com/"
SILENCE_LIMIT = 20  # seconds without a byte from the server


def download(url: str, folder: str | Path = "../data", sha1_hash: str | None = None) -> str:
    """Download a file into `folder`, unless it is there already, and return its path.

    Args:
        url: address of the file, http or https.
        folder: made if it does not exist; `~` is the home directory.
        sha1_hash: what the file's SHA-1 must be.

    Raises:
        ValueError: for another kind of address, or a file with another SHA-1; that is not kept.
        OSError: when the download fails.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"got {url!r}, expected an address that starts with http:// or https://")
    path = Path(folder).expanduser() / url.rsplit("/", 1)[-1]
    if path.is_file() and sha1_hash in (None, sha1_of(path)):
        return str(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    print(f"Downloading {path} from {url}...")
    part = path.with_name(f"{path.name}.part")
    try:
        response = urllib.request.urlopen(url, timeout=SILENCE_LIMIT)  # noqa: S310, checked above
        with response, part.open("wb") as file:
            shutil.copyfileobj(response, file)
        if sha1_hash not in (None, sha1_of(part)):
            raise ValueError(f"{url} has the SHA-1 {sha1_of(part)}, expected {sha1_hash}")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return str(path)


def sha1_of(path: Path) -> str:
    """Return the SHA-1 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()


def extract(filename: str | Path, folder: str | Path | None = None) -> None:
    """Unpack a .zip or .tar archive into `folder`, by default the one that it lies in."""
    path = Path(filename).expanduser()
    target = Path(folder).expanduser() if folder else path.parent
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(target)  # noqa: S202, it leaves out what would lie elsewhere
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            archive.extractall(target, filter="data")
    else:
        raise ValueError(f"{path} is neither a zip file nor a tar file")
