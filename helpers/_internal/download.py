"""Downloads of Fashion-MNIST (section 4.2): from torchvision's mirror, or as Debian's package.

What arrives lies beside its place until it is checked. A download that fails, or is killed, leaves
nothing that could be taken for the data, and the next one clears away what is left of it.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

from filelock import FileLock, Timeout

from helpers._internal.checksums import DataError
from helpers._internal.notices import say_once

# Downloads into a folder until a deadline, and returns where in it the files are.
Download = Callable[[Path, float], Path]
Read = Callable[[Path], dict[str, bytes]]
TIME_LIMIT = 300  # seconds for a source, waiting for another process included
SILENCE_LIMIT = 20  # seconds without a byte from the server
DEBIAN_PACKAGE = "dataset-fashion-mnist"
SYSTEM_FOLDER = Path("/usr/share/datasets/fashion-mnist")


def raw_folder(root: Path) -> Path:
    """Return the folder that torchvision's FashionMNIST uses under `root`."""
    return root / "FashionMNIST" / "raw"


def fetch(root: Path, download: Download, read: Read) -> Path:
    """Download, check with `read`, put the files into their folder under `root`, and return it.

    Of several processes one does so and the others wait for it.
    """
    deadline = time.monotonic() + TIME_LIMIT
    raw = raw_folder(root.absolute())  # the programs that download run in folders of their own
    raw.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(raw.parent / "download.lock").acquire(timeout=TIME_LIMIT)
    except Timeout:
        raise DataError(f"another process was still downloading after {TIME_LIMIT} s") from None
    with lock:
        for left in raw.parent.glob("download-*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        try:
            read(raw)  # another process may have been quicker
        except DataError:
            say_once("Fashion-MNIST: downloading 30 MB, once")
            temporary = tempfile.TemporaryDirectory(
                prefix="download-", dir=raw.parent, ignore_cleanup_errors=True
            )
            with temporary as folder:
                files = read(download(Path(folder), deadline))
            for name, content in files.items():
                _put(raw / name, content)
    return raw


def _put(path: Path, content: bytes) -> None:
    """Write the file whole, or not at all."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def mirror_download(folder: Path, deadline: float) -> Path:
    """Download the files from the address that torchvision knows."""
    from torchvision.datasets import FashionMNIST

    for name, _ in FashionMNIST.resources:
        try:
            _download_file(FashionMNIST.mirrors[0] + name, folder / name, deadline)
        except (OSError, HTTPException) as error:
            raise DataError(f"{name}: {error}") from error
    return folder


def _download_file(url: str, path: Path, deadline: float) -> None:
    # torchvision's own download has no limit of time: a server that sends a byte a second would
    # keep a learner waiting for ever.
    response = urllib.request.urlopen(url, timeout=SILENCE_LIMIT)  # noqa: S310, torchvision's url
    with response, path.open("wb") as file:
        while chunk := response.read1():
            file.write(chunk)
            if time.monotonic() > deadline:
                raise DataError(f"took longer than {TIME_LIMIT} s")


def apt_download(folder: Path, deadline: float) -> Path:
    """Fetch Debian's package of the data and unpack it, which needs no root."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise DataError("there is no apt-get here")
    get = ["apt-get", "-o", "APT::Sandbox::User=", "-o", "Acquire::http::Timeout=20"]
    try:
        _run([*get, "download", DEBIAN_PACKAGE], folder, deadline)
    except DataError:  # the package lists may be missing or old: fetch some of our own
        for part in ("lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True)
        get += ["-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}/cache"]
        _run([*get, "-o", "Debug::NoLocking=1", "update"], folder, deadline)
        _run([*get, "download", DEBIAN_PACKAGE], folder, deadline)
    package = next(folder.glob("*.deb"), None)
    if package is None:
        raise DataError(f"apt-get brought no package {DEBIAN_PACKAGE}")
    _run(["dpkg-deb", "-x", str(package), str(folder)], folder, deadline)
    return folder / SYSTEM_FOLDER.relative_to("/")


def _run(command: list[str], folder: Path, deadline: float) -> None:
    """Run `command` in `folder`; if it fails or the deadline passes, raise DataError with why.

    apt-get starts programs that would outlive it, so what is ended is the whole process group.
    """
    with (
        tempfile.TemporaryFile() as output,  # those programs may hold a pipe open for longer
        subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise DataError(f"took longer than {TIME_LIMIT} s") from None
        finally:
            if process.returncode is None:  # too slow, or interrupted
                os.killpg(process.pid, signal.SIGKILL)
        if process.returncode != 0:
            output.seek(0)
            lines = output.read().decode(errors="replace").strip().splitlines()
            raise DataError((lines or ["no message"])[-1][:200])
