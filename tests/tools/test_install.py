"""What `make` says on a machine that lacks something."""

import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tools import install as setup
from tools.course import ROOT


def test_nothing_is_missing_here():
    assert setup.problem() is None


def test_an_old_python(monkeypatch):
    monkeypatch.setattr(setup.sys, "version_info", (3, 8, 1))
    assert setup.problem().startswith("Python 3.8 is too old, the course needs 3.11 or newer")


def test_no_venv_module(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "apt-get install python3-venv" in setup.problem()


def test_a_full_disk(monkeypatch):
    monkeypatch.setattr(setup.shutil, "disk_usage", lambda path: SimpleNamespace(free=5e8))
    assert setup.problem().startswith("Only 0.5 GB are free on this disk")


def test_a_failed_installation_is_not_taken_for_a_finished_one(monkeypatch, tmp_path):
    monkeypatch.setattr(setup, "install", lambda folder: 1)
    monkeypatch.setattr(sys, "argv", ["setup.py", str(tmp_path)])
    with pytest.raises(SystemExit, match="The installation failed"):
        setup.main()
    assert not (tmp_path / "ready").exists()


def test_a_finished_installation_is_noted(monkeypatch, tmp_path):
    monkeypatch.setattr(setup, "install", lambda folder: 0)
    monkeypatch.setattr(sys, "argv", ["setup.py", str(tmp_path)])
    setup.main()
    assert (tmp_path / "ready").exists()


needs_make = pytest.mark.skipif(not shutil.which("make"), reason="there is no make on this system")


def make(*arguments, folder=ROOT):
    return subprocess.run(
        ["make", "--no-print-directory", *arguments], cwd=folder, capture_output=True, text=True
    )


@needs_make
def test_no_python_at_all(tmp_path):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    run = make("setup", "PYTHON=no-such-python", folder=tmp_path)
    assert run.returncode != 0
    assert run.stdout.startswith("No no-such-python here: install Python 3.11 or newer")


@needs_make
def test_help_lists_the_targets():
    listed = [line.split()[0] for line in make("help").stdout.splitlines()]
    for target in ["help", "setup", "run", "test", "lint", "lab", "refresh", "bench", "clean"]:
        assert target in listed


@needs_make
def test_a_second_setup_installs_nothing():
    """Ask make what it would do, in a folder where the first one has ended."""
    if not (ROOT / ".venv" / "ready").exists():
        pytest.skip("this environment was not made by `make setup`")
    assert "pip" not in make("--dry-run", "setup").stdout


def test_the_users_settings_for_pip_do_not_send_packages_elsewhere(monkeypatch, tmp_path):
    """But where packages come from is kept."""
    called = []
    monkeypatch.setattr(setup.subprocess, "call", lambda *a, **k: (called.append((a, k)), 0)[1])
    for name, value in (("PIP_USER", "yes"), ("PIP_TARGET", "x"), ("PIP_INDEX_URL", "mirror")):
        monkeypatch.setenv(name, value)
    assert setup.install(str(tmp_path)) == 0
    env = called[-1][1]["env"]
    assert env["PIP_USER"] == "0"
    assert "PIP_TARGET" not in env
    assert env["PIP_INDEX_URL"] == "mirror"
