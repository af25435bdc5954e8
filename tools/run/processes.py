"""A process and all that it starts, watched and ended together."""

import os
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from uuid import uuid4

import psutil

TREE_ID = "TOOLS_PROCESS_TREE"  # environment variable that every process of a tree inherits


class ProcessTree:
    """A process and all that it started, also what has lost its parent since.

    Used in a `with` statement, at whose end none of them is left.
    """

    def __init__(self, command: list[str], env: dict[str, str], **options) -> None:
        self.id = uuid4().hex
        env = {**env, TREE_ID: self.id}
        self.root = psutil.Popen(command, env=env, stdin=subprocess.PIPE, **options)
        self.members: set[psutil.Process] = {self.root}

    def __enter__(self) -> "ProcessTree":
        return self

    def __exit__(self, *_) -> None:
        self.end()

    def measure_memory(self) -> int:
        """Note which processes there are now; return the bytes that they hold in memory."""
        with suppress(psutil.Error):
            self.members.update(self.root.children(recursive=True))
        self.members = {member for member in self.members if is_alive(member)}
        total = 0
        for member in self.members:
            with suppress(psutil.Error):
                total += member.memory_info().rss
        return total

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


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def kill(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.kill()
