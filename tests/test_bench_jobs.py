"""The code that `make bench` measures, run on little data."""

import json

import pytest

from tools.benchmarks import book
from tools.benchmarks.jobs import JOBS, PROCESSES, preparation
from tools.benchmarks.measure import Bench, kernel, seconds, write_raw_files
from tools.benchmarks.rows import BARE, HELPERS


def test_without_a_network_the_books_package_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    assert book.install(tmp_path / "d2l") == "not installed: no network"


# Both sides start from the same weights and take the minibatches in the same order, whatever else
# draws random numbers on the way.
SAME_START = """
import torch
from torch import nn

randperm, order, weights = torch.randperm, torch.Generator(), torch.Generator()
torch.randperm = lambda n: randperm(n, generator=order)


def reset_parameters(self):
    for param in self.parameters():
        nn.init.normal_(param, std=0.1, generator=weights)


nn.Linear.reset_parameters = reset_parameters
"""
SEED = "order.manual_seed(1), weights.manual_seed(1);"
SHOW = "print([tensor.flatten().tolist() for tensor in result])"
SHOW_LAST_VALIDATION = {
    BARE: "print([float(sum(values) / len(values)) for values in seen if values])",
    HELPERS: "print([line[-1].y for key, line in model.board.data.items() if 'val_' in key])",
}
FIGURES = {"sweep": 4, "softmax": 1, "mlp": 1, "read": 0}


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    """A kernel for the bare loop and one for helpers, with little data and few epochs."""
    folder = tmp_path_factory.mktemp("bench")
    write_raw_files(folder / "data")
    (folder / "notebooks").mkdir()
    with (
        kernel(BARE, folder / "notebooks") as bare,
        kernel(HELPERS, folder / "notebooks") as helpers,
    ):
        sides = {BARE: bare, HELPERS: helpers}
        for side, its_kernel in sides.items():
            its_kernel.run(SAME_START)
            its_kernel.run(preparation(side, limit=300, epochs=2, sweep_epochs=2))
        yield sides


@pytest.mark.parametrize("job", JOBS)
def test_the_bare_loop_does_the_same_arithmetic(kernels, job):
    """The ratio means something only as long as both sides compute the same numbers."""
    results, shown = {}, {}
    for side, its_kernel in kernels.items():
        its_kernel.run(SEED)
        shown[side] = its_kernel.run(JOBS[job][side]).outputs
        results[side] = json.loads(its_kernel.run(SHOW).outputs[0].text)
    assert len(results[BARE]) == len(results[HELPERS])
    for bare, helpers in zip(results[BARE], results[HELPERS], strict=True):
        assert bare == pytest.approx(helpers, rel=0, abs=1e-6)
    assert shown[BARE] == []
    figures = [out for out in shown[HELPERS] if "image/svg+xml" in out.get("data", {})]
    assert len(figures) == FIGURES[job]


@pytest.mark.parametrize("job", ["sweep", "softmax", "mlp"])
def test_the_bare_loop_validates_as_well(kernels, job):
    """Loss, and for classifiers accuracy, over all validation minibatches of the last epoch."""
    seen = []
    for side, its_kernel in kernels.items():
        its_kernel.run(SEED)
        its_kernel.run(JOBS[job][side])
        cell = its_kernel.run(SHOW_LAST_VALIDATION[side])
        seen.append(json.loads(cell.outputs[0].text))
    assert len(seen[0]) == (1 if job == "sweep" else 2)
    assert seen[0] == pytest.approx(seen[1], rel=0, abs=1e-6)


def test_what_a_cell_shows_when_it_ends_counts(kernels):
    hook = "import time; get_ipython().events.register('post_run_cell', lambda *_: time.sleep(0.3))"
    kernels[BARE].run(hook)
    assert 0.3 < seconds(kernels[BARE].run("None")) < 3


def test_a_fresh_process_times_the_statement_alone(tmp_path, monkeypatch):
    statements = {BARE: ("time.sleep(1)", "time.sleep(0.1)")}
    monkeypatch.setitem(PROCESSES, "nap", statements)
    with Bench(tmp_path) as bench:
        assert 0.1 <= bench.process("nap", BARE) < 1


@pytest.mark.parametrize("name", PROCESSES)
def test_what_fresh_processes_do_works_with_helpers(name, tmp_path):
    write_raw_files(tmp_path / "data")
    with Bench(tmp_path) as bench:
        assert bench.process(name, HELPERS) > 0
