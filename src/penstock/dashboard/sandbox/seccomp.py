"""A filter of system calls: no socket, no other program or process, nothing opened to be written. Linux only.

What Landlock does not cover (UDP and unix sockets, modes and times of files) and, once more, what it does.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import sys
from collections.abc import Iterator

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Where they are in what the filter sees; of the arguments, 8 bytes each."""
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Machine → column of the table below, and the kernel's name for it."""
_X32 = 0x40000000
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_NO_NEW_PRIVS, _GET_SECCOMP = 38, 21
_SECCOMP_CALL = (317, 277)
_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_THREAD = 0x00010000
_MISSING = -1

_REFUSED = {
    # the network
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242), "sendto": (44, 206), "sendmsg": (46, 211), "sendmmsg": (307, 269),
    # other programs and processes
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, _MISSING), "vfork": (58, _MISSING),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kill": (62, 129),
    "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "shmget": (29, 194),
    "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180),
    # files that are there, which need not be opened to be changed
    "chmod": (90, _MISSING), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, _MISSING), "fchown": (93, 55), "lchown": (94, _MISSING), "fchownat": (260, 54),
    "utime": (132, _MISSING), "utimes": (235, _MISSING), "utimensat": (280, 88), "futimesat": (261, _MISSING),
    "truncate": (76, 45), "ftruncate": (77, 46), "fallocate": (285, 47), "rename": (82, _MISSING),
    "renameat": (264, 38), "renameat2": (316, 276), "link": (86, _MISSING), "linkat": (265, 37),
    "symlink": (88, _MISSING), "symlinkat": (266, 36), "unlink": (87, _MISSING), "unlinkat": (263, 35),
    "mkdir": (83, _MISSING), "mkdirat": (258, 34), "rmdir": (84, _MISSING), "mknod": (133, _MISSING),
    "mknodat": (259, 33), "creat": (85, _MISSING), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "open_by_handle_at": (304, 265),
    # ways around a filter, and the machine itself
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "kexec_load": (246, 104), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "settimeofday": (164, 170), "clock_settime": (227, 112), "personality": (135, 92),
}  # fmt: skip
"""System call → its number on x86_64, on aarch64."""
_OPEN = {"open": (2, _MISSING), "openat": (257, 56)}
_CLONE, _CLONE3, _OPENAT2 = (56, 220), 435, 437


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("value", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


def is_possible() -> bool:
    """Whether we know this machine's numbers, and its kernel filters."""
    if sys.platform != "linux" or platform.machine() not in _ARCHITECTURES:
        return False
    return int(ctypes.CDLL(None, use_errno=True).prctl(_GET_SECCOMP, 0, 0, 0, 0)) >= 0


def restrict() -> None:
    """For all threads of this process, for good. Raises OSError where it cannot be."""
    if not is_possible():
        raise OSError("there is no filter of system calls here")
    libc = ctypes.CDLL(None, use_errno=True)
    column, architecture = _ARCHITECTURES[platform.machine()]
    instructions = [_Instruction(*each) for each in _instructions(column, architecture)]
    array = (_Instruction * len(instructions))(*instructions)
    program = _Program(len(instructions), array)
    done = libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.syscall(
        _SECCOMP_CALL[column], _SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(program)
    )
    if done:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _instructions(column: int, architecture: int) -> Iterator[tuple[int, int, int, int]]:
    yield _LOAD, 0, 0, _ARCHITECTURE
    yield _JUMP_EQUAL, 1, 0, architecture
    yield _RETURN, 0, 0, _KILL
    yield _LOAD, 0, 0, _NUMBER
    yield _JUMP_AT_LEAST, 0, 1, _X32
    yield _RETURN, 0, 0, _KILL
    for numbers in _REFUSED.values():
        if numbers[column] != _MISSING:
            yield from _if_it_is(numbers[column], [(_RETURN, 0, 0, _FAIL | errno.EPERM)])
    # their flags lie in memory, where a filter cannot look; callers then use the older ones
    for number in (_CLONE3, _OPENAT2):
        yield from _if_it_is(number, [(_RETURN, 0, 0, _FAIL | errno.ENOSYS)])
    yield from _if_it_is(_CLONE[column], _by_flags(0, _THREAD, if_any=_ALLOW, if_none=_FAIL | errno.EPERM))
    for place, numbers in ((1, _OPEN["open"]), (2, _OPEN["openat"])):
        if numbers[column] != _MISSING:
            flags = _by_flags(place, _TO_WRITE, if_any=_FAIL | errno.EROFS, if_none=_ALLOW)
            yield from _if_it_is(numbers[column], flags)
    yield _RETURN, 0, 0, _ALLOW


def _if_it_is(number: int, then: list[tuple[int, int, int, int]]) -> Iterator[tuple[int, int, int, int]]:
    yield _JUMP_EQUAL, 0, len(then), number
    yield from then


def _by_flags(argument: int, flags: int, *, if_any: int, if_none: int) -> list[tuple[int, int, int, int]]:
    return [
        (_LOAD, 0, 0, _ARGUMENTS + 8 * argument),
        (_JUMP_ANY_BIT, 0, 1, flags),
        (_RETURN, 0, 0, if_any),
        (_RETURN, 0, 0, if_none),
    ]
