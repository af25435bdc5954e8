import subprocess
import sys

import pytest
import torch

from helpers._internal import sources
from helpers._internal.checksums import FULL, DataError
from helpers._internal.download import raw_folder
from helpers._internal.idx import parse_idx
from helpers._internal.notices import say_once
from tools.course import ROOT

NAMES = list(FULL)


def test_the_data_folder_comes_first(data_root, copy_sample):
    copy_sample(raw_folder(data_root))
    copy_sample(sources.SYSTEM_FOLDER)
    files, source = sources.load_files(data_root)
    assert source == "data folder"
    assert parse_idx(files[NAMES[0]]).shape == (5000, 28, 28)


def test_uncompressed_files_are_read_as_well(data_root, sample_files):
    raw = raw_folder(data_root)
    raw.mkdir(parents=True)
    for name, content in sample_files.items():
        (raw / name).write_bytes(content)
    assert sources.load_files(data_root)[1] == "data folder"


def test_then_the_system_package(data_root, copy_sample):
    copy_sample(sources.SYSTEM_FOLDER)
    assert sources.load_files(data_root)[1] == "system package"
    assert not data_root.exists()


@pytest.mark.parametrize(
    ("working", "function"),
    [("torchvision's mirror", "mirror_download"), ("apt-get", "apt_download")],
)
def test_then_a_download_which_is_kept(data_root, copy_sample, monkeypatch, working, function):
    monkeypatch.setattr(sources, function, lambda folder, _: copy_sample(folder / "fetched"))
    assert sources.load_files(data_root)[1] == working
    raw = raw_folder(data_root)
    assert sorted(path.name for path in raw.iterdir()) == sorted(NAMES)
    assert sources.load_files(data_root)[1] == "data folder"
    assert [path.name for path in (data_root / "FashionMNIST").iterdir() if path.is_dir()] == [
        "raw"
    ]


def test_offline_nothing_is_downloaded(data_root, monkeypatch):
    monkeypatch.setenv("HELPERS_OFFLINE", "1")
    monkeypatch.setattr(sources, "fetch", lambda *_: pytest.fail("a download was started"))
    assert sources.load_files(data_root)[1] == "sample"


def test_the_sample_comes_last_and_says_so(data_root, capsys):
    say_once.cache_clear()
    assert sources.load_files(data_root)[1] == "sample"
    notice = capsys.readouterr().out
    assert "sample of 6,000 images" in notice
    assert "- torchvision's mirror: no network here" in notice
    assert "- data folder: no file train-images" in notice


def test_without_any_source_the_error_names_them_all(data_root, monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "SAMPLE_FOLDER", tmp_path / "nowhere")
    with pytest.raises(DataError) as error:
        sources.load_files(data_root)
    for word in (
        "data folder",
        "system package",
        "torchvision's mirror",
        "apt-get",
        "sample",
        "Go online",
    ):
        assert word in str(error.value)


def test_a_folder_that_cannot_be_written_is_not_the_default(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "CHECKOUT_DATA", tmp_path / "absent")
    assert sources.default_root().name == "datasets"
    (tmp_path / "absent").mkdir()
    assert sources.default_root() == tmp_path / "absent"


def test_the_sample_is_part_of_the_full_set(full_set, sample_files):
    for split, per_class in (("train", 500), ("t10k", 100)):
        X = parse_idx(full_set[f"{split}-images-idx3-ubyte"])
        y = parse_idx(full_set[f"{split}-labels-idx1-ubyte"])
        first = torch.cat([(y == c).nonzero()[:per_class, 0] for c in range(10)]).sort().values
        assert torch.equal(parse_idx(sample_files[f"{split}-images-idx3-ubyte"]), X[first])
        assert torch.equal(parse_idx(sample_files[f"{split}-labels-idx1-ubyte"]), y[first])


def test_the_command_says_where_the_data_is(full_set):
    command = [sys.executable, "-m", "tools.data"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "60,000 + 10,000 images (" in run.stdout
    assert run.stderr == ""
