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
from dataclasses import dataclass
from pathlib import Path

from tools.course import KERNEL_ENVIRONMENT, ROOT
from tools.run.processes import TREE_ID

SHARED_MEMORY = 2**30  # bytes
IN_MEMORY = "/dev/shm"  # noqa: S108, each sandbox has one of its own
PROGRAMS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/sys", "/nix")
TEMPORARY = "/tmp"  # noqa: S108, in memory as well
WORK = f"{TEMPORARY}/course"
VISIBLE = {*KERNEL_ENVIRONMENT, TREE_ID, "PATH", "LANG", "LC_ALL"}
MOST_WRITTEN = 2**28  # bytes that an isolated kernel may write
PARENT = "JPY_PARENT_PID"  # by which a kernel looks for a parent, which it cannot see in a sandbox


@dataclass(frozen=True)
class Sandbox:
    """What a process sees of the machine.

    Args:
        options: of bubblewrap, which say what is seen and what can be written to.
        environment: variables that are set in it.
        folder: where it starts; None for where it is started from.
        inherits: whether it has the other variables of whoever starts it.
    """

    options: tuple[str, ...]
    environment: dict[str, str]
    folder: str | None = None
    inherits: bool = True

    def prefix(self, *options: str) -> list[str]:
        """The beginning of a command that runs in the sandbox, with more options."""
        changes = [word for item in self.environment.items() for word in ("--setenv", *item)]
        rest = ["--unsetenv", PARENT] if self.inherits else ["--clearenv"]
        start = ["--chdir", self.folder] if self.folder else []
        return ["bwrap", *self.options, *options, *rest, *changes, *start, "--"]

    def environment_in_it(self, outside: dict[str, str]) -> dict[str, str]:
        """The environment of a process that is started from one with the environment `outside`."""
        inherited = {**outside} if self.inherits else {}
        inherited.pop(PARENT, None)
        return {**inherited, **self.environment}


def confined(folder: Path, sockets: Path, offline: bool = False) -> Sandbox:
    """A sandbox that can write to `folder` only, and sees no other process.

    It talks through sockets in a folder of theirs; `offline`, it has no network.
    """
    options = (
        *("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
        *("--tmpfs", "/run"),  # services listen there, and some write whatever they are told
        *("--bind", str(folder), str(folder), "--bind", str(sockets), str(sockets)),
        *("--size", str(SHARED_MEMORY), "--tmpfs", IN_MEMORY),
        *("--unshare-pid", "--cap-drop", "ALL", "--die-with-parent"),
        *(("--unshare-net",) if offline else ()),
    )
    environment = {
        "HOME": str(folder),
        "IPYTHONDIR": str(folder / ".ipython"),
        "MPLCONFIGDIR": str(folder / ".matplotlib"),
        # In memory, and short: the name of a socket, as between a loader and its workers, has at
        # most 107 characters.
        "TMPDIR": IN_MEMORY,
    }
    return Sandbox(options, environment)


def isolated(sockets: Path) -> Sandbox:
    """A sandbox that sees programs, helpers and data, and talks through sockets.

    Those lie in the folder `sockets`, which is the only one that it shares with the outside.
    """
    python = {Path(sys.prefix), Path(sys.base_prefix)}
    seen = [*map(Path, PROGRAMS), *sorted(python), ROOT / "helpers", ROOT / "data"]
    options = (
        *("--unshare-all", "--cap-drop", "ALL", "--die-with-parent"),
        *("--dev", "/dev", "--proc", "/proc", "--size", str(MOST_WRITTEN), "--tmpfs", TEMPORARY),
        *("--size", str(SHARED_MEMORY), "--tmpfs", IN_MEMORY),
        *[word for path in seen for word in ("--ro-bind-try", str(path), str(path))],
        *("--bind", str(sockets), str(sockets)),
        *("--dir", f"{WORK}/notebooks", "--dir", f"{WORK}/data"),
    )
    environment = {
        **{name: value for name, value in os.environ.items() if name in VISIBLE},
        **{"HOME": WORK, "IPYTHONDIR": f"{WORK}/.ipython", "MPLCONFIGDIR": f"{WORK}/.matplotlib"},
        **{"TMPDIR": TEMPORARY, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
    }
    return Sandbox(options, environment, folder=f"{WORK}/notebooks", inherits=False)


def obstacle() -> str:
    """What prevents a sandbox here, or nothing if there can be one."""
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed"
    folder = Path(tempfile.gettempdir())
    for sandbox in (confined(folder, folder), isolated(folder)):
        attempt = subprocess.run(
            [*sandbox.prefix(), "true"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if attempt.returncode:
            return attempt.stderr.strip()[:200]
    return ""
