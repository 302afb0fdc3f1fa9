"""Who works on a part: a name for this process, and whether the holder of a lease still lives."""

import hashlib
import os
import platform
import secrets
from pathlib import Path


def machine_name() -> str:
    """A name for this machine, this boot of it, and the set of process ids that this process sees."""
    pieces = [platform.node(), _content("/proc/sys/kernel/random/boot_id"), _link("/proc/self/ns/pid")]
    return hashlib.sha256("\n".join(pieces).encode("utf-8", "surrogateescape")).hexdigest()[:12]


def new_owner() -> str:
    """A name for one holder of leases in this process, told apart from all others."""
    return f"{machine_name()}:{os.getpid()}:{secrets.token_hex(6)}"


def certainly_dead(owner: str) -> bool:
    """Whether the holder was a process of this machine that is gone; time alone judges other machines."""
    machine, _, rest = owner.partition(":")
    pid = rest.partition(":")[0]
    if machine != machine_name() or not pid.isdecimal():
        return False
    return not _runs(int(pid))


def _runs(pid: int) -> bool:
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _content(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""
