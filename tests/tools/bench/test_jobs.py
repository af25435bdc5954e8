"""The code that `make bench` measures, run on little data."""

import json

import pytest

from tools.bench import d2l
from tools.bench.jobs import JOBS, PROCESSES, WARM, preparation
from tools.bench.measure import (
    D2L_FOLDER,
    Bench,
    environment,
    kernel,
    seconds,
)
from tools.bench.rows import BARE, D2L, HELPERS, SIDES
from tools.data import write_raw_files

pytestmark = pytest.mark.weekly  # a dozen kernels


def test_without_a_network_d2l_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    assert d2l.install(tmp_path / "d2l") == "not installed: no network"


def test_the_board_draws_while_it_is_measured_and_the_sides_do_not_see_each_other(monkeypatch):
    monkeypatch.setenv("HELPERS_BOARD", "last")  # as the tests' own kernels have it
    for side in SIDES:
        assert "HELPERS_BOARD" not in environment(side)
        sees_d2l = str(D2L_FOLDER) in environment(side)["PYTHONPATH"]
        assert sees_d2l == (side == D2L)


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
def bench(tmp_path_factory):
    """Measures the bare loop and helpers, with little data and few epochs."""
    folder = tmp_path_factory.mktemp("bench")
    write_raw_files(folder / "data")
    with Bench(folder, limit=300, epochs=2, sweep_epochs=2) as bench:
        for side in (BARE, HELPERS):
            bench.warm("read", side)
            bench.kernels[side].run(SAME_START)
        yield bench


@pytest.mark.parametrize("job", JOBS)
def test_the_bare_loop_does_the_same_arithmetic(bench, job):
    """The ratio means something only as long as both sides compute the same numbers."""
    results, shown = {}, {}
    for side in (BARE, HELPERS):
        bench.kernels[side].run(SEED)
        assert bench.warm(job, side) > 0
        shown[side] = bench.cells[job, side].outputs
        results[side] = json.loads(bench.kernels[side].run(SHOW).outputs[0].text)
    assert len(results[BARE]) == len(results[HELPERS])
    for bare, helpers in zip(results[BARE], results[HELPERS], strict=True):
        assert bare == pytest.approx(helpers, rel=0, abs=1e-6)
    assert shown[BARE] == []
    figures = [out for out in shown[HELPERS] if "image/svg+xml" in out.get("data", {})]
    assert len(figures) == FIGURES[job]


@pytest.mark.parametrize("job", ["sweep", "softmax", "mlp"])
def test_the_bare_loop_validates_as_well(bench, job):
    """Loss, and for classifiers accuracy, over all validation minibatches of the last epoch."""
    seen = []
    for side in (BARE, HELPERS):
        bench.kernels[side].run(SEED)
        bench.warm(job, side)
        cell = bench.kernels[side].run(SHOW_LAST_VALIDATION[side])
        seen.append(json.loads(cell.outputs[0].text))
    assert len(seen[0]) == (1 if job == "sweep" else 2)
    assert seen[0] == pytest.approx(seen[1], rel=0, abs=1e-6)


def test_the_outputs_are_those_of_three_fits(bench):
    size = bench.outputs("outputs", HELPERS)
    pictures = [
        output.data["image/svg+xml"]
        for job in ("sweep", "softmax", "mlp")
        for output in bench.cells[job, HELPERS].outputs
    ]
    assert len(pictures) == 6
    assert sum(map(len, pictures)) < size * 1e6 < 2 * sum(map(len, pictures))


def test_what_a_cell_shows_when_it_ends_counts(bench):
    hook = "import time; get_ipython().events.register('post_run_cell', lambda *_: time.sleep(0.3))"
    bare = bench.kernels[BARE]
    bare.run(hook)
    assert 0.3 < seconds(bare.run("None")) < 3


def test_a_fresh_kernel_has_its_data_and_nothing_warm(bench):
    drawn = "import sys; print('matplotlib' in sys.modules)"
    with kernel(HELPERS, bench.work) as fresh:
        fresh.run(preparation(HELPERS, limit=300))
        assert fresh.run(drawn).outputs[0].text == "False\n"
        fresh.run(WARM[HELPERS])
        assert fresh.run(drawn).outputs[0].text == "True\n"
    assert bench.fresh("first", HELPERS) > 0


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
