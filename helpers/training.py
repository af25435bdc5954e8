"""The model and the trainer that fits it to data (section 3.2)."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import nn

from helpers._internal import refusals
from helpers._internal.live import report_epochs
from helpers._internal.plain_tensors import PlainTensors
from helpers.board import ProgressBoard
from helpers.devices import pick_gpus
from helpers.minibatches import DataModule
from helpers.oop import HyperParameters


class Module(PlainTensors, HyperParameters):
    """Base class of the models: says how to predict, what the loss is, and how to optimize.

    Args:
        plot_train_per_epoch, plot_valid_per_epoch: points per epoch on the board.
    """

    trainer: "Trainer"  # set by Trainer.fit
    lr: float  # set by a subclass that trains with the optimizer below
    net: Any  # set by a subclass that has no forward of its own

    def __init__(self, plot_train_per_epoch: float = 2, plot_valid_per_epoch: float = 1) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.board = ProgressBoard()

    def loss(self, y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the loss of a minibatch, a scalar."""
        raise refusals.missing(self, "no method loss(self, y_hat, y)")

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return the predictions for a minibatch; by default those of `self.net`."""
        if not hasattr(self, "net"):
            raise refusals.missing(self, "neither a network self.net nor a method forward(self, X)")
        return self.net(X)

    def plot(self, key: str, value: torch.Tensor, train: bool) -> None:
        """Draw `value`, a scalar, on the board as `train_<key>` or `val_<key>` over the epochs."""
        trainer = getattr(self, "trainer", None)
        if trainer is None:
            raise RuntimeError("this model has no trainer yet: call Trainer.fit(model, data)")
        refusals.check_scalar(value, key)
        self.board.xlabel = "epoch"
        if train:
            x = trainer.train_batch_idx / trainer.num_train_batches
            n = trainer.num_train_batches / self.plot_train_per_epoch
        else:
            x = trainer.epoch + 1
            n = trainer.num_val_batches / self.plot_valid_per_epoch
        label = ("train_" if train else "val_") + key
        values = self.board.draw(x, value, label, every_n=max(1, int(n)))
        refusals.warn_unless_finite(trainer, key, values, train)

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
            raise refusals.missing(self, "neither self.lr nor a method configure_optimizers(self)")
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

    def __init__(self, max_epochs: int, num_gpus: int = 0, gradient_clip_val: float = 0) -> None:
        if max_epochs < 1:
            raise ValueError(f"max_epochs is {max_epochs}: training takes at least one epoch")
        self.save_hyperparameters()
        self.gpus = pick_gpus(num_gpus)

    def prepare_data(self, data: DataModule) -> None:
        """Take the minibatches from `data` and count them."""
        self.train_dataloader = data.train_dataloader()
        self.val_dataloader = data.val_dataloader()
        self.num_train_batches = refusals.number_of_minibatches(self.train_dataloader, "training")
        self.num_val_batches = 0
        if self.val_dataloader is not None:
            self.num_val_batches = refusals.number_of_minibatches(self.val_dataloader, "validation")

    def prepare_model(self, model: Module) -> None:
        """Tie model and board to this trainer and move the model to its device."""
        if getattr(model, "trainer", None) is not None:
            model.board.clear()  # a second fit starts a new chart
        model.trainer = self
        model.board.xlim = [0, self.max_epochs]
        if self.gpus:
            model.to(self.gpus[0])
        self.model = model

    def prepare_batch(self, batch: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
        """Move a minibatch to the trainer's device."""
        return [a.to(self.gpus[0]) for a in batch] if self.gpus else batch

    def fit(self, model: Module, data: DataModule) -> None:
        """Train `model` on `data` for `max_epochs` epochs.

        Interrupting it (the kernel's stop button) keeps what was learned so far, and ends the code
        around it as well. An error inside the training gets a note that says in which minibatch,
        and what was in it. Outside a notebook a line is printed for each epoch, unless the model's
        board has `display=False`.

        Raises:
            ValueError: for data without a minibatch, or a loss that is no scalar with a gradient.
            TypeError: for a model without an optimizer, or minibatches that cannot be counted.
        """
        self.prepare_data(data)
        self.prepare_model(model)
        self.optim = model.configure_optimizers()
        refusals.check_optimizer(self.optim, model)
        self.epoch = self.train_batch_idx = self.val_batch_idx = 0
        with refusals.watch(self):
            for epoch in report_epochs(model.board, self.max_epochs):
                self.epoch = epoch
                self.fit_epoch()

    def fit_epoch(self) -> None:
        """Train on every training minibatch once, then validate (3.4)."""
        self.model.train()
        for batch in self.train_dataloader:
            loss = self.model.training_step(self.prepare_batch(batch))
            refusals.check_loss(loss)
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

    def clip_gradients(self, grad_clip_val: float, model: Module) -> None:
        """Scale all gradients together so that their norm is at most `grad_clip_val` (9.5)."""
        nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], grad_clip_val)


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
            if param.grad is not None:
                param -= self.lr * param.grad

    def zero_grad(self) -> None:
        """Forget the gradients of the last step."""
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
