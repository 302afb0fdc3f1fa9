"""JSON written so that it is exact and yet safe on a terminal: what could act on one stands escaped."""

import json
import re
from functools import cache
from typing import Any

from batchtui.text import safe

_NOT_PLAIN = re.compile(r"[^\n -~]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def to_json(value: Any, *, indent: int | None = None) -> str:
    """One JSON value as text, without a line break at its end; NaN and infinities are a ValueError.

    Letters of any script stay as they are. Controls, bidi marks, invisible characters and lone surrogates are
    written as `\\uXXXX`, so that reading gives back every character.
    """
    return escape_unsafe(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent))


def escape_unsafe(text: str) -> str:
    """JSON text with everything in it escaped that a terminal would obey, hide or reorder by."""
    if safe(text) == text:
        return text
    return "\n".join(line if safe(line) == line else _escape_line(line) for line in text.split("\n"))


def _escape_line(line: str) -> str:
    escaped = _NOT_PLAIN.sub(_escaped, line)
    # Marks are safe each alone and a danger in a flood: then nothing but ASCII is left as it is.
    return escaped if safe(escaped) == escaped else _NOT_ASCII.sub(_as_number, escaped)


def _as_number(match: re.Match[str]) -> str:
    return json.dumps(match.group())[1:-1]


def _escaped(match: re.Match[str]) -> str:
    return _escape(match.group())


@cache
def _escape(character: str) -> str:
    return character if safe(character) == character else json.dumps(character)[1:-1]
