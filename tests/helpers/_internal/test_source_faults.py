"""Each source of the data, spoilt in every way that a file is spoilt in practice."""

import contextlib
import gzip
import hashlib
import os
import struct
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers._internal import sources
from helpers._internal.checksums import SAMPLE, DataError, read_folder
from helpers._internal.download import raw_folder

NAME = "t10k-images-idx3-ubyte"
SOURCES = ["data folder", "system package", "torchvision's mirror", "apt-get", "sample"]
DOWNLOADS = {"torchvision's mirror": "mirror_download", "apt-get": "apt_download"}
NOBODY = 65534
needs_posix = pytest.mark.skipif(os.name != "posix", reason="asks for users, limits and pipes")


def packed(content: bytes) -> bytes:
    return gzip.compress(content, 1)


def overwritten(content: bytes, start: int, values: bytes) -> bytes:
    return packed(content[:start] + values + content[start + len(values) :])


# What becomes of a file, given its right content; None: it goes.
CONTENTS = {
    "absent": lambda right: None,
    "empty": lambda right: b"",
    "cut short": lambda right: packed(right)[:-100],
    "one byte changed": lambda right: overwritten(right, 1000, bytes([right[1000] ^ 1])),
    "one byte of the gzip changed": lambda right: gzip.compress(right, 0)[:-20] + bytes(20),
    "one value too many": lambda right: packed(right + b"x"),
    "expands without end": lambda right: gzip.compress(bytes(10_000_000)) * 100,
    "a web page": lambda right: b"<html>moved</html>",
    "other images, as MNIST's are": lambda right: overwritten(right, 16, right[16:][::-1]),
    "a header that claims more": lambda right: overwritten(right, 4, struct.pack(">I", 60_000)),
    "a wrong start": lambda right: overwritten(right, 0, b"\x89PNG"),
}
IN_ITS_PLACE = {"a folder": Path.mkdir, "a pipe": getattr(os, "mkfifo", None)}


def spoil(path: Path, fault: str) -> None:
    """Spoil the gzip at `path`."""
    right = gzip.decompress(path.read_bytes())
    path.unlink()
    if fault in IN_ITS_PLACE:
        IN_ITS_PLACE[fault](path)
    elif (content := CONTENTS[fault](right)) is not None:
        path.write_bytes(content)


FAULTS = [*CONTENTS, "a folder", pytest.param("a pipe", marks=needs_posix)]


@pytest.fixture
def provide(data_root, copy_sample, monkeypatch, tmp_path):
    """Return a function that lets a source have the data, spoilt if it is told how."""
    monkeypatch.setattr(sources, "SAMPLE_FOLDER", tmp_path / "sample")
    folders = {"data folder": raw_folder(data_root), "system package": sources.SYSTEM_FOLDER}
    folders["sample"] = sources.SAMPLE_FOLDER

    def provide(source, fault=None):
        def put(folder, deadline=None):
            copy_sample(folder)
            if fault:
                spoil(folder / f"{NAME}.gz", fault)
            return folder

        if source in folders:
            put(folders[source])
        else:
            monkeypatch.setattr(sources, DOWNLOADS[source], put)

    return provide


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_spoilt_source_is_passed_over(data_root, provide, sample_files, source, fault):
    provide(source, fault)
    if source == "sample":
        with pytest.raises(DataError, match=f"- sample: .*{NAME}"):
            sources.load_files(data_root)
        return
    following = SOURCES[SOURCES.index(source) + 1]
    provide(following)
    files, used = sources.load_files(data_root)
    assert used == following
    assert files == sample_files


def test_a_spoilt_file_is_replaced_by_a_download(data_root, provide, sample_files):
    provide("data folder", "cut short")
    provide("torchvision's mirror")
    assert sources.load_files(data_root) == (sample_files, "torchvision's mirror")
    assert sources.load_files(data_root) == (sample_files, "data folder")


def test_a_file_that_expands_without_end_is_not_expanded(tmp_path):
    """To 10 GB, which nobody would wait for."""
    (tmp_path / f"{NAME}.gz").write_bytes(gzip.compress(bytes(10_000_000)) * 1000)
    size, sha256 = SAMPLE[NAME]
    tracemalloc.start()
    with pytest.raises(DataError, match="wrong length"):
        read_folder(tmp_path, {NAME: (size, sha256)})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * size


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
        assert read_folder(folder, checksums) == {"x": CONTENT}


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
def test_a_file_that_may_not_be_read_is_passed_over(
    data_root, copy_sample, in_the_open, sample_files
):
    raw = copy_sample(raw_folder(in_the_open))
    copy_sample(sources.SYSTEM_FOLDER)
    for closed in (raw / f"{NAME}.gz", raw):
        closed.chmod(0)
        with a_plain_user():
            with pytest.raises(DataError, match="Permission denied"):
                read_folder(raw, SAMPLE)
            assert sources.load_files(in_the_open) == (sample_files, "system package")
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
def test_a_full_disk_leaves_nothing_behind(data_root, provide, sample_files):
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
    assert sources.load_files(data_root) == (sample_files, "torchvision's mirror")
