"""The log: what went wrong behind the screen; never a token, and of texts only what a fault itself quotes."""

import logging
import sys
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from batchtui.files import make_private_directory, private_opener
from batchtui.text import safe
from batchtui.workers_ai.secret import MaskingFilter, Secret

LARGEST = 1_000_000
KEPT = 2


class PrivateFileHandler(RotatingFileHandler):
    """A rotating log that only this user can read."""

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding="utf-8", errors=self.errors, opener=private_opener)


class SafeFormatter(logging.Formatter):
    """Lines that a terminal can show: an error's words may hold what a server or a file put there."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text, made safe."""
        return safe(super().format(record))


def start(log_file: Path, token: Secret | None = None) -> None:
    """Have batchtui's own loggers write to `log_file`; where it can't be written, that is told once."""
    logger = logging.getLogger("batchtui")
    logger.propagate = False
    try:
        make_private_directory(log_file.parent)
        handler: logging.Handler = PrivateFileHandler(
            log_file, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8", errors="backslashreplace"
        )
    except OSError as error:
        # A log that can't be written is no reason not to work.
        print(safe(f"batchtui: nothing is logged to {log_file}: {error.strerror}"), file=sys.stderr)
        handler = logging.NullHandler()
    handler.setFormatter(SafeFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    if token is not None:
        handler.addFilter(MaskingFilter(token))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
