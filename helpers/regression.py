"""Linear regression, and made-up data for it (sections 3.3 to 3.5)."""

import torch
from torch import nn

from helpers._internal.refusals import check_regression_labels
from helpers.minibatches import DataModule, Minibatches
from helpers.training import SGD, Module


class SyntheticRegressionData(DataModule):
    """Made-up data for linear regression: y = X w + b + noise, with X ~ N(0, 1) (3.3).

    Args:
        w: true weights, shape (num_inputs,).
        b: true bias.
        noise: standard deviation of the noise.
        num_train, num_val: examples for training and for validation.
        batch_size: examples in a minibatch.

    Attributes:
        X: features, shape (num_train + num_val, num_inputs), float32.
        y: labels, shape (num_train + num_val, 1), float32.
    """

    def __init__(
        self,
        w: torch.Tensor,
        b: float,
        noise: float = 0.01,
        num_train: int = 1000,
        num_val: int = 1000,
        batch_size: int = 32,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        n = num_train + num_val
        self.X = torch.randn(n, len(w))
        self.y = self.X @ w.reshape(-1, 1) + b + noise * torch.randn(n, 1)

    def get_dataloader(self, train: bool) -> Minibatches:
        """Return minibatches X, shape (batch_size, num_inputs), and y, shape (batch_size, 1)."""
        indices = slice(0, self.num_train) if train else slice(self.num_train, None)
        return self.get_tensorloader((self.X, self.y), train, indices)


class LinearRegressionScratch(Module):
    """Linear regression from scratch (3.4): y_hat = X w + b.

    Args:
        num_inputs: number of features.
        lr: learning rate.
        sigma: standard deviation of the initial weights; the initial bias is 0.

    Attributes:
        w, b: weights, shape (num_inputs, 1), and bias, shape (1,), float32.
    """

    def __init__(self, num_inputs: int, lr: float, sigma: float = 0.01) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.w = torch.normal(0, sigma, (num_inputs, 1), requires_grad=True)
        self.b = torch.zeros(1, requires_grad=True)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return predictions, shape (n, 1), for the features X, shape (n, num_inputs)."""
        return torch.matmul(X, self.w) + self.b

    def loss(self, y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return half the mean squared error of y_hat and y, both of shape (n, 1), a scalar."""
        check_regression_labels(y_hat, y)
        l = (y_hat - y) ** 2 / 2
        return l.mean()

    def configure_optimizers(self) -> SGD:
        """Return stochastic gradient descent over w and b."""
        return SGD([self.w, self.b], self.lr)


class LinearRegression(Module):
    """Linear regression with torch's layers (3.5). The number of features shows at the first batch.

    Args:
        lr: learning rate.
    """

    def __init__(self, lr: float) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.LazyLinear(1)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return predictions, shape (n, 1), for the features X, shape (n, num_inputs)."""
        return self.net(X)

    def loss(self, y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the mean squared error of y_hat and y, both of shape (n, 1), a scalar."""
        check_regression_labels(y_hat, y)
        return nn.functional.mse_loss(y_hat, y)

    def get_w_b(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the weights, shape (1, num_inputs), and the bias, shape (1,)."""
        return self.net.weight.data, self.net.bias.data
