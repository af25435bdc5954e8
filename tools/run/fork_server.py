"""Imports once what every notebook needs, and forks the processes of each notebook from that.

tools.run.preloaded starts it and asks for one notebook at a time. Each gets two processes: one for
papermill, and a kernel, forked from it before either has a second thread. A program with a client
of its own, as pytest is, asks for a kernel alone.
"""

import builtins
import ctypes
import gc
import importlib
import json
import os
import selectors
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import NoReturn

import matplotlib.backends.backend_agg
import matplotlib.backends.backend_svg
import matplotlib.figure
import nbformat
import torchvision  # and torch with it

from tools.run import executor
from tools.run.preloaded import KERNEL
from tools.run.processes import TREE_ID
from tools.run.waiting_kernel import WaitingKernel, be_kernel

# The chapters import them sooner or later, and pyplot, which asks which kernel it is in.
IMPORTED = (matplotlib, torchvision)
PIPES = 3  # that come with a request: what to execute, the log, and where to tell how it ended
TREE_ID_LENGTH = 32


def serve(connection: socket.socket) -> None:
    """Fork for each request, and tell when that process ends and how, until nobody asks."""
    connection.send(b"!")  # ready
    selector = selectors.PollSelector()
    selector.register(connection, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is not connection:
                selector.unregister(key.fileobj)
                report(key.fd, *key.data)
                continue
            request, pipes, *_ = socket.recv_fds(connection, 1 + TREE_ID_LENGTH, PIPES)
            if not request:
                return
            orders, log, status = pipes
            pid = os.fork()
            if not pid:
                connection.close()
                os.close(status)
                serve_one(request[:1], request[1:], orders, log)
                sys.exit()
            os.close(orders)
            os.close(log)
            os.write(status, pid.to_bytes(4, "big"))
            selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, status))


def report(pidfd: int, pid: int, status: int) -> None:
    """Tell how a process has ended."""
    _, code = os.waitpid(pid, 0)
    os.close(pidfd)
    with suppress(BrokenPipeError):  # nobody wants to know any more
        os.write(status, os.waitstatus_to_exitcode(code).to_bytes(4, "big", signed=True))
    os.close(status)


def serve_one(wanted: bytes, tree_id: bytes, orders: int, log: int) -> None:
    """Be what is wanted, in a session of its own, which writes to the log."""
    os.setsid()
    name_tree(tree_id)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    if wanted == KERNEL:
        be_kernel(orders)
    else:
        execute(orders)


def execute(orders: int) -> None:
    """Be papermill for one notebook; its standard input ends when the tool that asked is gone."""
    kernel = WaitingKernel(orders)
    os.dup2(orders, 0)
    os.close(orders)
    with open(0, closefd=False) as file:
        order = json.loads(file.readline())
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    sys.argv = ["papermill", *order["command"]]
    leave_with(executor.main, kernel)


def leave_with(main: Callable[[WaitingKernel], None], kernel: WaitingKernel) -> NoReturn:
    """End this process with a function, as a program does, but leave its memory to the system.

    To clear it up takes Python half a second.
    """
    code = 1
    try:
        main(kernel)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def name_tree(tree_id: bytes) -> None:
    """Write the id of a process tree to where the system reads this process's environment.

    That is as it was when the server started; all who are forked from here on inherit the change.
    """
    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_void_p
    ctypes.memmove(getenv(TREE_ID.encode()), tree_id, TREE_ID_LENGTH)


@contextmanager
def in_a_notebook() -> Iterator[None]:
    """Let pandas, which asks when it is imported, think that it is in a notebook."""
    builtins.get_ipython = lambda: SimpleNamespace(kernel=True)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del builtins.get_ipython  # type: ignore[attr-defined]


def main() -> None:
    """Serve the tool that started this, which is at the other end of the standard input."""
    with in_a_notebook():
        importlib.import_module("pandas")
    nbformat.validate(nbformat.v4.new_notebook())  # compiles the schema
    gc.collect()
    gc.freeze()  # the collector would write to what is shared, and so copy it
    serve(socket.socket(fileno=0))
