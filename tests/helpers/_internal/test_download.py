"""Downloads: commands that are ended in time, and a server that misbehaves."""

import shutil
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
from torchvision.datasets import FashionMNIST

from helpers._internal import download, sources
from helpers._internal.checksums import DataError

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="asks for sh, groups and fork")
START_CHILD = "sleep 300 & echo $! >pid; "


def soon(seconds: float = 60) -> float:
    return time.monotonic() + seconds


def wait_for(condition) -> None:
    deadline = soon()
    while not condition():
        assert time.monotonic() < deadline, "waited for a minute"
        time.sleep(0.05)


def has_ended(pid: int) -> bool:
    """Say so too of a process that nobody has waited for, as in a container without an init."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@posix_only
def test_a_command_that_takes_too_long_is_ended_with_its_children(monkeypatch, tmp_path):
    monkeypatch.setattr(download, "TIME_LIMIT", 2)
    with pytest.raises(DataError, match="longer than 2 s"):
        download._run(["sh", "-c", START_CHILD + "wait"], tmp_path, soon(2))
    wait_for(lambda: has_ended(int((tmp_path / "pid").read_text())))


@posix_only
def test_an_interrupt_ends_the_command_as_well(monkeypatch, tmp_path):
    def interrupt(process, timeout):
        wait_for(lambda: (tmp_path / "pid").is_file() and (tmp_path / "pid").read_text())
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(download.subprocess.Popen, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        download._run(["sh", "-c", START_CHILD + "wait"], tmp_path, soon())
    wait_for(lambda: has_ended(int((tmp_path / "pid").read_text())))


@posix_only
def test_a_child_that_outlives_its_command_holds_nothing_up(tmp_path):
    download._run(["sh", "-c", START_CHILD], tmp_path, soon())  # the child sleeps for 5 minutes
    psutil.Process(int((tmp_path / "pid").read_text())).kill()


@posix_only
def test_a_failing_command_is_quoted_with_its_last_line(tmp_path):
    script = r"echo trying; printf 'no such host\377\n' >&2; exit 1"
    with pytest.raises(DataError, match=r"^no such host\ufffd$"):
        download._run(["sh", "-c", script], tmp_path, soon())


@pytest.fixture
def play_apt(monkeypatch, tmp_path):
    """Return a function that plays apt-get; from the given call on it brings the package."""

    def play(brings_at):
        calls = []

        def run(command, folder, deadline):
            calls.append(command[-1] if command[0] == "apt-get" else command[0])
            if "download" in command:
                if len(calls) == 1:
                    raise DataError("Unable to locate package")
                if len(calls) >= brings_at:
                    (folder / "x.deb").touch()

        monkeypatch.setattr(download.shutil, "which", lambda name: name)
        monkeypatch.setattr(download, "_run", run)
        return calls

    return play


def test_apt_get_is_asked_without_root(play_apt, tmp_path):
    calls = play_apt(brings_at=3)
    folder = download.apt_download(tmp_path, soon())
    assert folder == tmp_path / "usr/share/datasets/fashion-mnist"
    assert calls == ["dataset-fashion-mnist", "update", "dataset-fashion-mnist", "dpkg-deb"]


@posix_only
def test_a_relative_folder_is_the_same_for_the_programs_that_download(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def touch(folder, deadline):
        download._run(["touch", str(folder / "file")], folder, deadline)
        return folder

    def read(folder):
        if not (folder / "file").exists():
            raise DataError("no file")
        return {"file": b"content"}

    download.fetch(Path("data"), touch, read)
    assert (tmp_path / "data/FashionMNIST/raw/file").read_bytes() == b"content"


def test_apt_get_may_bring_nothing(play_apt, tmp_path):
    play_apt(brings_at=100)
    with pytest.raises(DataError, match="brought no package dataset-fashion-mnist"):
        download.apt_download(tmp_path, soon())


def test_there_may_be_no_apt_get(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(DataError, match="no apt-get here"):
        download.apt_download(tmp_path, soon())


class Mirror(BaseHTTPRequestHandler):
    """A server of the sample's files, in the way `how` that its server has been told."""

    def do_GET(self):
        self.server.requests.append(self.path)
        content = (sources.SAMPLE_FOLDER / self.path[1:]).read_bytes()
        if self.server.how == "nothing":
            self.send_error(404)
            return
        if self.server.how == "a web page":
            content = b"<html>moved</html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.server.how == "cut":
            content = content[: len(content) // 2]
        pieces = [content]
        if self.server.how == "one byte a second":
            pieces = [content[i : i + 1] for i in range(len(content))]
        for piece in pieces:
            self.wfile.write(piece)
            self.server.ending.wait(0 if len(pieces) == 1 else 1)

    def log_message(self, *args):
        pass


@pytest.fixture
def mirror(monkeypatch):
    """Start a server, and let torchvision know it as its mirror."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.handle_error = lambda *args: None  # a client that goes away
    server.requests, server.how, server.ending = [], "whole", threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setattr(FashionMNIST, "mirrors", [address])
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield server
    server.ending.set()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("how", "used", "limit"),
    [
        ("whole", "torchvision's mirror", 120),
        ("cut", "apt-get", 120),
        ("nothing", "apt-get", 120),
        ("a web page", "apt-get", 120),
        ("one byte a second", "apt-get", 3),
    ],
)
def test_a_server_that_misbehaves(
    mirror, data_root, copy_sample, monkeypatch, sample_files, how, used, limit
):
    mirror.how = how
    monkeypatch.setattr(download, "TIME_LIMIT", limit)
    monkeypatch.setattr(sources, "mirror_download", download.mirror_download)
    monkeypatch.setattr(sources, "apt_download", lambda folder, _: copy_sample(folder / "fetched"))
    files, source = sources.load_files(data_root)
    assert files == sample_files
    assert source == used
    assert mirror.requests
    assert sorted(p.name for p in (data_root / "FashionMNIST").iterdir()) == [
        "download.lock",
        "raw",
    ]
