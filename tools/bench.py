"""Measure helpers, with the board on and in a real kernel, against a bare PyTorch loop.

usage: python -m tools.bench [--rounds N]

Both sides do the same arithmetic on tensors in memory, in turn and in one run. What counts is the
ratio of their times: absolute times differ from machine to machine and from hour to hour.
"""

import argparse
import json
import os
from statistics import median

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tools.course import BUILD, ROOT

PREPARE = """
import time
import torch
import helpers
from torch import nn
from torch.nn import functional as F

torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1)  # imports what optimizers need
warm = helpers.ProgressBoard()
warm.draw(0, 0, "x")
images = helpers.FashionMNIST(batch_size=256)
X, y = images.train[:]
X_val, y_val = images.val[:]
line = helpers.SyntheticRegressionData(w=torch.tensor([2, -3.4]), b=4.2)


def loop(net, loss, optimizer, train, val, num_epochs, batch_size):
    for _ in range(num_epochs):
        for i in torch.randperm(len(train[0])).split(batch_size):
            l = loss(net(train[0][i]), train[1][i])
            optimizer.zero_grad()
            l.backward()
            optimizer.step()
        with torch.no_grad():
            for i in torch.arange(len(val[0])).split(batch_size):
                y_hat = net(val[0][i])
                loss(y_hat, val[1][i]), (y_hat.argmax(1) == val[1][i]).float().mean()


def half_square(y_hat, y):
    return ((y_hat - y) ** 2 / 2).mean()


class MLP(helpers.Classifier):
    def __init__(self, lr):
        super().__init__()
        self.lr = lr
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
"""

BARE_SWEEP = """
for lr in (0.001, 0.01, 0.03, 0.1):
    w, b = torch.zeros(2, 1, requires_grad=True), torch.zeros(1, requires_grad=True)
    train = line.X[:1000], line.y[:1000]
    val = line.X[1000:], line.y[1000:]
    loop(lambda X: X @ w + b, half_square, helpers.SGD([w, b], lr), train, val, 50, 32)
"""
SWEEP = """
for lr in (0.001, 0.01, 0.03, 0.1):
    helpers.Trainer(max_epochs=50).fit(helpers.LinearRegressionScratch(2, lr=lr), line)
"""
BARE = """
net = nn.Sequential({layers})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
loop(net, F.cross_entropy, optimizer, (X, y), (X_val, y_val), 10, 256)
"""
FIT = "helpers.Trainer(max_epochs=10).fit({model}, images)"
BARE_SOFTMAX = BARE.format(layers="nn.Flatten(), nn.Linear(784, 10)")
BARE_MLP = BARE.format(layers="nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)")

JOBS = {
    "learning-rate sweep of 3.4, 4 × 50 epochs": (BARE_SWEEP, SWEEP),
    "softmax regression, 10 epochs": (
        BARE_SOFTMAX,
        FIT.format(model="helpers.SoftmaxRegression(10, lr=0.1)"),
    ),
    "MLP 784-256-10, 10 epochs": (BARE_MLP, FIT.format(model="MLP(lr=0.1)")),
}


def timed(job: str) -> list:
    """Three cells: what a cell shows when it ends is part of the job."""
    before, after = "start = time.perf_counter()", "print(time.perf_counter() - start)"
    return [new_code_cell(source) for source in (before, job, after)]


def measure(rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Return pairs of seconds, bare and with helpers, by job."""
    cells = [new_code_cell(PREPARE)]
    for _ in range(rounds):
        for bare, ours in JOBS.values():
            cells += [*timed(bare), *timed(ours)]
    os.environ.pop("HELPERS_BOARD", None)
    notebook = NotebookClient(
        new_notebook(cells=cells),
        kernel_name="python3",
        timeout=None,
        resources={"metadata": {"path": str(ROOT)}},
    ).execute()
    times = [float(cell.outputs[0].text) for cell in notebook.cells[3::3]]
    pairs = list(zip(times[::2], times[1::2], strict=True))
    return {job: pairs[i :: len(JOBS)] for i, job in enumerate(JOBS)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"Measuring {len(JOBS)} jobs, {rounds} rounds …", flush=True)
    results = measure(rounds)
    print(f"{'job':<44}{'bare loop':>11}{'helpers':>10}{'ratio':>8}  (lowest to highest)")
    for job, pairs in results.items():
        ratios = [ours / bare for bare, ours in pairs]
        bare, ours = (median(side) for side in zip(*pairs, strict=True))
        spread = f"({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"{job:<44}{bare:>9.2f} s{ours:>8.2f} s{median(ratios):>8.2f}  {spread}")
    BUILD.mkdir(exist_ok=True)
    (BUILD / "bench.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
