"""`--resume`: what was executed to its end is executed again only if something has changed."""

import nbformat
import pytest

from tools.run import done
from tools.run.batch import Run
from tools.run.result import Result


@pytest.fixture
def folder(tmp_path, write_notebook):
    """Write two notebooks and a file beside them."""
    for name in "ab":
        write_notebook(tmp_path / f"{name}.ipynb", "print(seed)")
    (tmp_path / "beside.txt").write_text("beside")
    return tmp_path


@pytest.fixture
def executed(folder, monkeypatch):
    """Return a function that runs both notebooks and returns those that were executed."""

    def call(resume=True, parameters=None, status="ok", sandbox=False):
        names = []

        def execute(run, notebook):
            names.append(notebook.stem)
            output = run.folder / notebook.name
            nbformat.write(nbformat.read(notebook, as_version=4), output)
            return Result(notebook.name, "", 2, 3, status, "", str(output))

        monkeypatch.setattr(Run, "_execute_here", execute)
        run = Run(folder / "out" / "notebooks", parameters or {}, folder, own_folders=True)
        run.folder.mkdir(parents=True, exist_ok=True)
        run.resume, run.sandbox = resume, sandbox
        results = [run.execute(folder / f"{name}.ipynb") for name in "ab"]
        known = [r.message for r in results]
        assert known == ["" if name in names else done.BEFORE for name in "ab"]
        assert all(r.seconds == 2 and r.output for r in results)
        return names

    return call


def test_what_is_done_is_executed_again_only_without_resume(executed):
    assert executed() == ["a", "b"]
    assert executed() == []
    assert executed(resume=False) == ["a", "b"]
    assert executed() == []


def test_what_failed_is_executed_again(executed):
    executed()
    assert executed(resume=False, status="failed") == ["a", "b"]
    assert executed() == ["a", "b"]
    assert executed() == []


def change_notebook(folder, write_notebook):
    write_notebook(folder / "a.ipynb", "print(seed + 1)")


def change_file_beside_it(folder, _):
    (folder / "beside.txt").write_text("besides")


def change_output(folder, _):
    (folder / "out" / "notebooks" / "a.ipynb").write_text("{")


def delete_output(folder, _):
    (folder / "out" / "notebooks" / "a.ipynb").unlink()


def cut_off_record(folder, _):
    record = folder / "out" / "notebooks" / "a.done"
    record.write_text(record.read_text()[:50])


@pytest.mark.parametrize(
    ("change", "again"),
    [
        (change_notebook, ["a"]),
        (change_file_beside_it, ["a", "b"]),
        (change_output, ["a"]),
        (delete_output, ["a"]),
        (cut_off_record, ["a"]),
    ],
)
def test_what_has_changed_is_executed_again(executed, folder, write_notebook, change, again):
    executed()
    change(folder, write_notebook)
    assert executed() == again


def test_other_parameters_are_another_run(executed):
    executed()
    assert executed(parameters={"seed": "1"}) == ["a", "b"]


def test_what_was_executed_without_a_sandbox_is_executed_again_in_one(executed):
    executed()
    assert executed(sandbox=True) == ["a", "b"]


@pytest.mark.parametrize("changed", ["helpers", "torch"])
def test_another_course_is_another_run(executed, monkeypatch, changed, tmp_path):
    done.course.cache_clear()
    executed()
    done.course.cache_clear()
    assert executed() == []
    done.course.cache_clear()
    if changed == "helpers":
        (tmp_path / "course" / "helpers").mkdir(parents=True)
        monkeypatch.setattr(done, "ROOT", tmp_path / "course")
    else:
        monkeypatch.setattr(done.remote, "versions", lambda: {"torch": "0.1"})
    assert executed() == ["a", "b"]
    done.course.cache_clear()


def test_a_record_that_cannot_be_written_stops_nothing(executed, monkeypatch):
    monkeypatch.setattr(done, "record_of", lambda output: output.parent / "missing" / "a")
    assert executed() == ["a", "b"]
    assert executed() == ["a", "b"]
