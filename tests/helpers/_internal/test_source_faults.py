"""Each source of the data, spoilt in every way that a file is spoilt in practice."""

import contextlib
import gzip
import hashlib
import os
import struct
import tempfile
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers._internal import sources
from helpers._internal.checksums import DataError
from helpers._internal.download import raw_folder

RIGHT = sources.read_folder(sources.SAMPLE_FOLDER, sources.SAMPLE)
NAME = "t10k-images-idx3-ubyte"
SOURCES = ["data folder", "system package", "torchvision's mirror", "apt-get", "sample"]
DOWNLOADS = {"torchvision's mirror": "mirror_download", "apt-get": "apt_download"}
NOBODY = 65534
needs_posix = pytest.mark.skipif(os.name != "posix", reason="asks for users, limits and pipes")


def packed(start: int, values: bytes) -> bytes:
    return gzip.compress(RIGHT[NAME][:start] + values + RIGHT[NAME][start + len(values) :], 1)


def replace(path: Path, make) -> None:
    path.unlink()
    make(path)


# Of each file what it becomes; None: it goes.
CONTENTS = {
    "absent": None,
    "empty": b"",
    "cut short": gzip.compress(RIGHT[NAME], 1)[:-100],
    "one byte changed": packed(1000, bytes([RIGHT[NAME][1000] ^ 1])),
    "one byte of the gzip changed": gzip.compress(RIGHT[NAME], 0)[:-20] + bytes(20),
    "one value too many": gzip.compress(RIGHT[NAME] + b"x", 1),
    "expands without end": gzip.compress(bytes(10_000_000)) * 100,
    "a web page": b"<html>moved</html>",
    "other images, as MNIST's are": packed(16, RIGHT[NAME][16:][::-1]),
    "a header that claims more": packed(4, struct.pack(">I", 60_000)),
    "a wrong start": packed(0, b"\x89PNG"),
}
FAULTS = {
    fault: Path.unlink if content is None else lambda path, c=content: path.write_bytes(c)
    for fault, content in CONTENTS.items()
} | {
    "a folder in its place": lambda path: replace(path, Path.mkdir),
    "a pipe in its place": pytest.param(lambda path: replace(path, os.mkfifo), marks=needs_posix),
}


@pytest.fixture
def provide(data_root, copy_sample, monkeypatch, tmp_path):
    """Return a function that lets a source have the data, spoilt if it is told how."""
    monkeypatch.setattr(sources, "SAMPLE_FOLDER", tmp_path / "sample")
    folders = {"data folder": raw_folder(data_root), "system package": sources.SYSTEM_FOLDER}
    folders["sample"] = sources.SAMPLE_FOLDER

    def provide(source, spoil=None):
        def put(folder, deadline=None):
            copy_sample(folder)
            if spoil:
                spoil(folder / f"{NAME}.gz")
            return folder

        if source in folders:
            put(folders[source])
        else:
            monkeypatch.setattr(sources, DOWNLOADS[source], put)

    return provide


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("spoil", FAULTS.values(), ids=FAULTS)
def test_a_spoilt_source_is_passed_over(data_root, provide, source, spoil):
    provide(source, spoil)
    if source == "sample":
        with pytest.raises(DataError, match=f"- sample: .*{NAME}"):
            sources.load_files(data_root)
        return
    following = SOURCES[SOURCES.index(source) + 1]
    provide(following)
    files, used = sources.load_files(data_root)
    assert used == following
    assert files == RIGHT


def test_a_spoilt_file_is_replaced_by_a_download(data_root, provide):
    provide("data folder", FAULTS["cut short"])
    provide("torchvision's mirror")
    assert sources.load_files(data_root) == (RIGHT, "torchvision's mirror")
    assert sources.load_files(data_root) == (RIGHT, "data folder")


def test_a_file_that_expands_without_end_takes_little_memory_and_time(provide):
    ten_gigabytes = gzip.compress(bytes(10_000_000)) * 1000
    provide("sample", lambda path: path.write_bytes(ten_gigabytes))
    start = time.perf_counter()
    tracemalloc.start()
    with pytest.raises(DataError, match="wrong length"):
        sources.read_folder(sources.SAMPLE_FOLDER, {NAME: sources.SAMPLE[NAME]})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * len(RIGHT[NAME])
    assert time.perf_counter() - start < 10


CONTENT = bytes(range(256)) * 2
GZIP = gzip.compress(CONTENT)
CHANGES = st.tuples(st.integers(0, len(GZIP)), st.integers(0, 4), st.binary(max_size=4))


@settings(max_examples=1000, deadline=None, database=None)
@given(st.lists(CHANGES, min_size=1, max_size=3))
def test_a_mutated_gzip_gives_the_content_or_our_error(tmp_path_factory, changes):
    mutated = bytearray(GZIP)
    for first, length, others in changes:
        mutated[first : first + length] = others
    folder = tmp_path_factory.getbasetemp()
    (folder / "x.gz").write_bytes(mutated)
    checksums = {"x": (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())}
    with contextlib.suppress(DataError):
        assert sources.read_folder(folder, checksums) == {"x": CONTENT}


@contextlib.contextmanager
def a_plain_user():
    """Be one whom permissions bind: root, as whom CI runs, reads and writes anything."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.fixture
def in_the_open(monkeypatch):
    """Put the test's folders where a plain user gets to: pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        monkeypatch.setattr(sources, "SYSTEM_FOLDER", Path(folder) / "system")
        monkeypatch.setattr(sources, "SAMPLE_FOLDER", Path(folder) / "sample")
        yield Path(folder)
        for path in Path(folder).rglob("*"):
            path.chmod(0o755)


@needs_posix
def test_a_file_that_may_not_be_read_is_passed_over(data_root, copy_sample, in_the_open):
    raw = copy_sample(raw_folder(in_the_open))
    copy_sample(sources.SYSTEM_FOLDER)
    for closed in (raw / f"{NAME}.gz", raw):
        closed.chmod(0)
        with a_plain_user():
            with pytest.raises(DataError, match="Permission denied"):
                sources.read_folder(raw, sources.FULL)
            assert sources.load_files(in_the_open) == (RIGHT, "system package")
        closed.chmod(0o755)


@needs_posix
def test_a_folder_that_may_not_be_written(data_root, copy_sample, in_the_open, monkeypatch, capsys):
    copy_sample(sources.SAMPLE_FOLDER)
    root = in_the_open / "data"
    root.mkdir()
    root.chmod(0o555)
    monkeypatch.setattr(sources, "CHECKOUT_DATA", root)
    with a_plain_user():
        assert sources.default_root().name == "datasets"
        assert sources.load_files(root)[1] == "sample"
    assert list(root.iterdir()) == []


@needs_posix
def test_a_full_disk_leaves_nothing_behind(data_root, provide):
    """Play it by a limit on the size of a file, between the gzip's, 2.2 MB, and the content's."""
    import resource

    provide("torchvision's mirror")
    provide("sample")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, hard))
    try:
        assert sources.load_files(data_root)[1] == "sample"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    left = [path.name for path in (data_root / "FashionMNIST").rglob("*")]
    assert sorted(left) == ["download.lock", "raw"]
    assert sources.load_files(data_root) == (RIGHT, "torchvision's mirror")
