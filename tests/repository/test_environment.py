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


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {pin.name.lower().replace("_", "-"): pin for pin in pinned}


def test_each_requirement_has_a_lower_bound_and_a_pin_that_fits(project, pins):
    extras = [text for texts in project["optional-dependencies"].values() for text in texts]
    for requirement in map(Requirement, [*project["dependencies"], *extras]):
        assert any(bound.operator == ">=" for bound in requirement.specifier), requirement
        (pin,) = pins[requirement.name.lower()].specifier
        assert pin.operator == "=="
        assert pin.version in requirement.specifier, f"{requirement}, pinned at {pin}"


def test_conda_installs_the_same(project):
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (pip,) = [part["pip"] for part in conda["dependencies"] if isinstance(part, dict)]
    assert pip == ["--constraint constraints.txt", "--editable .[dev,teach,site,cluster]"]
    (python,) = [part for part in conda["dependencies"] if str(part).startswith("python")]
    assert project["requires-python"] in python.replace("python", "")
    assert conda["name"] == project["name"]


@pytest.mark.parametrize("name", ["torch", "torchvision", "numpy", "pandas", "matplotlib"])
def test_what_is_installed_is_what_is_pinned(pins, name):
    ready = ROOT / ".venv" / "ready"
    if not (ready.is_file() and "constraints.txt" in ready.read_text()):
        pytest.skip("this environment was not made by `make setup`, at the pinned versions")
    assert metadata.version(name).split("+")[0] in pins[name].specifier


def test_one_version_and_one_name(project):
    assert helpers.__version__ == helpers.course_version == metadata.version(doctor.DISTRIBUTION)
    assert project["dynamic"] == ["version"]
    assert project["name"] == doctor.DISTRIBUTION
    oldest = tuple(int(part) for part in project["requires-python"].removeprefix(">=").split("."))
    assert oldest == doctor.OLDEST_PYTHON
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == helpers.__version__
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## {helpers.__version__}" in changes


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
