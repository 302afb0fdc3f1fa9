"""Files of ours on disk: private, and never half-written."""

import contextlib
import os
import tempfile
from pathlib import Path


def make_private_directory(path: Path) -> None:
    """Make the directory and its missing parents, readable by this user alone. Raises OSError."""
    missing = []
    here = path
    while not here.exists():
        missing.append(here)
        here = here.parent
    for directory in reversed(missing):
        directory.mkdir(mode=0o700, exist_ok=True)
    if path.stat().st_uid == os.getuid() if hasattr(os, "getuid") else False:
        path.chmod(0o700)


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` in place of whatever `path` holds, all or nothing, mode 0600. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
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
