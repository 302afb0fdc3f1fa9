"""What comes from the terminal: any bytes, and pastes that hold what keys are made of."""

import os
import selectors
from codecs import getincrementaldecoder
from itertools import chain

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

PASTE_STARTS, PASTE_ENDS = "\x1b[200~", "\x1b[201~"
READ_AT_ONCE = 1 << 16
# Lone surrogates: no decoded byte is one.
_STAND_INS = {"\x1b": "\udc1b", "\0": "\udc00"}
_HIDE = str.maketrans(_STAND_INS)
_RESTORE = str.maketrans({stand_in: character for character, stand_in in _STAND_INS.items()})


class Pastes:
    """Keeps what is pasted from being read as keys, however it is cut into pieces.

    Textual's parser takes an ESC inside a paste for the start of a key, types what follows it, and drops NUL.
    """

    def __init__(self) -> None:
        self._pasting = False
        self._waiting = ""
        self._last = ""

    def hide(self, typed: str) -> str:
        """What to give to the parser: ESC and NUL inside a paste as stand-ins."""
        parts = []
        rest, self._waiting = self._waiting + typed, ""
        while rest:
            part, rest = self._pasted(rest) if self._pasting else self._keys(rest)
            parts.append(part)
        return "".join(parts)

    def _keys(self, typed: str) -> tuple[str, str]:
        before = len(self._last)
        seen = self._last + typed
        place = seen.find(PASTE_STARTS)
        if place < 0:
            self._last = seen[1 - len(PASTE_STARTS) :]
            return typed, ""
        self._pasting, self._last = True, ""
        cut = place + len(PASTE_STARTS) - before
        return typed[:cut], typed[cut:]

    def _pasted(self, typed: str) -> tuple[str, str]:
        body, end, rest = typed.partition(PASTE_ENDS)
        if end:
            self._pasting = False
        else:
            begun = (n for n in range(len(PASTE_ENDS) - 1, 0, -1) if body.endswith(PASTE_ENDS[:n]))
            kept = len(body) - next(begun, 0)
            body, self._waiting = body[:kept], body[kept:]
        return body.translate(_HIDE) + end, rest


class TerminalDriver(LinuxDriver):
    """Textual's driver, for a terminal that may send anything: bytes that are not UTF-8 become U+FFFD."""

    def run_input_thread(self) -> None:
        """Read keys and pastes until the driver stops."""
        decode = getincrementaldecoder("utf-8")("replace").decode
        parser, pastes = XTermParser(self._debug), Pastes()
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                ready = selector.select(0.1)
                typed = pastes.hide(decode(os.read(self.fileno, READ_AT_ONCE))) if ready else ""
                # Feeding nothing would end the parser.
                for message in chain(parser.feed(typed) if typed else (), parser.tick()):
                    self.process_message(message)

    def process_message(self, message: Message) -> None:
        """Hand over a message, a paste as it came."""
        if isinstance(message, events.Paste):
            message.text = message.text.translate(_RESTORE)
        super().process_message(message)
