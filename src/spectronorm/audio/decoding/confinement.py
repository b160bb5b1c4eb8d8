"""Confinement of the decoding process on Linux: Landlock, seccomp, and no way to gain privileges.

After `confine`, the process can read the descriptors that are sent to it, answer over its socket, write into the memory
that it shares, and end. It cannot open, create, change, rename or link files, make sockets, start processes or threads,
map executable memory, or touch another process. Both mechanisms are kernel features that can only remove rights, and
are called by number through `ctypes`: Landlock denies the file system and the network by object (Linux 5.13 and later),
seccomp allows a list of system calls and answers every other one with EPERM (x86-64 and AArch64).

References: landlock(7), seccomp(2), prctl(2).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_GET_DUMPABLE, _PR_GET_SECCOMP = 1, 4, 3, 21
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, _PR_SET_NO_NEW_PRIVS = 22, 2, 38
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT, _LANDLOCK_VERSION = 444, 446, 1
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
"""Number of file access rights by Landlock version; 16 from version 5 on."""

_PROT_EXEC, _AT_EMPTY_PATH = 4, 0x1000
_FCNTL_COMMANDS = (0, 1, 2, 3, 1030)
"""F_DUPFD, F_GETFD, F_SETFD, F_GETFL and F_DUPFD_CLOEXEC; F_SETOWN would send signals to other processes."""


@dataclass(frozen=True)
class _Machine:
    """Numbers of a processor architecture: its audit code, and its system calls by name."""

    audit: int
    calls: Mapping[str, int]


# fmt: off
_CALLS: Mapping[str, tuple[int, int]] = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "fstat": (5, 80), "lseek": (8, 62), "mmap": (9, 222),
    "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "pread64": (17, 67), "pwrite64": (18, 68),
    "readv": (19, 65), "writev": (20, 66), "sched_yield": (24, 124), "mremap": (25, 216), "madvise": (28, 233),
    "nanosleep": (35, 101), "getpid": (39, 172), "sendto": (44, 206), "recvfrom": (45, 207), "sendmsg": (46, 211),
    "recvmsg": (47, 212), "exit": (60, 93), "getrlimit": (97, 163), "getrusage": (98, 165), "setrlimit": (160, 164),
    "gettid": (186, 178), "futex": (202, 98), "sched_getaffinity": (204, 123), "restart_syscall": (219, 128),
    "clock_gettime": (228, 113), "exit_group": (231, 94), "newfstatat": (262, 79), "prlimit64": (302, 261),
    "getrandom": (318, 278), "fcntl": (72, 25), "clock_nanosleep": (230, 115), "sigaltstack": (131, 132),
    "ppoll": (271, 73),
}
# fmt: on
"""The system calls that decoding needs, with their numbers on x86-64 and AArch64."""
_MACHINES = {
    "x86_64": _Machine(0xC000003E, {name: numbers[0] for name, numbers in _CALLS.items()}),
    "aarch64": _Machine(0xC00000B7, {name: numbers[1] for name, numbers in _CALLS.items()}),
}


@dataclass(frozen=True)
class Confinement:
    """The mechanisms that a system has."""

    landlock: bool
    seccomp: bool

    @property
    def complete(self) -> bool:
        """True if both are available."""
        return self.landlock and self.seccomp

    def __str__(self) -> str:
        missing = [name for name, there in (("Landlock", self.landlock), ("seccomp", self.seccomp)) if not there]
        if not missing:
            return "the decoding process is confined by Landlock and seccomp"
        limits = "its time and memory are limited, but code that takes over a decoder"
        if len(missing) == 2:
            return f"this system has neither Landlock nor seccomp: {limits} could read and change files"
        return f"this system has no {missing[0]} for the decoding process: {limits} is held by one mechanism alone"


def available() -> Confinement:
    """The mechanisms that this system offers, without using them."""
    if not sys.platform.startswith("linux"):
        return Confinement(landlock=False, seccomp=False)
    seccomp = platform.machine() in _MACHINES and _libc().prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) >= 0
    return Confinement(landlock=_landlock_version() > 0, seccomp=seccomp)


def confine() -> Confinement:
    """Remove every right from this process that decoding open descriptors does not need, irrevocably.

    Modules and libraries must be loaded before: files cannot be opened any longer.

    Returns:
        The mechanisms in force; a mechanism that the kernel lacks or forbids is left out.
    """
    if not sys.platform.startswith("linux"):
        return Confinement(landlock=False, seccomp=False)
    if _libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return Confinement(landlock=False, seccomp=False)
    landlock = _forbid_files_and_network()
    return Confinement(landlock=landlock, seccomp=_allow_few_calls())


def end_with(parent: int) -> None:
    """End this process when its parent, which has this process id, has ended (Linux only)."""
    if sys.platform.startswith("linux"):
        _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


class Undumpable:
    """Protection of this process's memory from other processes of its user while held (Linux only).

    Without it, a decoder that was taken over on a kernel without seccomp could write into its parent's memory through
    `/proc`. Core dumps and debuggers are refused meanwhile too.
    """

    def __init__(self) -> None:
        self._before: int | None = None

    def hold(self) -> None:
        """Make this process undumpable, unless it is already."""
        if self._before is None and sys.platform.startswith("linux"):
            self._before = _libc().prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0)
            _libc().prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)

    def release(self) -> None:
        """Restore the previous state of this process."""
        if self._before == 1:
            _libc().prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
        self._before = None


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _system_call(number: int, *arguments: object) -> int:
    call = _libc().syscall
    call.restype = ctypes.c_long
    return int(call(ctypes.c_long(number), *arguments))


def _landlock_version() -> int:
    """Return the version of Landlock's interface; 0 or below if there is none."""
    return _system_call(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_LANDLOCK_VERSION))


def _forbid_files_and_network() -> bool:
    """Forbid every right that this kernel's Landlock knows; returns false if there is no Landlock."""
    version = _landlock_version()
    if version < 1:
        return False
    rights = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    network = 0b11 if version >= 4 else 0  # binding and connecting by TCP
    scoped = 0b11 if version >= 6 else 0  # abstract Unix sockets, and signals to other processes
    attributes = struct.pack("<QQQ", rights, network, scoped)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = _system_call(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    return _system_call(_LANDLOCK_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0)) == 0


_LOAD, _JUMP_EQUAL, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000 | errno.EPERM
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Offsets in `struct seccomp_data`; each argument takes 8 bytes, the lower half first."""
Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, operand."""


def _allow_few_calls() -> bool:
    """Install the filter; returns false if this machine or kernel has no seccomp filters."""
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return False
    program = b"".join(struct.pack("<HBBI", *instruction) for instruction in _program(machine))
    buffer = ctypes.create_string_buffer(program, len(program))

    class _Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    described = _Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    return bool(_libc().prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(described), 0, 0) == 0)


def _program(machine: _Machine) -> list[Instruction]:
    """Build the filter: another architecture and every call that is not listed are answered with EPERM."""
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, _ERROR),
        (_LOAD, 0, 0, _NUMBER),
    ]
    for name, number in machine.calls.items():
        rule = _RULES.get(name, [(_RETURN, 0, 0, _ALLOW)])
        program += [(_JUMP_EQUAL, 0, len(rule), number), *rule]
    return [*program, (_RETURN, 0, 0, _ERROR)]


def _argument(index: int, *, upper: bool = False) -> Instruction:
    return _LOAD, 0, 0, _ARGUMENTS + 8 * index + 4 * upper


def _unless_bit(index: int, bit: int) -> Sequence[Instruction]:
    """Allow the call unless the argument has this bit."""
    return [_argument(index), (_JUMP_ANY_BIT, 1, 0, bit), (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERROR)]


def _if_bit(index: int, bit: int) -> Sequence[Instruction]:
    """Allow the call only if the argument has this bit."""
    return [_argument(index), (_JUMP_ANY_BIT, 0, 1, bit), (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERROR)]


def _if_zero(index: int) -> Sequence[Instruction]:
    """Allow the call only if both halves of the argument are 0."""
    return [
        _argument(index),
        (_JUMP_EQUAL, 0, 2, 0),
        _argument(index, upper=True),
        (_JUMP_EQUAL, 1, 0, 0),
        (_RETURN, 0, 0, _ERROR),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _if_one_of(index: int, values: Sequence[int]) -> Sequence[Instruction]:
    """Allow the call only if the argument is one of these."""
    tests = [(_JUMP_EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
    return [_argument(index), *tests, (_RETURN, 0, 0, _ERROR), (_RETURN, 0, 0, _ALLOW)]


_RULES: Mapping[str, Sequence[Instruction]] = {
    "mmap": _unless_bit(2, _PROT_EXEC),
    "mprotect": _unless_bit(2, _PROT_EXEC),
    "newfstatat": _if_bit(3, _AT_EMPTY_PATH),
    "prlimit64": _if_zero(0),
    "fcntl": _if_one_of(1, _FCNTL_COMMANDS),
}
"""Calls that are allowed with some arguments only: no executable memory, state by path or limits of others."""
