"""The log: what went wrong behind the screen; never a token, never a text of the person's."""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from batchtui.files import make_private_directory

LARGEST = 1_000_000
KEPT = 2


class PrivateFileHandler(RotatingFileHandler):
    """A rotating log that only this user can read."""

    def _open(self):  # type: ignore[no-untyped-def]
        Path(self.baseFilename).touch(mode=0o600)
        return super()._open()


def start(log_file: Path) -> None:
    """Have batchtui's own loggers write to `log_file`; nothing is logged where it can't be written."""
    logger = logging.getLogger("batchtui")
    logger.propagate = False
    try:
        make_private_directory(log_file.parent)
        handler: logging.Handler = PrivateFileHandler(
            log_file, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8", errors="backslashreplace"
        )
    except OSError:
        # A log that can't be written is no reason not to work.
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
