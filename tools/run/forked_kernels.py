"""Kernels forked from a process with all imports, for a program that has a client of its own.

To start a kernel and to import torch in it takes some seconds; a forked one has both in a third of
a second.
"""

import atexit
import os
import sys
from functools import cache
from typing import Any

from jupyter_client import KernelConnectionInfo, KernelManager
from jupyter_client.provisioning import LocalProvisioner

from tools.run.preloaded import HAS_FORK, Preloaded


@cache
def server() -> Preloaded | None:
    """The process that the kernels of this one are forked from; None where that is not possible."""
    if not HAS_FORK:
        return None
    started = Preloaded()
    atexit.register(started.close)
    return started if started.is_ready() else None


class FromServer(LocalProvisioner):
    """Has the server fork a kernel of this Python, in place of starting one."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        is_ours = cmd[0] == sys.executable and "ipykernel_launcher" in cmd
        forks = server() if is_ours else None
        if not forks:
            return await super().launch_kernel(cmd, **options)
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
        folder, log = options.get("cwd") or os.getcwd(), options.get("stderr") or sys.__stderr__
        assert log
        self.process = forks.start_kernel(arguments, options["env"], folder, log)
        self.pid = self.pgid = self.process.pid
        self.cwd = folder
        return self.connection_info


def forking(manager: type[KernelManager]) -> type[KernelManager]:
    """The kernel manager of a kind whose kernels are forked."""

    class Forking(manager):  # type: ignore[misc, valid-type]
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.provisioner = FromServer(kernel_spec=self.kernel_spec, parent=self)

    return Forking
