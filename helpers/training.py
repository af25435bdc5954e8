"""The model and the trainer that fits it to data (section 3.2)."""

import math
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import nn

from helpers.board import ProgressBoard
from helpers.devices import pick_gpus
from helpers.loading import DataModule
from helpers.oop import HyperParameters


class Module(nn.Module, HyperParameters):
    """Base class of the models: says how to predict, what the loss is, and how to optimize.

    Args:
        plot_train_per_epoch, plot_valid_per_epoch: points per epoch on the board.
    """

    def __init__(self, plot_train_per_epoch: float = 2, plot_valid_per_epoch: float = 1) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.board = ProgressBoard()

    def loss(self, y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the loss of a minibatch, a scalar."""
        raise NotImplementedError(f"{type(self).__name__} needs a method loss(self, y_hat, y)")

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return the predictions for a minibatch; by default those of `self.net`."""
        if not hasattr(self, "net"):
            raise NotImplementedError(
                f"{type(self).__name__} has neither a network self.net "
                "nor a method forward(self, X)"
            )
        return self.net(X)

    def plot(self, key: str, value: torch.Tensor, train: bool) -> None:
        """Draw `value`, a scalar, on the board as `train_<key>` or `val_<key>` over the epochs."""
        trainer = getattr(self, "trainer", None)
        if trainer is None:
            raise RuntimeError("this model has no trainer yet: call Trainer.fit(model, data)")
        self.board.xlabel = "epoch"
        if train:
            x = trainer.train_batch_idx / trainer.num_train_batches
            n = trainer.num_train_batches / self.plot_train_per_epoch
        else:
            x = trainer.epoch + 1
            n = trainer.num_val_batches / self.plot_valid_per_epoch
        label = ("train_" if train else "val_") + key
        self.board.draw(x, _number(value, key), label, every_n=max(1, int(n)))

    def training_step(self, batch: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return the loss of one training minibatch, the labels last, and plot it."""
        l = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("loss", l, train=True)
        return l

    def validation_step(self, batch: Sequence[torch.Tensor]) -> None:
        """Plot the loss of one validation minibatch."""
        l = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("loss", l, train=False)

    def configure_optimizers(self) -> Any:
        """Return the optimizer: by default stochastic gradient descent with `self.lr` (4.3)."""
        if not hasattr(self, "lr"):
            raise NotImplementedError(
                f"{type(self).__name__} has neither self.lr nor a method configure_optimizers(self)"
            )
        return torch.optim.SGD(self.parameters(), lr=self.lr)

    def apply_init(self, inputs: Sequence[torch.Tensor], init: Any = None) -> None:
        """Give lazy layers their shapes from one example batch, then initialize with `init`."""
        self.forward(*inputs)
        if init is not None:
            self.net.apply(init)


class Trainer(HyperParameters):
    """Fits a model to data.

    Args:
        max_epochs: passes over the training data, at least 1.
        num_gpus: how many GPUs to use, if there are any (CUDA, or Apple's MPS).
        gradient_clip_val: longest gradient that a step may follow; 0 does not clip (9.5).

    Attributes:
        epoch, train_batch_idx, val_batch_idx: how far the training is.
        num_train_batches, num_val_batches: minibatches per epoch.
    """

    _warned = False  # of a loss that is not finite, in this fit

    def __init__(self, max_epochs: int, num_gpus: int = 0, gradient_clip_val: float = 0) -> None:
        if max_epochs < 1:
            raise ValueError(f"max_epochs is {max_epochs}: training takes at least one epoch")
        self.save_hyperparameters()
        self.gpus = pick_gpus(num_gpus)

    def prepare_data(self, data: DataModule) -> None:
        """Take the minibatches from `data` and count them."""
        self.train_dataloader = data.train_dataloader()
        self.val_dataloader = data.val_dataloader()
        self.num_train_batches = _count(self.train_dataloader, "training")
        self.num_val_batches = (
            0 if self.val_dataloader is None else _count(self.val_dataloader, "validation")
        )

    def prepare_model(self, model: Module) -> None:
        """Tie model and board to this trainer and move the model to its device."""
        if getattr(model, "trainer", None) is not None:
            model.board.clear()  # a second fit starts a new chart
        model.trainer = self
        model.board.xlim = [0, self.max_epochs]
        if self.gpus:
            _move(model, self.gpus[0])
        self.model = model

    def fit(self, model: Module, data: DataModule) -> None:
        """Train `model` on `data` for `max_epochs` epochs.

        Interrupting it (the kernel's stop button) keeps what was learned so far.

        Raises:
            ValueError: for data without a minibatch, or a loss that is no scalar with a gradient.
            TypeError: for a model without an optimizer, or minibatches that cannot be counted.

        An error inside the training gets a note that says in which minibatch, and what was in it.
        """
        self.prepare_data(data)
        self.prepare_model(model)
        self.optim = model.configure_optimizers()
        if not hasattr(self.optim, "step"):
            raise TypeError(
                f"configure_optimizers of {type(model).__name__} returned {self.optim!r}, "
                "not an optimizer: is its return missing?"
            )
        self.epoch = self.train_batch_idx = self.val_batch_idx = 0
        self._warned, self._batch = False, ()
        try:
            for epoch in range(self.max_epochs):
                self.epoch = epoch
                self.fit_epoch()
        except KeyboardInterrupt:
            print(
                f"Stopped in epoch {self.epoch + 1} of {self.max_epochs}, after "
                f"{self.train_batch_idx} minibatches; the model keeps what it has learned."
            )
        except Exception as error:
            error.add_note(self._position())
            raise

    def fit_epoch(self) -> None:
        """Train on every training minibatch once, then validate (3.4)."""
        self.model.train()
        for batch in self.train_dataloader:
            loss = self.model.training_step(self.prepare_batch(batch))
            self._check_loss(loss)
            self.optim.zero_grad()
            loss.backward()
            with torch.no_grad():
                if self.gradient_clip_val > 0:
                    self.clip_gradients(self.gradient_clip_val, self.model)
                self.optim.step()
            self.train_batch_idx += 1
        if self.val_dataloader is None:
            return
        self.model.eval()
        with torch.no_grad():
            for batch in self.val_dataloader:
                self.model.validation_step(self.prepare_batch(batch))
                self.val_batch_idx += 1

    def prepare_batch(self, batch: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
        """Move a minibatch to the trainer's device."""
        self._batch = [a.to(self.gpus[0]) for a in batch] if self.gpus else batch
        return self._batch

    def clip_gradients(self, grad_clip_val: float, model: Module) -> None:
        """Scale all gradients together so that their norm is at most `grad_clip_val` (9.5)."""
        nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], grad_clip_val)

    def _position(self) -> str:
        """Say where the training is, and what the last minibatch was."""
        kind = "training" if self.model.training else "validation"
        batch = ", ".join(
            f"shape {tuple(a.shape)} {a.dtype}" if isinstance(a, torch.Tensor) else repr(type(a))
            for a in self._batch
        )
        last = f"; the last one has {batch}" if batch else ""
        return (
            f"In {kind}, epoch {self.epoch + 1}, after {self.train_batch_idx} training and "
            f"{self.val_batch_idx} validation minibatches{last}."
        )

    def _check_loss(self, loss: torch.Tensor) -> None:
        value = _number(loss, "loss")
        if not getattr(loss, "requires_grad", False):
            raise ValueError(
                "the loss has no gradient: do the parameters have requires_grad=True, and is "
                "nothing on the way detached, under no_grad, or turned into a Python number?"
            )
        if not self._warned and not math.isfinite(value):
            self._warned = True
            warnings.warn(
                f"the loss is {value} in epoch {self.epoch + 1}, minibatch "
                f"{self.train_batch_idx + 1}, expected a finite number: is the learning rate too "
                "large, or is there a NaN in the data?",
                stacklevel=4,
            )


def _number(value: Any, name: str) -> float:
    """Return a scalar tensor, or a number, as a Python float."""
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        return value.item()
    if isinstance(value, int | float):
        return float(value)
    got = f"shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else repr(value)
    raise ValueError(
        f"the {name} of a minibatch is one number, got {got}: is the mean taken (.mean()), and "
        "is there a return?"
    )


def _count(loader: Iterable, kind: str) -> int:
    try:
        num_batches = len(loader)
    except TypeError as error:
        raise TypeError(
            f"the {kind} loader, a {type(loader).__name__}, does not know its length: the trainer "
            "needs the number of minibatches, so give the loader a __len__"
        ) from error
    if num_batches == 0:
        raise ValueError(
            f"the {kind} loader has no minibatch: is the dataset empty, or smaller than one batch "
            "with drop_last=True?"
        )
    return num_batches


def _move(model: nn.Module, device: torch.device) -> None:
    """Move a model, and parameters that are plain tensors (as in 3.4 and 4.4), to `device`."""
    model.to(device)
    for module in model.modules():
        for name, value in list(vars(module).items()):
            if isinstance(value, torch.Tensor) and value.requires_grad:
                setattr(module, name, value.detach().to(device).requires_grad_())


class SGD(HyperParameters):
    """Minibatch stochastic gradient descent, from scratch (3.4).

    Args:
        params: tensors with gradients.
        lr: learning rate, by which each gradient is multiplied.
    """

    def __init__(self, params: Iterable[torch.Tensor], lr: float) -> None:
        params = list(params)
        self.save_hyperparameters()

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter against its gradient."""
        for param in self.params:
            param -= self.lr * param.grad

    def zero_grad(self) -> None:
        """Forget the gradients of the last step."""
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
