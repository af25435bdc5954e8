"""Where the kernel of a notebook comes from: it is started or forked, freely or in a sandbox."""

import json
import os
import subprocess
import tempfile
import time
from contextlib import suppress
from importlib.metadata import EntryPoint
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any, ClassVar

from jupyter_client import (
    AsyncKernelClient,
    AsyncKernelManager,
    KernelConnectionInfo,
    KernelManager,
)
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner
from jupyter_core.utils import ensure_async

from tools.course import short_folder
from tools.run.sandbox import PARENT, Sandbox, confined, isolated

if TYPE_CHECKING:
    from tools.run.waiting_kernel import WaitingKernel

SANDBOX = "TOOLS_SANDBOX"  # environment variable: the folder that a kernel may write to
ISOLATED = "isolated"  # its value for a kernel that may write nowhere
OFFLINE = "TOOLS_OFFLINE"  # environment variable: set if such a kernel has no network either


class OverSockets(KernelManager):
    """Starts a kernel, and talks to it through files in a folder of its own.

    By default they talk through ports that are free when they are chosen; now and then another
    program takes one before the kernel does, which then dies. Windows has nothing but ports.
    """

    sockets: tempfile.TemporaryDirectory | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if os.name == "posix":
            self.sockets = tempfile.TemporaryDirectory(prefix="kernel-", dir=short_folder())
            self.transport = "ipc"
            self.connection_file = str(Path(self.sockets.name, "kernel.json"))

    async def cleanup_resources(self, restart: bool = False) -> None:  # type: ignore[override]
        await ensure_async(super().cleanup_resources(restart))
        if self.sockets and not restart:
            self.sockets.cleanup()


class Client(AsyncKernelClient):
    """Begins as soon as the kernel answers; jupyter_client's own waits for a silence of 0.2 s."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        end = time.monotonic() + (timeout or float("inf"))
        while time.monotonic() < end:
            self.kernel_info()
            with suppress(Empty):
                await self.shell_channel.get_msg(timeout=1)
                await self.iopub_channel.get_msg(timeout=0.2)  # what is shown arrives, too
                return
            if not await self.is_alive():
                raise RuntimeError("the kernel died before its first answer")
        raise RuntimeError(f"the kernel did not answer within {timeout:g} seconds")


class Manager(OverSockets, AsyncKernelManager):
    """Starts a kernel, in a sandbox or outside of any."""

    sandbox: Sandbox | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.client_factory = Client

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        if not self.sandbox:
            return super().format_kernel_cmd(extra_arguments)
        assert self.kernel_spec is not None
        self.kernel_spec.interrupt_mode = "message"  # a signal would reach bubblewrap
        return [*self.sandbox.prefix(), *super().format_kernel_cmd(extra_arguments)]


class ConfinedManager(Manager):
    """Starts a kernel that can write to its own folder only, and may have no network."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        assert self.sockets
        folder, sockets = Path(os.environ[SANDBOX]), Path(self.sockets.name)
        self.sandbox = confined(folder, sockets, offline=OFFLINE in os.environ)


class IsolatedManager(Manager):
    """Starts a kernel that sees programs, helpers and data only, and has no network."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        assert self.sockets
        self.sandbox = isolated(Path(self.sockets.name))


def manager() -> type[Manager]:
    """The kernel manager that the environment asks for."""
    wanted = os.environ.get(SANDBOX)
    if wanted is None:
        return Manager
    return IsolatedManager if wanted == ISOLATED else ConfinedManager


class ForkedProvisioner(LocalProvisioner):
    """Lets a forked process that waits be the kernel, in place of starting one."""

    waiting: "ClassVar[WaitingKernel]"

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        assert isinstance(self.parent, Manager)
        environment, folder = options["env"], options.get("cwd") or os.getcwd()
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
        sandbox, holder, pid = self.parent.sandbox, None, None
        if sandbox:
            holder, pid = hold(sandbox, environment)
            environment = sandbox.environment_in_it(environment)
            folder = sandbox.folder or folder
        else:
            environment = {**environment, PARENT: str(os.getpid())}
            arguments.append(f"--IPKernelApp.parent_handle={os.getpid()}")
        if not self.waiting.start(arguments, environment, folder, pid):
            if holder:
                holder.kill()
            return await super().launch_kernel(cmd, **options)
        self.process = self.waiting  # type: ignore[assignment]  # as good as a Popen
        self.pid = self.pgid = self.waiting.pid
        self.cwd = folder
        return self.connection_info


def hold(sandbox: Sandbox, environment: dict[str, str]) -> tuple[subprocess.Popen, int]:
    """Make a sandbox for others to enter; return a process that keeps it, and one in it."""
    reading, writing = os.pipe()
    holder = subprocess.Popen(
        [*sandbox.prefix("--json-status-fd", str(writing)), "cat"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[writing],
    )
    os.close(writing)
    assert holder.stdin
    assert holder.stdout
    with open(reading) as status:
        pid = json.loads(status.readline())["child-pid"]
    holder.stdin.write(b"\n")
    holder.stdin.flush()
    holder.stdout.readline()  # its answer comes when the sandbox is complete
    return holder, pid


def fork_in_place_of_starting(waiting: "WaitingKernel") -> None:
    """Have that process be the next kernel."""
    ForkedProvisioner.waiting = waiting
    factory = KernelProvisionerFactory.instance()
    entry = EntryPoint("forked", f"{__name__}:ForkedProvisioner", factory.GROUP_NAME)
    factory.provisioners[entry.name] = entry
    factory.default_provisioner_name = entry.name
