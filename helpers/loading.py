"""Minibatches, and the data module that hands them out (section 3.2)."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler, TensorDataset

from helpers.oop import HyperParameters


class DataModule(HyperParameters):
    """Base class of the datasets: hands out minibatches for training and for validation.

    Args:
        root: the folder with the files.
        num_workers: how many processes read the batches; 0 reads in this one.
    """

    def __init__(self, root: str = "../data", num_workers: int = 4) -> None:
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
    ) -> DataLoader:
        """Return minibatches of `tensors`, each of shape (n, ...), restricted to `indices` (3.3).

        Training minibatches are shuffled anew in every epoch.
        """
        dataset = TensorDataset(*(tensor[indices] for tensor in tensors))
        return minibatches(dataset, self.batch_size, shuffle=train)


class BatchIndices(Sampler):
    """Indices of one minibatch after the other, each an int64 tensor of shape (batch_size,)."""

    def __init__(self, num_examples: int, batch_size: int, shuffle: bool) -> None:
        self.num_examples, self.batch_size, self.shuffle = num_examples, batch_size, shuffle

    def __iter__(self) -> Iterator[torch.Tensor]:
        n = self.num_examples
        order = torch.randperm(n) if self.shuffle else torch.arange(n)
        yield from order.split(self.batch_size)

    def __len__(self) -> int:
        return math.ceil(self.num_examples / self.batch_size)


class MinibatchLoader(DataLoader):
    """A loader whose sampler gives the indices of a whole minibatch at a time.

    Without worker processes it indexes its dataset and does no more: what torch's loader does
    besides would make the training of 3.4's model a third longer.
    """

    def __iter__(self) -> Iterator:
        if self.num_workers:
            return super().__iter__()
        # torch's loader draws a seed for its workers: with or without them, the order is the same.
        torch.empty((), dtype=torch.int64).random_()
        return map(self.dataset.__getitem__, self.sampler)


def minibatches(
    dataset: Dataset, batch_size: int, shuffle: bool, num_workers: int = 0
) -> MinibatchLoader:
    """Return a loader that indexes `dataset` once per minibatch, not once per example.

    The last minibatch is shorter where `batch_size` does not divide the number of examples.
    """
    indices = BatchIndices(len(dataset), batch_size, shuffle)
    return MinibatchLoader(dataset, batch_size=None, sampler=indices, num_workers=num_workers)
