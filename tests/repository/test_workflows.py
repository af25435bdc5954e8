"""The workflows on GitHub may read the repository and do no more, whoever opens a pull request."""

import re

import pytest
import yaml

from tools.course import ROOT

PATHS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
each_workflow = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)


def load(path):
    """A workflow as a dictionary; YAML reads its key `on` as true."""
    return yaml.safe_load(path.read_text())


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_there_are_workflows():
    assert [path.name for path in PATHS] == ["test.yml", "weekly.yml"]


@each_workflow
def test_every_action_is_pinned_by_a_commit_and_says_which_version_that_is(path):
    used = re.findall(r"uses: *(.+)", path.read_text())
    assert len(used) == sum("uses" in step for step in steps(load(path))) > 0
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w./-]+@[0-9a-f]{40}  # v\d+(\.\d+)*", action), action


@each_workflow
def test_it_may_only_read(path):
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert not [name for name, job in workflow["jobs"].items() if "permissions" in job]


@each_workflow
def test_it_never_runs_with_the_rights_of_the_repository_on_the_code_of_a_stranger(path):
    triggers = set(load(path)[True])
    assert triggers <= {"push", "pull_request", "schedule", "workflow_dispatch"}
    assert "secrets." not in path.read_text()


@each_workflow
def test_no_command_has_text_of_a_stranger_pasted_in(path):
    """Only values from the workflow's own matrix: a branch or a title could hold a command."""
    for step in steps(load(path)):
        for inserted in re.findall(r"\$\{\{\s*(.*?)\s*\}\}", step.get("run", "")):
            assert re.fullmatch(r"matrix\.\w+", inserted), step["run"]


@each_workflow
def test_every_job_has_a_time_limit(path):
    for name, job in load(path)["jobs"].items():
        assert 0 < job["timeout-minutes"] <= 120, name


def test_the_pinned_packages_are_audited_every_week():
    weekly = load(ROOT / ".github" / "workflows" / "weekly.yml")
    assert weekly[True]["schedule"]
    commands = [step.get("run", "") for step in steps(weekly)]
    assert any("pip-audit" in c and "--requirement constraints.txt" in c for c in commands)
