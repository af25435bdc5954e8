"""Keeps a kernel from writing anywhere but to its own folder, with bubblewrap (Linux).

It can still read what its user may read, and use the network.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from jupyter_client import AsyncKernelManager

SHARED_MEMORY = 2**30  # bytes
IN_MEMORY = "/dev/shm"  # noqa: S108, each sandbox has one of its own
SANDBOX = "TOOLS_SANDBOX"  # environment variable: the folder that a kernel may write to


def confined(folder: Path) -> list[str]:
    """The beginning of a command that can write to `folder` only, and sees no other process."""
    return [
        *("bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
        *("--tmpfs", "/run"),  # services listen there, and some write whatever they are told
        *("--bind", str(folder), str(folder), "--setenv", "HOME", str(folder)),
        *("--setenv", "IPYTHONDIR", str(folder / ".ipython")),
        *("--setenv", "MPLCONFIGDIR", str(folder / ".matplotlib")),
        # In memory, and short: the name of a socket, as between a loader and its workers, has at
        # most 107 characters.
        *("--size", str(SHARED_MEMORY), "--tmpfs", IN_MEMORY, "--setenv", "TMPDIR", IN_MEMORY),
        *("--unsetenv", "JPY_PARENT_PID"),  # by which a kernel looks for a parent it cannot see
        *("--unshare-pid", "--cap-drop", "ALL", "--die-with-parent", "--"),
    ]


def obstacle() -> str:
    """What prevents a sandbox here, or nothing if there can be one."""
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed"
    attempt = subprocess.run(
        [*confined(Path(tempfile.gettempdir())), "true"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    return attempt.stderr.strip()[:200] if attempt.returncode else ""


class ConfinedKernelManager(AsyncKernelManager):
    """Starts the kernel in the sandbox."""

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        command = super().format_kernel_cmd(extra_arguments)
        return [*confined(Path(os.environ[SANDBOX])), *command]
