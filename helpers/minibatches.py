"""Minibatches, and the data module that hands them out (section 3.2)."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, TensorDataset

from helpers._internal.refusals import check_sockets
from helpers.oop import HyperParameters


class Minibatches:
    """Cuts a dataset into minibatches, and asks it for all examples of one at once.

    torch's DataLoader asks for one example after the other, which takes most of the time for
    models as small as those of this course.

    Args:
        dataset: whatever `dataset[indices]` gives for int64 indices of shape (k,) is a minibatch.
        batch_size: examples in a minibatch; the last one has what is left over.
        shuffle: draw a new order of the examples in every epoch.
        num_workers: processes that read the minibatches, by torch's DataLoader; 0 needs none.
    """

    def __init__(self, dataset: Any, batch_size: int, shuffle: bool, num_workers: int = 0) -> None:
        self.dataset, self.batch_size, self.shuffle = dataset, batch_size, shuffle
        self.num_workers = num_workers

    def __len__(self) -> int:
        return math.ceil(len(self.dataset) / self.batch_size)

    def __iter__(self) -> Iterator:
        if self.num_workers:
            check_sockets(self.num_workers)
            return iter(
                DataLoader(self.dataset, None, sampler=self.indices(), num_workers=self.num_workers)
            )
        # torch's DataLoader draws a seed for its workers. So that the order is the same with and
        # without them, one is drawn here, too.
        torch.empty((), dtype=torch.int64).random_()
        return map(self.dataset.__getitem__, self.indices())

    def indices(self) -> Iterator[torch.Tensor]:
        """Yield the indices of one minibatch after the other, each of shape (batch_size,)."""
        n = len(self.dataset)
        order = torch.randperm(n) if self.shuffle else torch.arange(n)
        yield from order.split(self.batch_size)


class DataModule(HyperParameters):
    """Base class of the datasets: hands out minibatches for training and for validation.

    Args:
        root: the folder with the files.
        num_workers: how many processes read the batches; 0 reads in this one.
    """

    def __init__(self, root: Any = "../data", num_workers: int = 4) -> None:
        self.save_hyperparameters()

    def get_dataloader(self, train: bool) -> Iterable:
        """Return an iterable over minibatches."""
        raise NotImplementedError(
            f"{type(self).__name__} needs a method get_dataloader(self, train)"
        )

    def train_dataloader(self) -> Iterable:
        """Return the training minibatches."""
        return self.get_dataloader(train=True)

    def val_dataloader(self) -> Iterable | None:
        """Return the validation minibatches, or None where there are none."""
        return self.get_dataloader(train=False)

    def get_tensorloader(
        self, tensors: Sequence[torch.Tensor], train: bool, indices: Any = slice(0, None)
    ) -> Minibatches:
        """Return minibatches of `tensors`, each of shape (n, ...), restricted to `indices` (3.3).

        Training minibatches are shuffled anew in every epoch.
        """
        dataset = TensorDataset(*(tensor[indices] for tensor in tensors))
        return Minibatches(dataset, self.batch_size, shuffle=train)
