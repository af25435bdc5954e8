"""What is said when a training cannot go on: what was got, what was expected, what to do."""

import math
import traceback
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Listener
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import torch

from helpers.board import ProgressBoard
from helpers.devices import to_floats

if TYPE_CHECKING:
    from helpers.training import Trainer

_warned: "WeakSet[Trainer]" = WeakSet()  # of a value that is not finite, in the fit that runs


def missing(model: object, what: str) -> NotImplementedError:
    """Return the error for a class that lacks what its author has to write."""
    return NotImplementedError(f"{type(model).__name__} has {what}")


def number_of_minibatches(loader: Iterable, kind: str) -> int:
    """Return the length of a loader.

    Raises:
        TypeError: when the loader does not know its length.
        ValueError: when it has no minibatch.
    """
    try:
        length = len(loader)  # type: ignore[arg-type]
    except TypeError as error:
        raise TypeError(
            f"the {kind} loader, a {type(loader).__name__}, does not know its length: the trainer "
            "needs the number of minibatches, so give the loader a __len__"
        ) from error
    if length == 0:
        raise ValueError(
            f"the {kind} loader has no minibatch: is the dataset empty, or smaller than one batch "
            "with drop_last=True?"
        )
    return length


def check_sockets(num_workers: int) -> None:
    """Refuse workers where processes cannot open the sockets that they talk through.

    torch does not: its loader and the workers would wait for each other for ever.
    """
    try:
        Listener().close()
    except OSError as error:
        raise ValueError(
            f"num_workers={num_workers}: a loader talks to its workers through sockets in the "
            f"folder for temporary files, where none can be opened ({error}): set the environment "
            "variable TMPDIR to a folder with a short name, such as /tmp, or use num_workers=0"
        ) from error


def check_optimizer(optimizer: Any, model: object) -> None:
    """Refuse what `configure_optimizers` returned if it is no optimizer."""
    if not hasattr(optimizer, "step"):
        raise TypeError(
            f"configure_optimizers of {type(model).__name__} returned {optimizer!r}, "
            "not an optimizer: is its return missing?"
        )


def check_scalar(value: Any, name: str) -> None:
    """Refuse what is neither a number nor a tensor that holds one."""
    if isinstance(value, int | float) or (isinstance(value, torch.Tensor) and value.numel() == 1):
        return
    got = f"shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else repr(value)
    raise ValueError(
        f"the {name} of a minibatch is one number, got {got}: is the mean taken (.mean()), and "
        "is there a return?"
    )


def check_loss(loss: Any) -> None:
    """Refuse a loss that `backward` cannot start from."""
    check_scalar(loss, "loss")
    if not getattr(loss, "requires_grad", False):
        raise ValueError(
            "the loss has no gradient: do the parameters have requires_grad=True, and is "
            "nothing on the way detached, under no_grad, or turned into a Python number?"
        )


def check_regression_labels(y_hat: torch.Tensor, y: torch.Tensor) -> None:
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


@contextmanager
def note_on_class_labels(Y_hat: torch.Tensor, Y: torch.Tensor) -> Iterator[None]:
    """Add to an error inside what the labels are, and which ones fit logits of shape (n, q)."""
    try:
        yield
    except (IndexError, RuntimeError, ValueError) as error:
        error.add_note(
            f"Got {_describe_labels(Y)}, for logits of shape {tuple(Y_hat.shape)} on "
            f"{Y_hat.device}. Expected one label for each row, an int64 from 0 to "
            f"{Y_hat.shape[-1] - 1}, on the same device."
        )
        raise


def _describe_labels(Y: torch.Tensor) -> str:
    values = f" from {Y.min()} to {Y.max()}" if Y.numel() else ""
    return f"{len(Y)} labels{values}, {Y.dtype}, on {Y.device}"


class Stopped(KeyboardInterrupt):
    """A training was interrupted: so is the code around it, such as a loop over trainings."""

    def _render_traceback_(self) -> list[str]:
        """Return the lines that a notebook shows: the sentence alone, without the way to it."""
        return [str(self)]


@contextmanager
def watch(trainer: "Trainer") -> Iterator[None]:
    """Say how the training inside came to an end, if it was not by its last epoch.

    An error gets a note: where the training was, and what was in the last minibatch.
    """
    _warned.discard(trainer)
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped(
            f"Stopped in epoch {trainer.epoch + 1} of {trainer.max_epochs}, after "
            f"{trainer.train_batch_idx} minibatches; the model keeps what it has learned."
        ) from None
    except Exception as error:
        error.add_note(_position(trainer, error))
        raise
    finally:
        if isinstance(trainer.model.board, ProgressBoard):  # section 3.2 builds another one
            trainer.model.board.finish()
    for label, raw in getattr(trainer.model.board, "raw_points", {}).items():  # too few to be drawn
        kind, _, key = label.partition("_")
        warn_unless_finite(trainer, key, to_floats([y for _, y in raw]), kind == "train", done=1)


def warn_unless_finite(
    trainer: "Trainer", name: str, values: Sequence[float] | None, train: bool, done: int = 0
) -> None:
    """Warn, once a fit, of a value that is not finite, and say in which minibatch it came.

    `values` are those of the last minibatches; `done` is 1 where the last one has been counted.
    """
    values = values or []  # a board of the learner's own returns none
    wrong = [i for i, value in enumerate(values) if not math.isfinite(value)]
    if not wrong or trainer in _warned:
        return
    _warned.add(trainer)
    last = (trainer.train_batch_idx if train else trainer.val_batch_idx) + 1 - done
    kind = "minibatch" if train else "validation minibatch"
    warnings.warn(
        f"the {name} is {values[wrong[0]]} in epoch {trainer.epoch + 1}, {kind} "
        f"{last - len(values) + 1 + wrong[0]}, expected a finite number: is the learning rate too "
        "large, or is there a NaN in the data?",
        stacklevel=4,
    )


def _position(trainer: "Trainer", error: Exception) -> str:
    kind = "training" if trainer.model.training else "validation"
    batch = _last_batch(error)
    last = f"; the last one has {batch}" if batch else ""
    return (
        f"In {kind}, epoch {trainer.epoch + 1}, after {trainer.train_batch_idx} training and "
        f"{trainer.val_batch_idx} validation minibatches{last}."
    )


def _last_batch(error: Exception) -> str:
    """Describe the minibatch that the innermost function with a variable `batch` had.

    Whoever replaces fit_epoch, prepare_batch or training_step, as section 3.4 does, calls it so.
    """
    values = [frame.f_locals.get("batch") for frame, _ in traceback.walk_tb(error.__traceback__)]
    batches = [value for value in values if isinstance(value, list | tuple)]
    if not batches:
        return ""
    return ", ".join(
        f"shape {tuple(part.shape)} {part.dtype}"
        if isinstance(part, torch.Tensor)
        else repr(type(part))
        for part in batches[-1]
    )
