"""Where in a JSON text a value stands, so that an error can name its line."""

import json
import re
from collections.abc import Sequence

_SPACE = re.compile(r"[ \t\r\n]*")
_LONE_SURROGATE = re.compile(
    r"(?<!\\)(?:\\\\)*"
    r"(?:(\\u[dD][89abAB][0-9a-fA-F]{2})(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})(\\u[dD][c-fC-F][0-9a-fA-F]{2}))"
)


def place_of(text: str, path: Sequence[str | int], start: int = 0) -> int:
    """The index of the value at `path` in the JSON text that begins at `start`.

    Where a step leads nowhere, it is the index of the last value that the path reached. Of a key that
    stands twice the last one counts, as it does for every decoder.
    """
    position = _skip_space(text, start)
    for step in path:
        try:
            found = _member(text, position, step) if isinstance(step, str) else _item(text, position, step)
        except (ValueError, IndexError, RecursionError):
            return position
        if found is None:
            return position
        position = found
    return position


def explain_malformed(text: str) -> tuple[str, int] | None:
    """Why a text is not JSON, and the index where; None where Python's own decoder finds no fault in it."""
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        return error.msg[:1].lower() + error.msg[1:], error.pos
    except _NotANumberError as error:
        place = re.search(rf"(?<![\"\w]){re.escape(str(error))}", text)
        return f"{error} is not a number in JSON", place.start() if place else 0
    except (ValueError, RecursionError):
        return None
    lone = _LONE_SURROGATE.search(text)
    if lone is None:
        return None
    group = 1 if lone.group(1) else 2
    return f"{lone.group(group)} is half a character (a lone surrogate)", lone.start(group)


class _NotANumberError(Exception):
    pass


def _refuse_constant(constant: str) -> None:
    raise _NotANumberError(constant)


def _skip_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _member(text: str, position: int, key: str) -> int | None:
    if text[position] != "{":
        return None
    decode = json.JSONDecoder().raw_decode
    found = None
    position = _skip_space(text, position + 1)
    while text[position] != "}":
        name, position = decode(text, position)
        value = _skip_space(text, _skip_space(text, position) + 1)
        if name == key:
            found = value
        _, position = decode(text, value)
        position = _skip_space(text, position)
        if text[position] == ",":
            position = _skip_space(text, position + 1)
    return found


def _item(text: str, position: int, index: int) -> int | None:
    if text[position] != "[":
        return None
    decode = json.JSONDecoder().raw_decode
    position = _skip_space(text, position + 1)
    for _ in range(index):
        if text[position] == "]":
            return None
        _, position = decode(text, position)
        position = _skip_space(text, position)
        if text[position] == ",":
            position = _skip_space(text, position + 1)
    return None if text[position] == "]" else position
