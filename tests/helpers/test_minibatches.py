import os
import subprocess
import sys
from itertools import chain

import pytest
import torch

from helpers.minibatches import Minibatches


def test_minibatches_hold_every_example_once_and_differ_by_epoch():
    dataset = torch.utils.data.TensorDataset(torch.arange(10))
    loader = Minibatches(dataset, batch_size=4, shuffle=True)
    torch.manual_seed(0)
    epochs = [[x.tolist() for (x,) in loader] for _ in range(2)]
    assert [len(batch) for batch in epochs[0]] == [4, 4, 2]
    assert all(sorted(chain(*batches)) == list(range(10)) for batches in epochs)
    assert epochs[0] != epochs[1]
    torch.manual_seed(0)
    assert [x.tolist() for (x,) in loader] == epochs[0]
    assert len(loader) == 3


def test_minibatches_in_order_and_by_a_worker():
    dataset = torch.utils.data.TensorDataset(torch.arange(5), torch.arange(5) * 2)
    loader = Minibatches(dataset, batch_size=3, shuffle=False, num_workers=1)
    assert [[a.tolist() for a in batch] for batch in loader] == [
        [[0, 1, 2], [0, 2, 4]],
        [[3, 4], [6, 8]],
    ]


def test_a_minibatch_is_indexed_once():
    """Torch's loader would ask for each example, and copy it into a minibatch."""

    class Squares(torch.utils.data.Dataset):
        def __len__(self):
            return 7

        def __getitem__(self, indices):
            return indices**2

    loader = Minibatches(Squares(), batch_size=3, shuffle=False)
    assert [x.tolist() for x in loader] == [[0, 1, 4], [9, 16, 25], [36]]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such sockets")
def test_workers_that_could_not_be_heard_are_refused(tmp_path):
    """A loader of torch's waits for them for ever."""
    folder = tmp_path / ("long" * 20)
    folder.mkdir()
    program = (
        "import torch\nfrom helpers.minibatches import Minibatches\n"
        "data = torch.utils.data.TensorDataset(torch.zeros(9, 2))\n"
        "print(len(list(Minibatches(data, 3, False, num_workers=1))))"
    )
    found = {}
    for name in (folder, "/tmp"):
        env = {**os.environ, "TMPDIR": str(name)}
        command = [sys.executable, "-c", program]
        found[name] = subprocess.run(command, env=env, capture_output=True, text=True, timeout=100)
    assert "set the environment variable TMPDIR" in found[folder].stderr.splitlines()[-1]
    assert found["/tmp"].stdout == "3\n"
