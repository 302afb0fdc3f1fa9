"""JSON that is not ours, read strictly: every fault is a MalformedAnswer that names its place."""

import json
import re
from collections import Counter
from typing import Any, TypeVar

import msgspec

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<where>.*)`)?$", re.DOTALL)
_LONGEST_WORD = 200

Shape = TypeVar("Shape")


class MalformedAnswer(ValueError):  # noqa: N818
    """A body that is not what the contract says: `what` is wrong, and `where` in it (a JSON path such as
    `$.result.responses[3].id`)."""

    def __init__(self, what: str, where: str = "$") -> None:
        super().__init__(f"{what} at {where}")
        self.what = what
        self.where = where


class _Doubled(dict[str, Any]):
    """An object in which one key stands more than once."""

    key: str


def bounded(text: str, length: int) -> str:
    """`text` cut to `length` characters, with an ellipsis as the last where it was longer."""
    return text if len(text) <= length else text[: length - 1] + "…"


def whole_text(text: str) -> str:
    """`text` with every lone surrogate replaced, so that it can be encoded again."""
    return _LONE_SURROGATE.sub("\ufffd", text)


def parse(body: bytes) -> Any:
    """The JSON value in `body`; NaN and infinities are read, bytes that are not UTF-8 are replaced.

    Raises MalformedAnswer for anything that is not one JSON value, is nested too deep, holds a number of
    thousands of digits, or repeats a key in one object.
    """
    doubled = False

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled
        value = dict(pairs)
        if len(value) == len(pairs):
            return value
        doubled = True
        marked = _Doubled(value)
        marked.key = _repeated_key(pairs)
        return marked

    try:
        value = json.loads(body.decode("utf-8-sig", errors="replace"), object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise MalformedAnswer(f"not JSON ({error.msg})", f"character {error.pos}") from None
    except RecursionError:
        raise MalformedAnswer("nested too deep") from None
    except ValueError:
        raise MalformedAnswer("a number with too many digits") from None
    if doubled:
        where, key = _first_doubled(value)
        raise MalformedAnswer(f"the key {bounded(repr(key), _LONGEST_WORD)} stands more than once", where)
    return value


def read(body: bytes, shape: type[Shape]) -> Shape:
    """The JSON value in `body` as `shape`, a msgspec type; raises MalformedAnswer."""
    value = parse(body)
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        match = _PLACE.match(str(error))
        what, where = (match["what"], match["where"]) if match else (str(error), None)
        raise MalformedAnswer(bounded(what, _LONGEST_WORD), where or "$") from None
    except RecursionError:
        raise MalformedAnswer("nested too deep") from None
    except (ValueError, OverflowError):
        raise MalformedAnswer("a value that cannot be read") from None


def _repeated_key(pairs: list[tuple[str, Any]]) -> str:
    return Counter(key for key, _ in pairs).most_common(1)[0][0]


def _first_doubled(value: Any) -> tuple[str, str]:
    """The path and the repeated key of the first doubled object; there must be one."""
    waiting: list[tuple[str, Any]] = [("$", value)]
    while True:
        where, item = waiting.pop()
        if isinstance(item, _Doubled):
            return where, item.key
        children: list[tuple[str, Any]] = []
        if isinstance(item, dict):
            children = [(f"{where}.{bounded(key, _LONGEST_WORD)}", child) for key, child in item.items()]
        elif isinstance(item, list):
            children = [(f"{where}[{place}]", child) for place, child in enumerate(item)]
        waiting.extend(reversed(children))
