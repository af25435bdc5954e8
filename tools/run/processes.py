"""A process and all that it starts, watched and ended together."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from uuid import uuid4

import psutil

TREE_ID = "TOOLS_PROCESS_TREE"  # environment variable that every process of a tree inherits


def new_tree_id() -> str:
    """The value of that variable for the processes of one tree, always of the same length."""
    return uuid4().hex


class ProcessTree:
    """A process and all that it started, also what has lost its parent since.

    Used in a `with` statement, at whose end none of them is left.
    """

    def __init__(self, root: psutil.Process, tree_id: str) -> None:
        self.id, self.root = tree_id, root  # a psutil.Popen, or what has its methods
        self.members: set[psutil.Process] = {root}
        self._held = self._shares = 0  # bytes, when they were last compared

    def __enter__(self) -> "ProcessTree":
        return self

    def __exit__(self, *_) -> None:
        self.end()

    def measure_memory(self) -> int:
        """Note which processes there are now; return the bytes that they hold in memory.

        What several share is divided among them. Since it takes long to find out, it is done only
        when the sum of what each holds has changed by a twentieth.
        """
        with suppress(psutil.Error):
            self.members.update(self.root.children(recursive=True))
        self.members = {member for member in self.members if is_alive(member)}
        held = sum(map(resident, self.members))
        if abs(held - self._held) > self._held / 20:
            self._held, self._shares = held, sum(map(share, self.members))
        return self._shares + held - self._held

    def end(self, grace: float = 3) -> None:
        """Kill all but the first process; that one gets some seconds to notice and to save."""
        self.measure_memory()
        kill(self.members - {self.root})
        with suppress(psutil.TimeoutExpired):
            self.root.wait(grace)
        deadline = time.monotonic() + 1  # more than once: they may start others meanwhile
        while (left := self._living()) and time.monotonic() < deadline:
            kill(left)
            time.sleep(0.02)
        self.root.poll()
        self.root.stdin.close()

    def _living(self) -> set[psutil.Process]:
        """Those that were seen, and those that nobody saw start but that inherited the id."""
        return {member for member in self.members if is_alive(member)} | members_of(self.id)


def members_of(tree_id: str) -> set[psutil.Process]:
    """All living processes that have inherited the id of a tree."""
    found = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(TREE_ID) == tree_id and is_alive(process):
                found.add(process)
    return found


def end_with_parent() -> None:
    """End the tree from within once the tool that watches it is gone, by its end of the pipe."""
    os.read(0, 1)
    kill(members_of(os.environ[TREE_ID]) - {psutil.Process()})
    os._exit(1)


def resident(process: psutil.Process) -> int:
    """The bytes that a process holds, with what it shares; 0 if it is gone."""
    with suppress(psutil.Error):
        return process.memory_info().rss
    return 0


def share(process: psutil.Process) -> int:
    """The bytes that a process holds, less what others hold of it; Linux only, else `resident`."""
    with suppress(psutil.Error, AttributeError):
        return process.memory_full_info().pss
    return resident(process)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def kill(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.kill()
