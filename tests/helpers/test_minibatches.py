from itertools import chain

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
