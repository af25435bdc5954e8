"""Processes that want the data at once, wait for each other, or are killed."""

import multiprocessing
import random
import shutil
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from helpers._internal import download, sources
from helpers._internal.checksums import SAMPLE, DataError
from helpers._internal.download import raw_folder

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning"),
    pytest.mark.skipif(
        sys.platform == "win32", reason="a child must inherit what the tests play, by fork"
    ),
]
FORK = multiprocessing.get_context("fork" if sys.platform != "win32" else "spawn")
LONG = 120  # seconds; no test takes it


def write_slowly(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        for start in range(0, len(content), 1 + len(content) // 8):
            file.write(content[start : start + 1 + len(content) // 8])
            file.flush()
            time.sleep(0.005)


@pytest.fixture
def log(data_root, copy_sample, monkeypatch, tmp_path):
    """Play a slow download on a slow disk; return the file with a line for each download."""
    log = tmp_path / "log"
    log.touch()

    def download(folder, deadline):
        with log.open("a") as file:
            file.write("download\n")
        for path in copy_sample(tmp_path / "mirror").iterdir():
            (folder / "fetched").mkdir(exist_ok=True)
            time.sleep(0.05)
            write_slowly(folder / "fetched" / path.name, path.read_bytes())
        return folder / "fetched"

    monkeypatch.setattr(sources, "mirror_download", download)
    monkeypatch.setattr(Path, "write_bytes", write_slowly)
    return log


def is_tidy(root: Path) -> bool:
    left = [p.name for p in (root / "FashionMNIST").rglob("*")]
    return sorted(left) == sorted(["download.lock", "raw", *SAMPLE])


def load_at_once(root: Path, count: int, right: dict[str, bytes]) -> list[str]:
    """Load in so many processes; return the sources, once all have had the right data."""
    barrier, used = FORK.Barrier(count), FORK.SimpleQueue()

    def load():
        barrier.wait(LONG)
        files, source = sources.load_files(root)
        assert files == right
        used.put(source)

    processes = [FORK.Process(target=load) for _ in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(LONG)
        process.kill()
    assert [process.exitcode for process in processes] == [0] * count
    return [used.get() for _ in processes]


@pytest.mark.parametrize("count", [2, 8])
def test_of_several_processes_one_downloads(data_root, log, count, sample_files):
    assert "sample" not in load_at_once(data_root, count, sample_files)
    assert log.read_text() == "download\n"
    assert is_tidy(data_root)


def test_when_the_first_fails_the_next_one_downloads(data_root, log, monkeypatch, sample_files):
    download = sources.mirror_download

    def fail_once(folder, deadline):
        if not log.read_text():
            log.write_text("failed\n")
            raise DataError("no such host")
        return download(folder, deadline)

    monkeypatch.setattr(sources, "mirror_download", fail_once)
    assert load_at_once(data_root, 4, sample_files).count("sample") <= 1
    assert log.read_text() == "failed\ndownload\n"
    assert is_tidy(data_root)


def test_a_lock_is_waited_for_until_the_limit_and_a_dead_ones_not_at_all(
    data_root, log, monkeypatch, sample_files
):
    locked = FORK.Event()
    raw_folder(data_root).mkdir(parents=True)

    def hold():
        (data_root / "FashionMNIST" / "download-left").mkdir()
        with FileLock(data_root / "FashionMNIST" / "download.lock"):
            locked.set()
            time.sleep(LONG)

    holder = FORK.Process(target=hold)
    holder.start()
    assert locked.wait(LONG)
    monkeypatch.setattr(download, "TIME_LIMIT", 0.5)
    assert sources.load_files(data_root)[1] == "sample"
    assert not log.read_text()
    with pytest.raises(DataError, match=r"still downloading after 0\.5 s"):
        download.fetch(data_root, sources.mirror_download, lambda folder: {})

    holder.kill()
    holder.join(LONG)
    monkeypatch.setattr(download, "TIME_LIMIT", LONG)
    assert sources.load_files(data_root) == (sample_files, "torchvision's mirror")
    assert is_tidy(data_root)


def test_what_a_killed_process_was_downloading_is_cleared_away(data_root, log, sample_files):
    process = FORK.Process(target=sources.load_files, args=(data_root,))
    process.start()
    deadline = time.monotonic() + LONG
    while not (left := list(data_root.glob("FashionMNIST/download-*/fetched/*"))):
        assert time.monotonic() < deadline
    process.kill()
    process.join(LONG)
    assert left[0].exists()
    assert sources.load_files(data_root) == (sample_files, "torchvision's mirror")
    assert is_tidy(data_root)


def test_killed_at_any_moment_the_next_run_has_the_right_data(data_root, log, sample_files):
    start = time.monotonic()
    assert sources.load_files(data_root)[1] == "torchvision's mirror"
    duration = time.monotonic() - start
    seed = random.randrange(10**6)
    moments = random.Random(seed)
    for _ in range(5):
        shutil.rmtree(data_root)
        moment = moments.uniform(0, duration)
        print(f"seed {seed}: killed after {moment:.3f} of {duration:.3f} s")
        process = FORK.Process(target=sources.load_files, args=(data_root,))
        process.start()
        time.sleep(moment)
        process.kill()
        process.join(LONG)
        for path in raw_folder(data_root).glob("*-ubyte"):
            assert path.read_bytes() == sample_files[path.name]
        files, source = sources.load_files(data_root)
        assert files == sample_files
        assert source in ("data folder", "torchvision's mirror")
        assert is_tidy(data_root)
