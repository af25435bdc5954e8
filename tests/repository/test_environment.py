"""pyproject.toml, constraints.txt and environment.yml must ask for the same things."""

import platform
import subprocess
import sys
import tomllib
from importlib import metadata

import pytest
import yaml
from packaging.requirements import Requirement

import helpers
from helpers import doctor
from tools.course import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIREMENTS = [
    Requirement(text) for text in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]
]
PINS = {
    pin.name.lower().replace("_", "-"): pin
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line and not line.startswith("#")
    for pin in [Requirement(line)]
}
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda r: r.name)
def test_each_requirement_has_a_lower_bound_and_a_pin_that_fits(requirement):
    assert any(bound.operator == ">=" for bound in requirement.specifier)
    (pin,) = PINS[requirement.name.lower()].specifier
    assert pin.operator == "=="
    assert pin.version in requirement.specifier


def test_conda_installs_the_same():
    (pip,) = [part["pip"] for part in CONDA["dependencies"] if isinstance(part, dict)]
    assert pip == ["--constraint constraints.txt", "--editable .[dev]"]
    (python,) = [part for part in CONDA["dependencies"] if str(part).startswith("python")]
    assert PROJECT["requires-python"] in python.replace("python", "")
    assert CONDA["name"] == PROJECT["name"]


def made_by_setup() -> bool:
    ready = ROOT / ".venv" / "ready"
    return ready.is_file() and "constraints.txt" in ready.read_text()


@pytest.mark.skipif(not made_by_setup(), reason="this environment was not made by `make setup`")
@pytest.mark.parametrize("name", ["torch", "torchvision", "numpy", "pandas", "matplotlib"])
def test_what_is_installed_is_what_is_pinned(name):
    assert metadata.version(name).split("+")[0] in PINS[name].specifier


def test_one_version_and_one_name():
    assert helpers.__version__ == PROJECT["version"]
    assert PROJECT["name"] == doctor.DISTRIBUTION
    oldest = tuple(int(part) for part in PROJECT["requires-python"].removeprefix(">=").split("."))
    assert oldest == doctor.OLDEST_PYTHON


def test_importing_helpers_leaves_the_slow_packages_for_later():
    program = "import helpers, sys; print([m for m in SLOW if m in sys.modules])"
    slow = "SLOW = ['matplotlib', 'pandas', 'torchvision', 'IPython', 'PIL']; "
    command = [sys.executable, "-c", slow + program]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "[]\n"


def test_the_doctor_finds_everything_here(capsys):
    assert doctor.check_installation()
    out = capsys.readouterr().out
    assert f"Python         {platform.python_version()}" in out
    assert f"torch          {metadata.version('torch')}" in out
    assert "MISSING" not in out


def test_the_doctor_names_what_is_missing_and_what_to_do(monkeypatch, capsys):
    wanted = ["torch>=99", "no-such-package>=1", "only-for-an-extra>=1; extra == 'dev'"]
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: wanted)
    monkeypatch.setattr(doctor.sys, "version_info", (3, 9, 0))
    assert not doctor.check_installation()
    lines = capsys.readouterr().out.splitlines()
    assert "MISSING Python         3.9.0: install Python 3.11 or newer" in lines
    assert any("the chapters need >=99: run `make setup`" in line for line in lines)
    assert "MISSING no-such-package not installed: run `make setup`" in lines
    assert not any("only-for-an-extra" in line for line in lines)
