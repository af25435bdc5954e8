import hashlib
import http.server
import tarfile
import threading
import zipfile
from functools import partial
from pathlib import Path

import pytest

import helpers


@pytest.fixture
def address(tmp_path, monkeypatch):
    """Serve a folder with a file, houses.csv, and return where."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "houses.csv").write_text("a,b")
    handler = partial(QuietHandler, directory=str(tmp_path / "web"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


RIGHT = hashlib.sha1(b"a,b").hexdigest()


@pytest.mark.parametrize("sha1_hash", [None, RIGHT])
def test_a_file_is_downloaded_once(address, tmp_path, capsys, sha1_hash):
    for _ in range(2):
        path = helpers.download(address + "houses.csv", tmp_path / "data", sha1_hash)
        assert Path(path).read_text() == "a,b"
    assert capsys.readouterr().out.count("Downloading") == 1


def test_a_file_with_another_checksum_is_downloaded_again_and_a_wrong_one_not_kept(
    address, tmp_path
):
    (tmp_path / "houses.csv").write_text("old")
    with pytest.raises(ValueError, match="expected 123"):
        helpers.download(address + "houses.csv", tmp_path, "123")
    assert [path.name for path in tmp_path.glob("houses*")] == ["houses.csv"]
    helpers.download(address + "houses.csv", tmp_path, RIGHT)
    assert (tmp_path / "houses.csv").read_text() == "a,b"


def test_what_is_not_there_or_no_address_is_refused(address, tmp_path):
    with pytest.raises(OSError, match="404"):
        helpers.download(address + "nothing.csv", tmp_path)
    with pytest.raises(ValueError, match="got 'kaggle_house_train', expected an address"):
        helpers.download("kaggle_house_train", tmp_path)
    assert not list(tmp_path.glob("nothing*"))


def test_archives_are_unpacked(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.txt", "from_zip.txt")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "a.txt", "from_tar.txt")
    helpers.extract(tmp_path / "a.zip")
    helpers.extract(tmp_path / "a.tar.gz", tmp_path / "there")
    assert (tmp_path / "from_zip.txt").read_text() == "hello"
    assert (tmp_path / "there" / "from_tar.txt").read_text() == "hello"
    with pytest.raises(ValueError, match="neither a zip file nor a tar file"):
        helpers.extract(tmp_path / "a.txt")
