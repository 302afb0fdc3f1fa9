"""Files of ours on disk: for this user alone, never half-written, never written through a symbolic link."""

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path


def expanded(given: str) -> Path:
    """The path that a person named, `~` expanded. Raises OSError where nobody's home is meant by it."""
    try:
        return Path(given).expanduser()
    except RuntimeError:
        raise FileNotFoundError(errno.ENOENT, "there is no such home directory", given) from None


def make_private_directory(path: Path) -> None:
    """Make the directory and its missing parents, readable by this user alone; a link to one may stand there.

    Raises OSError, also for a directory of another user, who could put other files in the place of ours.
    """
    make_missing_directories(path)
    refuse_unsafe_directory(path)
    status = path.stat()
    _refuse_foreign(status, path)
    if stat.S_IMODE(status.st_mode) != 0o700:
        path.chmod(0o700)


def make_missing_directories(path: Path) -> None:
    """Make the directory and its missing parents, each readable by this user alone. Raises OSError."""
    missing = []
    here = path
    while not here.exists():
        missing.append(here)
        here = here.parent
    for directory in reversed(missing):
        directory.mkdir(mode=0o700, exist_ok=True)


def refuse_unsafe_directory(path: Path) -> None:
    """Raise OSError where another user could put another directory in the place of this one.

    That is a symbolic link of theirs, or a directory above in which anybody may replace what is not theirs.
    A directory of root's, or one with the sticky bit as /tmp has, is as the system was set up.
    """
    if not hasattr(os, "geteuid"):
        return
    if path.is_symlink():
        _refuse_foreign(path.lstat(), path)
    whole = path.resolve()
    for directory in (whole, *whole.parents):
        status = directory.stat()
        anybody = status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX
        if anybody and status.st_uid not in (0, os.geteuid()):
            raise PermissionError(
                errno.EPERM,
                "it belongs to another user and anybody may replace what is in it:"
                " take the right to write from others, or name another place",
                str(directory),
            )


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` in place of the plain file that `path` names or is to name, all or nothing, mode 0600.

    Raises OSError, also where a symbolic link, a device, a pipe or another user's file is in the way:
    a link would be replaced and not followed, which nobody who made it expects.
    """
    with contextlib.suppress(FileNotFoundError):
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            raise OSError(errno.ELOOP, "it is a symbolic link: name the file that it points to", str(path))
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EEXIST, "something that is no plain file is there", str(path))
        _refuse_foreign(status, path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".batchtui-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def private_opener(path: str, flags: int) -> int:
    """An opener for `open`: a plain file of this user's own, mode 0600 also where it was there before.

    Raises OSError where a link, anything but a plain file or another user's file is in the way.
    """
    # A pipe that nobody reads would block for ever.
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"):
        flags |= getattr(os, name, 0)
    descriptor = os.open(path, flags, 0o600)
    try:
        refuse_unsafe(os.fstat(descriptor), Path(path))
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, 0o600)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def refuse_unsafe(status: os.stat_result, path: Path) -> None:
    """Raise OSError for anything but a plain file of this user's own, with one name."""
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, "it is a symbolic link: put the file itself in its place", str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EEXIST, "something that is no plain file is there: move it away", str(path))
    _refuse_foreign(status, path)
    if status.st_nlink > 1:
        raise OSError(
            errno.EMLINK,
            "it has another name too (a hard link), which would be changed with it: put a copy in its place",
            str(path),
        )


def _refuse_foreign(status: os.stat_result, path: Path) -> None:
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "it belongs to another user", str(path))


def working_directory() -> Path:
    """Where the program was started, or home where that directory is gone."""
    try:
        return Path.cwd()
    except OSError:
        return Path("~").expanduser()
