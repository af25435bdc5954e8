"""Lets a forked process enter a sandbox (Linux), where a started one would begin in it."""

import ctypes
import os
import signal
import struct
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
NAMESPACES = {
    **{"cgroup": 0x02000000, "ipc": 0x08000000, "mnt": 0x00020000, "net": 0x40000000},
    **{"pid": 0x20000000, "user": 0x10000000, "uts": 0x04000000},
}
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
LAST_CAPABILITY = Path("/proc/sys/kernel/cap_last_cap")


def enter(pid: int) -> None:
    """Let this process, which has one thread, go on in the sandbox of another, without rights.

    A process keeps the numbers of its processes for life, so that it is a child that goes on.
    """
    target = os.pidfd_open(pid)
    kinds = sum(kind for name, kind in NAMESPACES.items() if differs(pid, name))
    check(LIBC.setns(target, kinds), "join the sandbox")
    os.close(target)
    child = os.fork()
    if child:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the child, which gets it, too
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) % 256)
    check(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "give up gaining rights")
    for capability in range(int(LAST_CAPABILITY.read_text()) + 1):
        check(LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "give up rights")
    version_3_of_this_process, none = struct.pack("Ii", 0x20080522, 0), bytes(24)
    check(LIBC.capset(version_3_of_this_process, none), "give up rights")
    check(LIBC.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "see its own files in /proc")
    check(LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "end with its parent")


def differs(pid: int, namespace: str) -> bool:
    """Whether another process is in another namespace of that kind than this one."""
    path = f"/proc/{{}}/ns/{namespace}"
    return os.readlink(path.format(pid)) != os.readlink(path.format("self"))


def check(result: int, what: str) -> None:
    if result:
        raise OSError(ctypes.get_errno(), f"could not {what}")
