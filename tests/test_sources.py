import gzip
import shutil
import subprocess
import sys

import pytest
import torch

import helpers
from helpers import sources
from helpers.idx import DataError, parse_idx
from helpers.oop import say_once
from tools.course import ROOT

NAMES = list(sources.FULL)


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Let the sample's files stand for the full set, so that a test can make and break copies."""
    monkeypatch.setattr(sources, "FULL", sources.SAMPLE)
    monkeypatch.setattr(sources, "SYSTEM_FOLDER", tmp_path / "system")
    monkeypatch.delenv("HELPERS_OFFLINE")
    for name in ("_torchvision_download", "_apt_download"):
        monkeypatch.setattr(sources, name, refuse)
    return tmp_path / "data"


def refuse(folder):
    raise DataError("no network here")


def copy_sample(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        shutil.copy(sources.SAMPLE_FOLDER / f"{name}.gz", folder)
    return folder


def test_the_data_folder_comes_first(small):
    copy_sample(small / "FashionMNIST" / "raw")
    copy_sample(sources.SYSTEM_FOLDER)
    files, source = sources.load_files(small)
    assert source == "data folder"
    assert parse_idx(files[NAMES[0]]).shape == (5000, 28, 28)


def test_uncompressed_files_are_read_as_well(small):
    raw = small / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in sources.read_folder(sources.SAMPLE_FOLDER, sources.SAMPLE).items():
        (raw / name).write_bytes(content)
    assert sources.load_files(small)[1] == "data folder"


def test_then_the_system_package(small):
    copy_sample(sources.SYSTEM_FOLDER)
    assert sources.load_files(small)[1] == "system package"
    assert not small.exists()


@pytest.mark.parametrize("working", ["torchvision", "apt-get"])
def test_then_a_download_which_is_kept(small, monkeypatch, working):
    function = {"torchvision": "_torchvision_download", "apt-get": "_apt_download"}[working]
    monkeypatch.setattr(sources, function, lambda folder: copy_sample(folder / "fetched"))
    assert sources.load_files(small)[1] == working
    raw = small / "FashionMNIST" / "raw"
    assert sorted(path.name for path in raw.iterdir()) == sorted(NAMES)
    assert sources.load_files(small)[1] == "data folder"
    assert [path.name for path in (small / "FashionMNIST").iterdir() if path.is_dir()] == ["raw"]


def test_offline_nothing_is_downloaded(small, monkeypatch):
    monkeypatch.setenv("HELPERS_OFFLINE", "1")
    monkeypatch.setattr(sources, "_fetch", lambda *_: pytest.fail("a download was started"))
    assert sources.load_files(small)[1] == "sample"


def test_the_sample_comes_last_and_says_so(small, capsys):
    say_once.cache_clear()
    assert sources.load_files(small)[1] == "sample"
    notice = capsys.readouterr().out
    assert "sample of 6,000 images" in notice
    assert "- torchvision: no network here" in notice
    assert "- data folder: no file train-images" in notice


def test_without_any_source_the_error_names_them_all(small, monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "SAMPLE_FOLDER", tmp_path / "nowhere")
    with pytest.raises(DataError) as error:
        sources.load_files(small)
    for word in ("data folder", "system package", "torchvision", "apt-get", "sample", "Go online"):
        assert word in str(error.value)


def spoil(path, how):
    if how == "cut short":
        path.write_bytes(path.read_bytes()[:-100])
    elif how == "one byte changed":
        content = bytearray(gzip.decompress(path.read_bytes()))
        content[1000] ^= 1
        path.write_bytes(gzip.compress(bytes(content)))
    elif how == "a web page":
        path.write_text("<html>moved</html>")
    elif how == "expands without end":
        path.write_bytes(gzip.compress(bytes(50_000_000)))
    elif how == "missing":
        path.unlink()


@pytest.mark.parametrize(
    "how", ["cut short", "one byte changed", "a web page", "expands without end", "missing"]
)
def test_a_spoilt_file_is_never_used(small, how):
    raw = copy_sample(small / "FashionMNIST" / "raw")
    spoil(raw / f"{NAMES[0]}.gz", how)
    with pytest.raises(DataError, match=NAMES[0]):
        sources.read_folder(raw, sources.FULL)
    copy_sample(sources.SYSTEM_FOLDER)
    assert sources.load_files(small)[1] == "system package"


def test_a_spoilt_file_is_replaced_by_a_download(small, monkeypatch):
    raw = copy_sample(small / "FashionMNIST" / "raw")
    spoil(raw / f"{NAMES[0]}.gz", "cut short")
    monkeypatch.setattr(sources, "_torchvision_download", lambda f: copy_sample(f / "fetched"))
    assert sources.load_files(small)[1] == "torchvision"
    assert sources.load_files(small)[1] == "data folder"


def test_a_download_that_takes_too_long_is_ended(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "TIME_LIMIT", 0.2)
    with pytest.raises(DataError, match=r"longer than 0\.2 s"):
        sources._run(["sleep", "30"], tmp_path)


def test_a_failing_command_is_quoted_with_its_last_line(tmp_path):
    with pytest.raises(DataError, match=r"^no such host$"):
        sources._run(["sh", "-c", "echo trying; echo no such host >&2; exit 1"], tmp_path)


def test_a_folder_that_cannot_be_written_is_not_the_default(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "CHECKOUT_DATA", tmp_path / "absent")
    assert sources.default_root().name == "datasets"
    (tmp_path / "absent").mkdir()
    assert sources.default_root() == tmp_path / "absent"


@pytest.mark.skipif(not shutil.which("apt-get"), reason="there is no apt-get on this system")
def test_apt_get_is_asked_without_root(monkeypatch, tmp_path):
    """Play apt-get: the first download finds no list, the one after an update succeeds."""
    calls = []

    def play(command, folder):
        calls.append(command)
        if "download" in command:
            if len(calls) == 1:
                raise DataError("Unable to locate package")
            (folder / "x.deb").touch()

    monkeypatch.setattr(sources, "_run", play)
    folder = sources._apt_download(tmp_path)
    assert folder == tmp_path / "usr/share/datasets/fashion-mnist"
    assert [c[-1] if c[0] == "apt-get" else c[0] for c in calls] == [
        "dataset-fashion-mnist",
        "update",
        "dataset-fashion-mnist",
        "dpkg-deb",
    ]


def full_set_is_here():
    try:
        sources.load_files(sources.default_root())
    except DataError:
        return False
    return helpers.FashionMNIST().source != "sample"


needs_full_set = pytest.mark.skipif(not full_set_is_here(), reason="the full set is not here")


@needs_full_set
def test_the_sample_is_part_of_the_full_set():
    full, _ = sources.load_files(sources.default_root())
    sample = sources.read_folder(sources.SAMPLE_FOLDER, sources.SAMPLE)
    for split, per_class in (("train", 500), ("t10k", 100)):
        X = parse_idx(full[f"{split}-images-idx3-ubyte"])
        y = parse_idx(full[f"{split}-labels-idx1-ubyte"])
        first = torch.cat([(y == c).nonzero()[:per_class, 0] for c in range(10)]).sort().values
        assert torch.equal(parse_idx(sample[f"{split}-images-idx3-ubyte"]), X[first])
        assert torch.equal(parse_idx(sample[f"{split}-labels-idx1-ubyte"]), y[first])


@needs_full_set
def test_the_command_says_where_the_data_is():
    command = [sys.executable, "-m", "tools.data"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "60,000 + 10,000 images (" in run.stdout
    assert run.stderr == ""
