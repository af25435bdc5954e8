import time
from concurrent.futures import wait

from tools.run import batch
from tools.run.result import Result


class Stopped(batch.Run):
    """A run that is stopped while it executes its first notebook."""

    def execute(self, notebook):
        self.stop.set()
        return Result(self.name(notebook), "", 0, 0, "stopped", "", "")


def look_late(*args, **options):
    """Wait for what is done, as on a machine with much else to do."""
    time.sleep(0.2)
    return wait(*args, **options)


def test_no_notebook_begins_after_a_stop(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(batch, "wait", look_late)
    notebooks = [tmp_path / name for name in ("1.ipynb", "2.ipynb", "3.ipynb")]
    run = Stopped(tmp_path, {}, tmp_path, preload=False)
    results = batch.execute_all(run, notebooks, 1, tmp_path / "report.json")
    assert [result.notebook for result in results] == ["1.ipynb"]
    assert capsys.readouterr().out.count("…") == 1
