"""What all classifiers share (section 4.3), and the simplest of them (4.5)."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from helpers._internal.refusals import note_on_class_labels
from helpers.training import Module


class Classifier(Module):
    """Base class of classifiers: cross-entropy as the loss, accuracy on the board (4.3)."""

    def validation_step(self, batch: Sequence[torch.Tensor]) -> None:
        """Plot loss and accuracy of one validation minibatch, the labels last."""
        Y_hat = self(*batch[:-1])
        self.plot("loss", self.loss(Y_hat, batch[-1]), train=False)
        self.plot("acc", self.accuracy(Y_hat, batch[-1]), train=False)

    def accuracy(self, Y_hat: torch.Tensor, Y: torch.Tensor, averaged: bool = True) -> torch.Tensor:
        """Return how often the largest score is at the right class.

        Args:
            Y_hat: scores or probabilities, shape (..., num_classes).
            Y: classes, integers, shape (...).
            averaged: return the mean, a scalar, or else 0.0 or 1.0 for each example, shape (n,).
        """
        Y_hat = Y_hat.reshape((-1, Y_hat.shape[-1]))
        preds = Y_hat.argmax(dim=1).type(Y.dtype)
        compare = (preds == Y.reshape(-1)).type(torch.float32)
        return compare.mean() if averaged else compare

    def loss(self, Y_hat: torch.Tensor, Y: torch.Tensor, averaged: bool = True) -> torch.Tensor:
        """Return the cross-entropy of logits Y_hat, shape (..., num_classes), and classes Y (4.5).

        The mean over the examples, a scalar, or with averaged=False one value each, shape (n,).

        An error of torch gets a note that says which labels fit.
        """
        Y_hat, Y = Y_hat.reshape((-1, Y_hat.shape[-1])), Y.reshape(-1)
        with note_on_class_labels(Y_hat, Y):
            return F.cross_entropy(Y_hat, Y, reduction="mean" if averaged else "none")

    def layer_summary(self, X_shape: Sequence[int]) -> None:
        """Print the shape that each layer of `self.net` makes of an input of shape `X_shape`."""
        X = torch.randn(*X_shape)
        for layer in self.net:
            X = layer(X)
            print(type(layer).__name__, "output shape:\t", X.shape)


class SoftmaxRegression(Classifier):
    """Softmax regression with torch's layers (4.5). The number of inputs shows at the first batch.

    Args:
        num_outputs: number of classes.
        lr: learning rate.
    """

    def __init__(self, num_outputs: int, lr: float) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(num_outputs))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return logits, shape (n, num_outputs), for inputs X of any shape (n, ...)."""
        return self.net(X)
