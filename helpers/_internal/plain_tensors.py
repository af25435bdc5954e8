"""Parameters that are plain tensors, as those of sections 3.4 and 4.4."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn


class PlainTensors(nn.Module):
    """A module that counts its plain tensors with gradients among its parameters.

    torch itself counts only `nn.Parameter`: whatever is done to all parameters, such as clipping
    their gradients, saving them or moving them to a GPU, would silently leave out plain tensors.
    """

    def plain_tensors(self) -> dict[str, torch.Tensor]:
        """Return the attributes that are plain tensors with gradients, by name."""
        return {
            name: value
            for name, value in vars(self).items()
            if isinstance(value, torch.Tensor) and value.requires_grad and value.is_leaf
        }

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """Yield name and value of each parameter, those of torch first."""
        yield from super().named_parameters(prefix, recurse, remove_duplicate)
        modules = self.named_modules(prefix=prefix) if recurse else [(prefix, self)]
        for name, module in modules:
            if isinstance(module, PlainTensors):
                for own_name, value in module.plain_tensors().items():
                    yield f"{name}.{own_name}" if name else own_name, value

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        for name, value in self.plain_tensors().items():
            destination[prefix + name] = value if keep_vars else value.detach()

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        *lists: Any,
    ) -> None:
        for name, value in self.plain_tensors().items():
            if prefix + name in state_dict:
                with torch.no_grad():
                    value.copy_(state_dict.pop(prefix + name))
            elif strict:
                missing_keys.append(prefix + name)
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, *lists
        )

    def _apply(self, fn: Callable, recurse: bool = True) -> "PlainTensors":
        super()._apply(fn, recurse)
        for name, value in self.plain_tensors().items():
            setattr(self, name, fn(value.detach()).requires_grad_())
        return self
