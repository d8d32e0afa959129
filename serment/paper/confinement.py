"""What a process gives up before it reads what strangers wrote: files, programs, the network, most of memory.

Three fences: limits (setrlimit(2)); a name space without network, where the kernel lets a user make one
(unshare(2)); a filter that lets only the calls pass that computing, reading and writing open pipes need
(seccomp(2), BPF), every other one answering EPERM. The process can take none of it back. Where a fence is not
to be had, `confine` says so and the others stand.

Linux on x86-64 and aarch64; elsewhere the limits only.
"""

from __future__ import annotations

import ctypes
import platform
import resource
import struct
import sys
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

MEMORY: Final = 1024 * 1024 * 1024
"""Bytes of address space."""

SECONDS: Final = 8
"""Seconds of the processor."""

FILTER: Final = "filter"
NETWORK: Final = "network"
LIMITS: Final = "limits"

_NO_NEW_PRIVILEGES: Final = 38
_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2
_NEW_USER_AND_NETWORK: Final = 0x10000000 | 0x40000000
_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_REFUSE: Final = 0x00050000 | 1
"""SECCOMP_RET_ERRNO with EPERM."""

_LOAD: Final = 0x20
_EQUAL: Final = 0x15
_RETURN: Final = 0x06

_CALLS: Final = {
    "x86_64": {
        "read": 0, "write": 1, "close": 3, "fstat": 5, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11,
        "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "sched_yield": 24,
        "mremap": 25, "madvise": 28, "getpid": 39, "exit": 60, "sigaltstack": 131, "gettid": 186,
        "futex": 202, "clock_gettime": 228, "exit_group": 231, "tgkill": 234, "getrandom": 318,
    },
    "aarch64": {
        "close": 57, "lseek": 62, "read": 63, "write": 64, "fstat": 80, "exit": 93, "exit_group": 94,
        "futex": 98, "clock_gettime": 113, "sched_yield": 124, "tgkill": 131, "sigaltstack": 132,
        "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "getpid": 172, "gettid": 178,
        "brk": 214, "munmap": 215, "mremap": 216, "mmap": 222, "mprotect": 226, "madvise": 233,
        "getrandom": 278,
    },
}  # fmt: skip
"""The calls that pass, by the name of the machine and their numbers on it (asm/unistd.h)."""

_MACHINE: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""How the kernel names a machine to a filter (linux/audit.h)."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


@dataclass(frozen=True, slots=True)
class Fences:
    """Which fences stand."""

    standing: frozenset[str]

    @property
    def whole(self) -> bool:
        """Whether neither a file nor the network can be reached any more."""
        return FILTER in self.standing


def limited() -> None:
    """Set the limits: memory, processor, no file that grows, no process, no core. Call first."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 32),
    ):
        _, hard = resource.getrlimit(what)
        top = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (top, top))


def confine() -> Fences:
    """Give up the network and every call that is not needed. Call once all is loaded and read."""
    standing = {LIMITS}
    machine = platform.machine()
    if sys.platform == "linux" and machine in _CALLS:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_NEW_USER_AND_NETWORK) == 0:
            standing.add(NETWORK)
        if _filtered(libc, program(_MACHINE[machine], _CALLS[machine].values())):
            standing.add(FILTER)
    return Fences(frozenset(standing))


def _filtered(libc: ctypes.CDLL, code: bytes) -> bool:
    filter_ = _Program(len(code) // 8, code)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_SET_SECCOMP, _MODE_FILTER, ctypes.byref(filter_), 0, 0) == 0)


def program(machine: int, calls: Collection[int]) -> bytes:
    """Write the filter (linux/filter.h): a call of another machine kills, one not named is refused."""
    lines = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    for place, call in enumerate(calls):
        lines.append((_EQUAL, len(calls) - place, 0, call))
    lines += [(_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("HBBI", *line) for line in lines)
