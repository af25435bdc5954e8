"""The tool's side of tools.run.fork_server: a process for each notebook, with all its imports."""

import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import psutil

from tools.course import ROOT, kernel_environment
from tools.run.processes import TREE_ID, new_tree_id
from tools.run.sandbox import PARENT, VISIBLE

NEEDED = {*VISIBLE, "PYTHONPATH", "LD_LIBRARY_PATH"}  # by the server; a kernel could read the rest
# What a kernel sets before anything imports matplotlib, which reads it only then.
BACKEND = "module://matplotlib_inline.backend_inline"
NOTEBOOK, KERNEL = b"n", b"k"  # what the server is asked for; the id of a process tree follows
KILLED = -9  # as subprocess.Popen has it
LOOK_EVERY = 0.02  # seconds between two looks at a process that is waited for


def can_fork() -> bool:
    """Whether kernels can be forked: on Linux 5.3 or newer.

    macOS has fork, but its own libraries do not survive it.
    """
    if sys.platform != "linux":
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


HAS_FORK = can_fork()


class ForkedProcess(psutil.Process):
    """A process of the server's, with what `psutil.Popen` has for one's own."""

    stdout = stderr = None

    def __init__(self, status: int, orders: int) -> None:
        self._status = status
        self.stdin = os.fdopen(orders, "wb", buffering=0)
        self.returncode: int | None = None
        pid = os.read(status, 4)
        if not pid:
            raise OSError("the process that has all imports is gone")
        super().__init__(int.from_bytes(pid, "big"))

    def poll(self) -> int | None:
        """Its exit status, as a `subprocess.Popen` has it; None while it lives."""
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            code = os.read(self._status, 4)
            # Without a code the server was killed, and so nobody knows.
            self.returncode = int.from_bytes(code, "big", signed=True) if code else KILLED
            os.close(self._status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise psutil.TimeoutExpired(timeout, pid=self.pid)
            time.sleep(LOOK_EVERY)
        return code


class Preloaded:
    """The server that forks a process for each notebook."""

    def __init__(self) -> None:
        self._connection, theirs = socket.socketpair()
        environment = {n: v for n, v in kernel_environment().items() if n in NEEDED}
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tools.run.entry", "serve"],
            stdin=theirs.fileno(),
            cwd=ROOT,
            env={**environment, TREE_ID: new_tree_id(), "MPLBACKEND": BACKEND},
            start_new_session=True,  # Ctrl-C reaches the tool, which then ends the server
        )
        theirs.close()
        self._one_at_a_time = threading.Lock()

    def start(
        self, command: list[str], env: dict[str, str], cwd: Path, log: TextIO
    ) -> ForkedProcess:
        """Start what tools.run.entry does with these arguments.

        Raises:
            OSError: when the server is gone.
        """
        process = self._fork(NOTEBOOK, env[TREE_ID], log)
        order = {"command": command, "environment": env, "folder": str(cwd)}
        process.stdin.write(json.dumps(order).encode() + b"\n")
        return process

    def start_kernel(
        self, arguments: list[str], env: dict[str, str], cwd: str, log: TextIO
    ) -> ForkedProcess:
        """Start what ipykernel_launcher does with these arguments, which ends with the server.

        Raises:
            OSError: when the server is gone.
        """
        process = self._fork(KERNEL, new_tree_id(), log)
        parent = str(self._server.pid)
        order = {
            "arguments": [*arguments, f"--IPKernelApp.parent_handle={parent}"],
            "environment": {**env, PARENT: parent},
            "folder": cwd,
        }
        with process.stdin:
            process.stdin.write(json.dumps(order).encode())
        return process

    def _fork(self, wanted: bytes, tree_id: str, log: TextIO) -> ForkedProcess:
        """Ask for a process, which then waits for its order."""
        read_orders, write_orders = os.pipe()
        read_status, write_status = os.pipe()
        try:
            with self._one_at_a_time:
                given = [read_orders, log.fileno(), write_status]
                socket.send_fds(self._connection, [wanted, tree_id.encode()], given)
        finally:
            os.close(read_orders)
            os.close(write_status)
        return ForkedProcess(read_status, write_orders)

    def is_ready(self) -> bool:
        """Wait until all is imported; False if that fails, and then it has said why."""
        return bool(self._connection.recv(1))

    def close(self) -> None:
        self._connection.close()
        self._server.wait()


@contextmanager
def preload(wanted: bool) -> Iterator[Preloaded | None]:
    """The server while the `with` statement lasts; None if there is none, or it is not wanted."""
    if not wanted or not HAS_FORK:
        yield None
        return
    server = Preloaded()
    try:
        yield server if server.is_ready() else None
    finally:
        server.close()
