"""What zizmor, which `make lint` runs on the workflows, does not look at."""

import yaml

from tools.course import ROOT
from tools.editions.stamp import STUDENT

WORKFLOWS = ROOT / ".github" / "workflows"


def load(name):
    """A workflow as a dictionary; YAML reads its key `on` as true."""
    return yaml.safe_load((WORKFLOWS / name).read_text(encoding="utf-8"))


def commands(workflow):
    return [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]


def test_every_job_has_a_time_limit():
    for path in WORKFLOWS.glob("*.yml"):
        for name, job in load(path.name)["jobs"].items():
            assert 0 < job["timeout-minutes"] <= 120, f"{path.name}: {name}"


def test_every_push_runs_the_commands_of_the_readme():
    run = "\n".join(commands(load("test.yml")))
    assert "make run" in run
    assert "make test" in run


def test_the_weekly_run_leaves_nothing_out_and_audits_the_pinned_packages():
    weekly = load("weekly.yml")
    assert weekly[True]["schedule"]
    run = "\n".join(commands(weekly))
    assert "make test ARGS=--weekly" in run
    assert "make colab" in run
    assert "pip-audit --requirement constraints.txt" in run


def test_a_tag_publishes_the_student_edition_where_the_badges_lead():
    publish = load("publish.yml")
    assert publish[True]["push"]["tags"] == ["v*"]
    run = "\n".join(commands(publish))
    assert "make student ANSWERS=1" in run
    assert f"refs/heads/{STUDENT}$GITHUB_REF_NAME" in run


def test_a_tag_publishes_the_website_and_the_printed_course():
    jobs = load("publish.yml")["jobs"]
    run = "\n".join(step.get("run", "") for step in jobs["site"]["steps"])
    assert "make site" in run
    assert "make pdf" in run
    assert "gh release upload" in run
    assert jobs["pages"]["needs"] == "site"
    uses = [step["uses"] for step in jobs["pages"]["steps"]]
    assert any(action.startswith("actions/deploy-pages@") for action in uses)
