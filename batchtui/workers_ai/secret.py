"""A token that shows itself to nobody who does not ask for it by name."""

import hmac
import logging

MASK = "***"
# A shorter token may be a word that stands in every answer; masking it would spoil what is kept.
_SHORTEST_MASKED = 8


class Secret:
    """A bearer token: `***` in repr, str, format and tracebacks.

    Raises ValueError for one that no HTTP header can hold; the message never shows it.
    """

    __slots__ = ("_value",)

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

    def reveal(self) -> str:
        """The token itself."""
        return self._value

    def mask(self, text: str) -> str:
        """`text` with the token masked wherever it stands."""
        return text.replace(self._value, MASK) if len(self._value) >= _SHORTEST_MASKED else text

    def mask_bytes(self, data: bytes) -> bytes:
        """`data` with the token masked wherever it stands."""
        if len(self._value) < _SHORTEST_MASKED:
            return data
        return data.replace(self._value.encode("ascii"), MASK.encode("ascii"))

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


def _named(character: str) -> str:
    if character in "\r\n":
        return "a line break"
    if character.isspace():
        return "a space"
    return "a character that is not printable ASCII"
