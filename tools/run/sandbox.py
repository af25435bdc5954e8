"""Keeps a kernel from what is not its business, with bubblewrap (Linux).

A confined kernel can write to its own folder only; it can still read what its user may read, and
use the network. An isolated one, for what is graded, sees the programs, helpers and the data, and
nothing else: no network, no chapter, no other file; what it writes is kept in memory, and is gone.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from jupyter_client import AsyncKernelManager

from tools.course import KERNEL_ENVIRONMENT, ROOT
from tools.run.processes import TREE_ID

SHARED_MEMORY = 2**30  # bytes
IN_MEMORY = "/dev/shm"  # noqa: S108, each sandbox has one of its own
SANDBOX = "TOOLS_SANDBOX"  # environment variable: the folder that a kernel may write to
ISOLATED = "isolated"  # its value for a kernel that may write nowhere
PROGRAMS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/sys", "/nix")
TEMPORARY = "/tmp"  # noqa: S108, in memory as well
WORK = f"{TEMPORARY}/course"
VISIBLE = {*KERNEL_ENVIRONMENT, TREE_ID, "PATH", "LANG", "LC_ALL"}
MOST_WRITTEN = 2**28  # bytes that an isolated kernel may write


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


def isolated(sockets: Path) -> list[str]:
    """The beginning of a command that sees programs, helpers and data, and talks through sockets.

    Those lie in the folder `sockets`, which is the only one that it shares with the outside.
    """
    python = {Path(sys.prefix), Path(sys.base_prefix)}
    seen = [*map(Path, PROGRAMS), *sorted(python), ROOT / "helpers", ROOT / "data"]
    environment = {
        **{name: value for name, value in os.environ.items() if name in VISIBLE},
        **{"HOME": WORK, "IPYTHONDIR": f"{WORK}/.ipython", "MPLCONFIGDIR": f"{WORK}/.matplotlib"},
        **{"TMPDIR": TEMPORARY, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
    }
    return [
        *("bwrap", "--unshare-all", "--cap-drop", "ALL", "--die-with-parent", "--clearenv"),
        *("--dev", "/dev", "--proc", "/proc", "--size", str(MOST_WRITTEN), "--tmpfs", TEMPORARY),
        *("--size", str(SHARED_MEMORY), "--tmpfs", IN_MEMORY),
        *[word for path in seen for word in ("--ro-bind-try", str(path), str(path))],
        *("--bind", str(sockets), str(sockets)),
        *("--dir", f"{WORK}/notebooks", "--dir", f"{WORK}/data", "--chdir", f"{WORK}/notebooks"),
        *[word for item in environment.items() for word in ("--setenv", *item)],
        "--",
    ]


def obstacle() -> str:
    """What prevents a sandbox here, or nothing if there can be one."""
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed"
    folder = Path(tempfile.gettempdir())
    for command in (confined(folder), isolated(folder)):
        attempt = subprocess.run(
            [*command, "true"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        if attempt.returncode:
            return attempt.stderr.strip()[:200]
    return ""


class ConfinedKernelManager(AsyncKernelManager):
    """Starts the kernel in the sandbox."""

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        command = super().format_kernel_cmd(extra_arguments)
        return [*confined(Path(os.environ[SANDBOX])), *command]


class IsolatedKernelManager(AsyncKernelManager):
    """Starts the kernel in the sandbox without a network, and talks to it through files.

    A signal would reach bubblewrap, so that a kernel is interrupted by a message.
    """

    def __init__(self, **options) -> None:
        super().__init__(**options)
        # A short name: that of a socket has at most 107 characters.
        self.sockets = tempfile.TemporaryDirectory(prefix="kernel-")
        self.transport, self.connection_file = "ipc", str(Path(self.sockets.name, "kernel.json"))

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        assert self.kernel_spec is not None
        self.kernel_spec.interrupt_mode = "message"
        command = super().format_kernel_cmd(extra_arguments)
        return [*isolated(Path(self.sockets.name)), *command]


KERNEL_MANAGERS = {None: AsyncKernelManager, ISOLATED: IsolatedKernelManager}


def kernel_manager() -> type[AsyncKernelManager]:
    """The kernel manager that the environment asks for."""
    return KERNEL_MANAGERS.get(os.environ.get(SANDBOX), ConfinedKernelManager)
