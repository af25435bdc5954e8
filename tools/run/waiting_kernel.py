"""A kernel that is forked, with all imports, before anybody knows for which notebook."""

import importlib.util
import json
import os
import signal
import sys
import tempfile
from contextlib import suppress

import numpy
import torch
from ipykernel import kernelapp

from tools.run.namespaces import enter


class WaitingKernel:
    """A process that has all imports of a kernel, and waits to be told which kernel to be.

    It has what jupyter_client asks of a `subprocess.Popen`.
    """

    stdin = stdout = stderr = None

    def __init__(self, inherited: int) -> None:
        orders, self._orders = os.pipe()
        self._answers, answers = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(self._orders)
            os.close(inherited)
            os.setsid()
            be_kernel(orders, answers)
            sys.exit()
        os.close(orders)
        os.close(answers)
        self.returncode: int | None = None

    def start(
        self, arguments: list[str], environment: dict[str, str], folder: str, sandbox: int | None
    ) -> bool:
        """Let it be the kernel with those arguments, in the sandbox of that process, if any.

        False if it cannot enter that sandbox, for which it takes Linux 5.8; then it has ended.
        """
        order = {"arguments": arguments, "environment": environment, "folder": folder}
        with open(self._orders, "w") as file:
            json.dump({**order, "sandbox": sandbox}, file)
        with open(self._answers, "rb") as file:
            return bool(file.read(1))

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self) -> int:
        if self.returncode is None:
            _, status = os.waitpid(self.pid, 0)
            self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def be_kernel(orders: int, answers: int | None = None) -> None:
    """Wait for an order, and be that kernel from then on, until it is shut down."""
    close_all_but({1, 2, orders, answers})
    os.open(os.devnull, os.O_RDONLY)  # the lowest number that is free: standard input
    with open(orders) as file:
        text = file.read()
    if not text:  # there is no notebook after all
        return
    order = json.loads(text)
    if order.get("sandbox"):
        enter(order["sandbox"])
    if answers is not None:
        os.write(answers, b"!")
        os.close(answers)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    forget_the_tools()
    launcher = importlib.util.find_spec("ipykernel_launcher")
    assert launcher
    assert launcher.origin
    sys.argv = [launcher.origin, *order["arguments"]]
    tempfile.tempdir = None  # it is found anew
    numpy.random.seed()  # after a fork Python seeds its own generator, but no other does so
    torch.default_generator.seed()
    kernelapp.launch_new_instance()


def close_all_but(kept: set[int | None]) -> None:
    for descriptor in {int(name) for name in os.listdir("/proc/self/fd")} - kept:
        with suppress(OSError):  # the one that listed them
            os.close(descriptor)


def forget_the_tools() -> None:
    """Leave a notebook what it can import in a kernel that was started, and nothing else."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "tools"]:
        del sys.modules[name]
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:1] = [folder for folder in named if folder and folder not in sys.path[1:]]
