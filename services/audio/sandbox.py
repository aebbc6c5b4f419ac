"""Sandbox for decoding untrusted audio: seccomp, resource limits, no privileges and no network.

Two steps. `isolate`, once, in the process that all decoding processes are forked from: an unprivileged user if it
was root, no way to gain privileges, a network namespace with nothing in it. `confine`, in each decoding process:
bounds on memory, processor time, written bytes and descriptors, and a seccomp filter that knows only the system
calls of decoding: no open, socket, connect, fork, exec, kill or ptrace.

What holds where: the bounds and "no new descriptor" (hence no file and no socket) hold on every POSIX system, for
root too. The filter holds on Linux on x86-64 and aarch64. The namespace needs root or unprivileged user
namespaces, which some container runtimes deny; where they do, filter and bounds still leave no socket to open.
"""

import ctypes
import os
import platform
import resource
import struct
from enum import StrEnum
from functools import cache
from typing import NamedTuple

CLONE_NEWNET, CLONE_NEWUSER = 0x4000_0000, 0x1000_0000
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38
SECCOMP_MODE_FILTER = 2
NOBODY = 65_534  # the user without rights on any Linux

# BPF: load a word of the call's description, jump if equal, return.
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE = 0x7FFF_0000, 0x0005_0001  # the second: fail with EPERM
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4  # offsets in struct seccomp_data


class Protection(StrEnum):
    """Layers of the sandbox that `isolate` and `confine` put in place where the system allows it."""

    NO_NEW_PRIVILEGES = "no new privileges"
    NO_NETWORK = "empty network namespace"
    SYSTEM_CALLS = "system call filter"


class _Architecture(NamedTuple):
    audit: int
    """AUDIT_ARCH_…, as the kernel names it."""
    calls: tuple[int, ...]
    """Numbers of the allowed system calls, in the order of the comment below."""


# read write close fstat newfstatat lseek mmap mprotect munmap mremap brk madvise rt_sigaction rt_sigprocmask
# rt_sigreturn sigaltstack pread64 pwrite64 sched_yield getpid gettid exit exit_group futex clock_gettime
# gettimeofday getrandom restart_syscall
_ARCHITECTURES = {
    "x86_64": _Architecture(
        0xC000_003E,
        (
            0, 1, 3, 5, 262, 8, 9, 10, 11, 25, 12, 28, 13, 14,
            15, 131, 17, 18, 24, 39, 186, 60, 231, 202, 228, 96, 318, 219,
        ),
    ),
    "aarch64": _Architecture(
        0xC000_00B7,
        (
            63, 64, 57, 80, 79, 62, 222, 226, 215, 216, 214, 233, 134, 135,
            139, 132, 67, 68, 124, 172, 178, 93, 94, 98, 113, 169, 278, 128,
        ),
    ),
}  # fmt: skip


class ResourceLimits(NamedTuple):
    """Resource limits (rlimits) of one decoding process."""

    memory_bytes: int = 512 << 20
    """Of address space, the interpreter's 250 MB included."""
    cpu_s: int = 60
    written_bytes: int = 0
    """Of the largest file that it may write."""


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def isolate() -> tuple[Protection, ...]:
    """Give up network and privileges for this process and its children; return what could be given up."""
    held = []
    if os.geteuid() == 0:
        if _call("unshare", CLONE_NEWNET):
            held.append(Protection.NO_NETWORK)
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    elif _call("unshare", CLONE_NEWUSER | CLONE_NEWNET):
        held.append(Protection.NO_NETWORK)
    if _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        held.append(Protection.NO_NEW_PRIVILEGES)
    return tuple(held)


def confine(allowance: ResourceLimits) -> tuple[Protection, ...]:
    """Bound this process for good; no file can be opened from here on. Return what holds beyond the bounds."""
    for kind, most in (
        (resource.RLIMIT_AS, allowance.memory_bytes),
        (resource.RLIMIT_FSIZE, allowance.written_bytes),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    # The soft bound ends the process by SIGXCPU, which tells why; the hard one ends it if that is ignored.
    resource.setrlimit(resource.RLIMIT_CPU, (allowance.cpu_s, allowance.cpu_s + 1))
    return (Protection.SYSTEM_CALLS,) if _install_filter() else ()


def _install_filter() -> bool:
    architecture = _ARCHITECTURES.get(platform.machine())
    if architecture is None:
        return False
    program = _assemble_filter(architecture)
    pointer = ctypes.byref(_Program(len(program) // 8, program))
    return _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) and _call(
        "prctl", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, pointer
    )


@cache
def _assemble_filter(architecture: _Architecture) -> bytes:
    """Assemble the BPF program: eight bytes an instruction, (code, jump if true, jump if false, operand)."""
    calls = architecture.calls
    steps = [(_LOAD, 0, 0, _ARCHITECTURE_AT), (_JUMP_IF_EQUAL, 1, 0, architecture.audit), (_RETURN, 0, 0, _REFUSE)]
    steps.append((_LOAD, 0, 0, _NUMBER_AT))
    steps += [(_JUMP_IF_EQUAL, len(calls) - index, 0, call) for index, call in enumerate(calls)]
    steps += [(_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def _call(function: str, *arguments: object) -> bool:
    """Call the C library; False: it has no such function, or the kernel refused."""
    found = getattr(ctypes.CDLL(None, use_errno=True), function, None)
    return found is not None and found(*arguments) == 0
