"""What comes from the terminal: any bytes, and pastes that hold what keys are made of."""

import os
import re
import selectors
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.keys import Keys
from textual.message import Message

PASTE_STARTS, PASTE_ENDS = "\x1b[200~", "\x1b[201~"
READ_AT_ONCE = 1 << 16
# Lone surrogates: no decoded byte is one.
_STAND_INS = {"\x1b": "\udc1b", "\0": "\udc00"}
_HIDE = str.maketrans(_STAND_INS)
_RESTORE = str.maketrans({stand_in: character for character, stand_in in _STAND_INS.items()})
_START = re.compile(r"[\x1b\udc1b]\[200~")


class TerminalInput:
    """Bytes that a terminal sends, cut anywhere, as keys and pastes; what is not UTF-8 becomes U+FFFD."""

    def __init__(self, *, debug: bool = False) -> None:
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._pastes = Pastes()
        self._parser = _LenientParser(debug)

    def feed(self, data: bytes) -> Iterator[Message]:
        """What these bytes complete."""
        # Feeding nothing would end the parser.
        if typed := self._pastes.hide(self._decode(data)):
            yield from _as_they_came(self._parser.feed(typed))

    def tick(self) -> Iterator[Message]:
        """What is complete because nothing followed it in time: an ESC is then the key."""
        for message in _as_they_came(self._parser.tick()):
            self._pastes.parser_gave_up()
            yield message


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

    def parser_gave_up(self) -> None:
        """The parser waited in vain for the rest of a sequence, and has read its beginning as keys."""
        self._last = self._last.translate(_HIDE)

    def _keys(self, typed: str) -> tuple[str, str]:
        before = len(self._last)
        seen = self._last + typed
        start = _START.search(seen)
        if start is None:
            self._last = seen[1 - len(PASTE_STARTS) :]
            return typed, ""
        self._pasting, self._last = True, ""
        cut = start.end() - before
        # A parser that has lost the beginning of the mark needs all of it: what follows must not be typed.
        given = typed[:cut] if start.group() == PASTE_STARTS else PASTE_STARTS
        return given, typed[cut:]

    def _pasted(self, typed: str) -> tuple[str, str]:
        body, end, rest = typed.partition(PASTE_ENDS)
        if end:
            self._pasting = False
        else:
            begun = (n for n in range(len(PASTE_ENDS) - 1, 0, -1) if body.endswith(PASTE_ENDS[:n]))
            kept = len(body) - next(begun, 0)
            body, self._waiting = body[:kept], body[kept:]
        return body.translate(_HIDE) + end, rest


class _LenientParser(XTermParser):
    """Passes over sequences with numbers that no key and no mouse has, at which Textual's would end."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        try:
            return list(super()._sequence_to_key_events(sequence, alt))
        except (ValueError, OverflowError):
            return [events.Key(Keys.Ignore, sequence)]

    def parse_mouse_code(self, code: str) -> Message | None:
        try:
            return super().parse_mouse_code(code)
        except (ArithmeticError, ValueError):
            return None


class TerminalDriver(LinuxDriver):
    """Textual's driver, for a terminal that may send anything."""

    def run_input_thread(self) -> None:
        """Read keys and pastes until the driver stops."""
        typed = TerminalInput(debug=self._debug)
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(0.1):
                    for message in typed.feed(os.read(self.fileno, READ_AT_ONCE)):
                        self.process_message(message)
                for message in typed.tick():
                    self.process_message(message)

    def process_message(self, message: Message) -> None:
        """Hand over what was typed; a size that the terminal was not asked for is none."""
        if self._in_band_window_resize or not isinstance(message, events.Resize):
            super().process_message(message)


def _as_they_came(messages: Iterable[Message]) -> Iterator[Message]:
    for message in messages:
        if isinstance(message, events.Paste):
            message.text = message.text.translate(_RESTORE)
        yield message
