"""Linear regression (sections 3.4 and 3.5)."""

import torch
from torch import nn

from helpers.training import SGD, Module


def check_labels(y_hat: torch.Tensor, y: torch.Tensor) -> None:
    """Refuse labels that broadcasting, or a conversion of types, would silently spoil.

    Raises:
        ValueError: when y is not of the shape of the predictions y_hat, or holds integers.
    """
    if y.shape != y_hat.shape or not y.is_floating_point():
        raise ValueError(
            f"got labels of shape {tuple(y.shape)}, {y.dtype}, for predictions of shape "
            f"{tuple(y_hat.shape)}, expected floating-point labels of the same shape: "
            "y.float().reshape(-1, 1)"
        )


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
        check_labels(y_hat, y)
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
        check_labels(y_hat, y)
        return nn.functional.mse_loss(y_hat, y)

    def get_w_b(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the weights, shape (1, num_inputs), and the bias, shape (1,)."""
        return self.net.weight.data, self.net.bias.data
