"""A token that shows itself to nobody who does not ask for it by name."""

import hmac
import html
import itertools
import logging
import re

MASK = "***"
# A shorter token may be a word that stands in every answer; masking it would spoil what is kept.
SHORTEST_MASKED = 8
# With none of these a text holds the token as it is, or not at all. NUL is the other half of UTF-16.
_ESCAPES = "\\%&\0"


class Secret:
    """A bearer token: `***` in repr, str, format and tracebacks.

    Raises ValueError for one that no HTTP header can hold; the message never shows it.
    """

    __slots__ = ("_spelled", "_value")

    def __init__(self, value: str) -> None:
        if not value:
            raise ValueError("The API token is empty.")
        for place, character in enumerate(value, start=1):
            if not "!" <= character <= "~":
                raise ValueError(
                    f"The API token holds {_named(character)} (character {place} of {len(value)}), which "
                    "cannot be sent: copy the token again, without spaces or line breaks."
                )
        self._value = value
        self._spelled: re.Pattern[str] | None = None

    @property
    def maskable(self) -> bool:
        """Whether it is long enough to be masked."""
        return len(self._value) >= SHORTEST_MASKED

    def reveal(self) -> str:
        """The token itself."""
        return self._value

    def mask(self, text: str) -> str:
        """`text` with the token masked wherever it stands, escaped as JSON, URLs or HTML may do it or not."""
        if not self.maskable:
            return text
        if not any(escape in text for escape in _ESCAPES):
            return text.replace(self._value, MASK)
        if self._spelled is None:
            self._spelled = re.compile(_spellings(self._value))
        *heads, tail = self._spelled.split(text)
        # What escapes the first character goes with it.
        return "".join([head.rstrip("\\\0") + MASK for head in heads]) + tail

    def mask_bytes(self, data: bytes) -> bytes:
        """`data` with the token masked as in a text."""
        if not self.maskable:
            return data
        if not any(escape in data for escape in _ESCAPES.encode()):
            return data.replace(self._value.encode("ascii"), MASK.encode("ascii"))
        # Latin-1 has a character for each byte, and those of a token are themselves in it.
        return self.mask(data.decode("latin-1")).encode("latin-1")

    def __repr__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash(self._value)


class MaskingFilter(logging.Filter):
    """Masks a token in every record of the loggers to which it is added."""

    def __init__(self, secret: Secret) -> None:
        super().__init__()
        self._secret = secret

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self._secret.mask(record.getMessage())
        record.args = ()
        return True


def _spellings(token: str) -> str:
    """A pattern of the token, each of its characters as it is or escaped, once or many times over."""
    between = r"[\\\0]*+"
    pattern = ""
    for character, run in itertools.groupby(token):
        if character == "\\":
            # How many of them stand for how many, only the encoders know.
            pattern += rf"(?:{_spelling(character)}|\0)++"
        else:
            pattern += f"{between}(?:{_spelling(character)})" * len(list(run))
    return pattern.removeprefix(between)


def _spelling(character: str) -> str:
    code = ord(character)
    digits = "".join(f"[{digit}{digit.upper()}]" for digit in f"{code:02x}")
    escaped = (f"u00{digits}", f"%(?:25)*{digits}", f"&#0*{code};?", f"&#[xX]0*{digits};?")
    # Each once: a search with two ways to read every character would take for ever.
    plain = dict.fromkeys((re.escape(html.escape(character)), re.escape(character)))
    return "|".join((*escaped, *plain))


def _named(character: str) -> str:
    if character in "\r\n":
        return "a line break"
    if character.isspace():
        return "a space"
    return "a character that is not printable ASCII"
