"""Where tensors live: the CPU, CUDA devices, or Apple's MPS."""

from collections.abc import Sequence
from typing import Any

import torch

from helpers._internal.notices import say_once


def cpu() -> torch.device:
    """Return the CPU."""
    return torch.device("cpu")


def gpu(i: int = 0) -> torch.device:
    """Return the `i`-th CUDA device, whether or not it exists."""
    return torch.device(f"cuda:{i}")


def num_gpus() -> int:
    """Return how many CUDA devices there are."""
    return torch.cuda.device_count()


def try_gpu(i: int = 0) -> torch.device:
    """Return the `i`-th CUDA device if it exists, else the CPU."""
    return gpu(i) if num_gpus() >= i + 1 else cpu()


def try_all_gpus() -> list[torch.device]:
    """Return all CUDA devices; the list is empty where there is none."""
    return [gpu(i) for i in range(num_gpus())]


def pick_gpus(wanted: int) -> list[torch.device]:
    """Return up to `wanted` accelerators for a trainer: CUDA's, or Apple's MPS.

    Without any, say so once and return an empty list, which means the CPU.
    """
    devices = try_all_gpus()[:wanted]
    if wanted > 0 and not devices and torch.backends.mps.is_available():
        devices = [torch.device("mps")]
    if wanted > 0 and not devices:
        say_once("No GPU found (neither CUDA nor Apple's MPS): training on the CPU.")
    return devices


def to_floats(values: Sequence[Any]) -> list[float]:
    """Return numbers, or scalar tensors, as Python floats; a GPU is waited for only once."""
    if values and all(isinstance(value, torch.Tensor) for value in values):
        return torch.stack([value.reshape(()) for value in values]).tolist()
    return [float(value) for value in values]
